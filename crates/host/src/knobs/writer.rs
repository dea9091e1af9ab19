//! The child that does one write of a change. It is started with the lock, so that it is
//! ready by the time there is something to write: to start a process takes as long as to
//! look at an adapter.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use accelnet_model::vf_plan::Refusal;

use super::{Lock, child};

/// A child that waits to be told what to write. It shares the lock until it ends.
#[derive(Debug)]
pub(super) struct Writer {
    child: Option<Child>,
}

impl Writer {
    /// Starts `command`, which is to run a child's `write`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(mut command: Command, lock: Lock) -> io::Result<Writer> {
        let command = command
            .stdin(Stdio::piped())
            .stdout(lock.into_stdio())
            .stderr(Stdio::piped());
        Ok(Writer {
            child: Some(command.spawn()?),
        })
    }

    /// Has it write `value` into `path`, and waits for the kernel for no longer than
    /// `within`; `waiting` is called now and then meanwhile.
    ///
    /// # Errors
    ///
    /// What the kernel answered, or that it did not.
    pub fn write(
        mut self,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        let (sender, ended) = mpsc::channel();
        if let Some(mut child) = self.child.take() {
            if let Some(mut order) = child.stdin.take() {
                // Of a child that is gone its end tells.
                drop(order.write_all(format!("{value} {path}\n").as_bytes()));
            }
            std::thread::spawn(move || {
                // Nobody listens any more once the deadline has passed.
                match child.stderr.take().and_then(child::said) {
                    Some(number) if number != child::CALLED_WRONGLY => {
                        drop(sender.send(Ok(child::meaning(number))));
                        drop(child.wait());
                    }
                    _ => drop(sender.send(child.wait().map(child::verdict))),
                }
            });
        }
        let slice = Duration::from_millis(100);
        let mut left = within;
        loop {
            match ended.recv_timeout(slice.min(left)) {
                Ok(Ok(verdict)) => return verdict,
                Ok(Err(error)) => return Err(Refusal::from_io(&error)),
                Err(_) => left = left.saturating_sub(slice),
            }
            if left.is_zero() {
                return Err(Refusal::TimedOut(within));
            }
            waiting();
        }
    }
}

impl Drop for Writer {
    /// One that was told nothing ends, and lets go of the lock.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Waiting closes its input first.
            drop(child.wait());
        }
    }
}
