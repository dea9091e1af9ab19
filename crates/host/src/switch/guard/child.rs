//! The guard process: it outlives the process that started it, and is connected to it by a pipe.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::record::Held;
use super::{Dismissed, Watch};
use crate::switch::KernelSwitches;

/// First argument of a guard: `accelnet __restore FILE SECONDS`.
pub const CHILD: &str = "__restore";

/// Printed by a guard that holds the record.
const READY: &str = "ready\n";

/// Sent to the guard when the change is kept.
const KEPT: &[u8] = b"kept\n";

/// How long a process may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Status of a guard that restored what was.
const RESTORED: i32 = 3;
/// Status of one that could not restore all.
const FAILED: i32 = 4;
/// Status of one that was called wrongly.
const CALLED_WRONGLY: i32 = 255;

/// Starts a guard and waits until it watches.
pub(super) fn start(program: &Path, file: &Path, within: Duration) -> io::Result<ChildWatch> {
    let mut child = Command::new(program)
        .arg(CHILD)
        .arg(file)
        .arg(within.as_secs().max(1).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    match first_line(child.stdout.take()).as_deref() {
        Some(READY) => Ok(ChildWatch {
            child,
            file: file.to_owned(),
        }),
        _ => {
            drop(child.kill());
            drop(child.wait());
            Err(io::Error::other("the guard process did not start"))
        }
    }
}

fn first_line(output: Option<ChildStdout>) -> Option<String> {
    let output = output?;
    let (sender, lines) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        // No process listens any more when it took too long.
        drop(sender.send(read.map(|_| line)));
    });
    lines.recv_timeout(PATIENCE).ok()?.ok()
}

/// A guard process at work.
pub(super) struct ChildWatch {
    child: Child,
    file: PathBuf,
}

impl Watch for ChildWatch {
    fn dismiss(mut self: Box<Self>) -> Dismissed {
        if let Some(orders) = &mut self.child.stdin {
            // A guard that is gone has an exit status.
            drop(orders.write_all(KEPT));
        }
        let ended = self.child.wait().ok().and_then(|status| status.code());
        match ended {
            Some(RESTORED | FAILED) => Dismissed::Restored,
            _ => {
                // One that was killed has left it.
                drop(std::fs::remove_file(&self.file));
                Dismissed::Untouched
            }
        }
    }
}

impl Drop for ChildWatch {
    fn drop(&mut self) {
        // Waiting closes its input first, by which it knows that it is on its own.
        drop(self.child.wait());
    }
}

/// Runs a guard with the arguments after [`CHILD`], on the running kernel; returns its exit
/// status.
pub fn run(mut args: impl Iterator<Item = OsString>) -> i32 {
    let file = args.next().map(PathBuf::from);
    let seconds = args.next().and_then(|text| text.to_str()?.parse().ok());
    let (Some(file), Some(seconds)) = (file, seconds) else {
        return CALLED_WRONGLY;
    };
    match watch(&file, Duration::from_secs(seconds)) {
        Ok(status) => status,
        Err(error) => {
            // A process that reads standard error may be gone.
            drop(writeln!(
                io::stderr(),
                "failed to guard {}: {error}",
                file.display()
            ));
            FAILED
        }
    }
}

fn watch(file: &Path, within: Duration) -> io::Result<i32> {
    // A signal to the terminal or session of the one that started it is not meant for it.
    let _ = rustix::process::setsid();
    let held = Held::open(file)?.ok_or(io::ErrorKind::NotFound)?;
    io::stdout().write_all(READY.as_bytes())?;
    io::stdout().flush()?;
    if is_kept(within) {
        held.keep()?;
        return Ok(0);
    }
    let recovered = held.undo(&KernelSwitches)?;
    let mut words = io::stderr();
    let bridge = &recovered.bridge;
    drop(writeln!(
        words,
        "undid an unfinished change of bridge {bridge}"
    ));
    for failed in &recovered.failed {
        drop(writeln!(words, "failed to {failed}"));
    }
    Ok(match recovered.failed.is_empty() {
        true => RESTORED,
        false => FAILED,
    })
}

/// Whether the message that the change is kept comes in time. Input that ends means that it cannot
/// come any more.
fn is_kept(within: Duration) -> bool {
    let input = io::stdin();
    let timeout = Timespec::try_from(within).ok();
    let mut told = [0; KEPT.len()];
    let mut fds = [PollFd::new(&input, PollFlags::IN)];
    let heard = loop {
        match poll(&mut fds, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            heard => break heard,
        }
    };
    match heard {
        Ok(1..) => io::Read::read_exact(&mut input.lock(), &mut told).is_ok() && told == *KEPT,
        _ => false,
    }
}
