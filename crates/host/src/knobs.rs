//! What is written, and what may hang: the files through which the kernel is told to make
//! VFs.
//!
//! A write of `sriov_numvfs` returns when the driver is done, and a driver may never be. A
//! thread that is stuck in the kernel cannot be given up, and would keep this process from
//! ending; so the write is done by a child process, which can be left behind. The child
//! keeps the adapter's lock, so that the next call sees that the change is still under way.

mod child;
mod lock;
mod writer;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use accelnet_model::PciAddress;
use accelnet_model::vf_plan::Refusal;
use accelnet_pci::LockedRead;

pub use child::run as run_child;
pub use lock::{Lock, LockError};

use writer::Writer;

/// First argument of a child that reads or writes for its parent.
pub const CHILD: &str = "__knob";

/// Written without a child: the kernel sets a flag there and takes no lock
/// (`sriov_drivers_autoprobe_store` of `drivers/pci/iov.c`).
const NEVER_HANGS: &str = "/sriov_drivers_autoprobe";

/// How long attributes under the device lock are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The knobs of a node's adapters.
pub trait Knobs: LockedRead {
    /// Takes the lock of the adapter at `address` for a change.
    ///
    /// # Errors
    ///
    /// Somebody else has it, or it cannot be had.
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

    /// Opens the device file at `path` below the root, so that nobody else can while the
    /// answer lives: a vfio group opens only once.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when somebody has it.
    fn hold(&self, path: &str) -> io::Result<File>;
}

/// Where locks are.
const LOCKS: &str = "/run/accelnet/locks";

/// The knobs of the running system.
#[derive(Debug)]
pub struct SystemKnobs {
    /// The program to run as a child: this one, with [`CHILD`] as its first argument.
    program: PathBuf,
    /// What [`SystemKnobs::expect`] made ready.
    expected: Mutex<Option<(PciAddress, Lock)>>,
}

impl SystemKnobs {
    /// With this program as the child.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        SystemKnobs {
            program: program.into(),
            expected: Mutex::new(None),
        }
    }

    /// Makes a change of the adapter at `address` ready: its child starts while this process
    /// still reads what it is to do, which takes as long. Nothing is held or changed.
    pub fn expect(&self, address: PciAddress) {
        let Ok(lock) = Lock::open(Path::new(LOCKS), address) else {
            return;
        };
        drop(lock.writer.replace(self.writer(&lock).ok()));
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, lock));
    }

    /// What was made ready for `address`.
    fn made_ready(&self, address: PciAddress) -> Option<Lock> {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        let (made_for, lock) = expected.take()?;
        (made_for == address).then_some(lock)
    }

    fn child(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args([CHILD, verb]);
        command
    }

    fn writer(&self, lock: &Lock) -> io::Result<Writer> {
        Writer::start(self.child("write"), lock.share()?)
    }
}

impl LockedRead for SystemKnobs {
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>> {
        if paths.is_empty() {
            return Vec::new();
        }
        let late = || {
            io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "the kernel did not answer within {} s: a change of the number of VFs is probably under way",
                    PATIENCE.as_secs()
                ),
            )
        };
        let mut answers: Vec<io::Result<String>> = paths.iter().map(|_| Err(late())).collect();
        let child = self
            .child("read")
            .args(paths)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let output = match child {
            Ok(mut child) => child.stdout.take(),
            Err(error) => {
                let words = error.to_string();
                return paths
                    .iter()
                    .map(|_| Err(io::Error::other(words.clone())))
                    .collect();
            }
        };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || child::read_answers(output, &sender));
        while let Ok((place, answer)) = lines.recv_timeout(PATIENCE) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
        answers
    }
}

impl Knobs for SystemKnobs {
    fn lock(&self, address: PciAddress, note: &str) -> Result<Lock, LockError> {
        if let Some(lock) = self.made_ready(address) {
            return lock.hold(note).map(|()| lock);
        }
        let lock = Lock::take(Path::new(LOCKS), address, note)?;
        // If it cannot be started, then neither when there is something to write.
        drop(lock.writer.replace(self.writer(&lock).ok()));
        Ok(lock)
    }

    fn write(
        &self,
        lock: &Lock,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        let failed = |error: &io::Error| Refusal::from_io(error);
        if path.ends_with(NEVER_HANGS) {
            return child::write(path, value).map_err(|error| failed(&error));
        }
        let writer = match lock.writer.take() {
            Some(writer) => writer,
            None => self.writer(lock).map_err(|error| failed(&error))?,
        };
        writer.write(path, value, within, waiting)
    }

    fn hold(&self, path: &str) -> io::Result<File> {
        File::options().read(true).write(true).open(path)
    }
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
