//! What is written, and what may hang: the files through which the kernel is asked to make
//! VFs.
//!
//! A write of `sriov_numvfs` returns when the driver is done, and a driver may never be. A
//! thread that is stuck in the kernel cannot be given up, and would keep this process from
//! ending; so the write is done by a child process, which can be left behind. The child
//! keeps the adapter's lock, so that the next call sees that the change is still under way.
//! What the kernel shows under the same device lock is read by such children, too.

mod child;
mod lock;

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelnet_model::PciAddress;
use accelnet_model::vf_plan::Refusal;
use accelnet_pci::LockedRead;

pub use lock::{Lock, LockError};

use crate::{Clock, SystemClock};
use child::{Child, Ended, Task};

/// Written without a child: the kernel sets a flag there and takes no lock
/// (`sriov_drivers_autoprobe_store` of `drivers/pci/iov.c`).
const NEVER_HANGS: &str = "/sriov_drivers_autoprobe";

/// How long attributes under the device lock are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often is reported that a write is waited for.
const SLICE: Duration = Duration::from_millis(100);

/// The knobs of a node's adapters.
pub trait Knobs: LockedRead {
    /// Takes the lock of the adapter at `address` for a change.
    ///
    /// # Errors
    ///
    /// Another process has it, or it cannot be had.
    fn lock(&self, address: PciAddress, note: &str) -> Result<Lock, LockError>;

    /// Writes `value` into `path` below the root, and waits for the kernel for no longer
    /// than `within`; `waiting` is called now and then meanwhile.
    ///
    /// # Errors
    ///
    /// What the kernel answered, or that it did not.
    fn write(
        &self,
        lock: &Lock,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal>;

    /// Opens the device file at `path` below the root, so that no other process can while the
    /// answer lives: a vfio group opens only once.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when a process has it.
    fn hold(&self, path: &str) -> io::Result<File>;
}

/// Where locks are.
const LOCKS: &str = "/run/accelnet/locks";

/// The knobs of the running system.
#[derive(Debug, Default)]
pub struct SystemKnobs {
    /// Children that no process waits for any more.
    left: Mutex<Vec<Child>>,
}

impl SystemKnobs {
    /// Starts a child, and looks which of those that were left have ended since.
    fn start(&self, task: Task<'_>, kept: Option<BorrowedFd<'_>>) -> io::Result<Child> {
        self.left().retain(|child| !child.is_gone());
        Child::start(task, kept)
    }

    /// Leaves a child to itself that hangs, or that has answered and whose end is not to be waited
    /// for.
    fn leave(&self, child: Child) {
        self.left().push(child);
    }

    fn left(&self) -> MutexGuard<'_, Vec<Child>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LockedRead for SystemKnobs {
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>> {
        let until = SystemClock.uptime() + PATIENCE;
        let start = |path: &PathBuf| self.start(Task::Read(&named(path)?), None);
        // All at once: the patience is spent once.
        let children: Vec<io::Result<Child>> = paths.iter().map(start).collect();
        let answers = children.into_iter().map(|child| {
            let mut child = child?;
            match child.wait(until.saturating_sub(SystemClock.uptime())) {
                Some(Ended::Answered(answer)) => {
                    child.end();
                    Ok(String::from_utf8_lossy(&answer?).trim().to_owned())
                }
                Some(Ended::Killed(status)) => Err(io::Error::other(format!(
                    "the reading process ended with {status}"
                ))),
                None => {
                    self.leave(child);
                    Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        format!(
                            "the kernel did not answer within {} s: a change of the number of VFs is probably under way",
                            PATIENCE.as_secs()
                        ),
                    ))
                }
            }
        });
        answers.collect()
    }
}

impl Knobs for SystemKnobs {
    fn lock(&self, address: PciAddress, note: &str) -> Result<Lock, LockError> {
        Lock::take(Path::new(LOCKS), address, note)
    }

    fn write(
        &self,
        lock: &Lock,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        let failed = |error: io::Error| Refusal::from_io(&error);
        if path.ends_with(NEVER_HANGS) {
            let file = File::options().write(true).open(path);
            return file
                .and_then(|mut file| file.write_all(value.as_bytes()))
                .map_err(failed);
        }
        let file = named(Path::new(path)).map_err(failed)?;
        let task = Task::Write(&file, value.as_bytes());
        let mut child = self.start(task, lock.file()).map_err(failed)?;
        let until = SystemClock.uptime() + within;
        let ended = loop {
            let left = until.saturating_sub(SystemClock.uptime());
            if let Some(ended) = child.wait(SLICE.min(left)) {
                break Some(ended);
            }
            if left.is_zero() {
                break None;
            }
            waiting();
        };
        self.leave(child);
        match ended {
            Some(Ended::Answered(answer)) => answer.map(drop).map_err(failed),
            Some(Ended::Killed(status)) => Err(Refusal::Errno {
                number: 0,
                text: format!("the writing process ended with {status}"),
            }),
            None => Err(Refusal::TimedOut(within)),
        }
    }

    fn hold(&self, path: &str) -> io::Result<File> {
        File::options().read(true).write(true).open(path)
    }
}

/// The name of the file at `path`, as the kernel takes it.
fn named(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// The knobs of a copy of a node: everything is read at once, nothing is changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoKnobs;

impl LockedRead for NoKnobs {
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>> {
        accelnet_pci::Direct.read(paths)
    }
}

impl Knobs for NoKnobs {
    fn lock(&self, _address: PciAddress, _note: &str) -> Result<Lock, LockError> {
        Err(LockError::ReadOnly)
    }

    fn write(
        &self,
        _lock: &Lock,
        _path: &str,
        _value: &str,
        _within: Duration,
        _waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        Err(Refusal::from_io(&io::ErrorKind::ReadOnlyFilesystem.into()))
    }

    fn hold(&self, _path: &str) -> io::Result<File> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}
