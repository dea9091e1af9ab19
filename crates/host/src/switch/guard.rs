//! Who restores what was when the one that changes it dies or hangs in the middle.

mod child;
mod record;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use accelnet_model::switch::SwitchStep;

pub use child::{CHILD, run as run_child};
pub use record::{Recovered, recover};

/// Where the records of changes under way are.
pub const FOLDER: &str = "/run/accelnet/switches";

/// Starts guards.
pub trait Guard {
    /// Has a guard watch over a change of `bridge` that begins now: it does `undo` unless it
    /// is told within `within` that the change is kept, and at once when it cannot be told
    /// any more.
    ///
    /// # Errors
    ///
    /// When no guard is to be had. Then nothing may be changed.
    fn watch(
        &self,
        bridge: &str,
        undo: &[SwitchStep],
        within: Duration,
    ) -> io::Result<Box<dyn Watch>>;
}

/// A guard at work. One that is dropped restores.
pub trait Watch {
    /// Tells it to go.
    fn dismiss(self: Box<Self>) -> Dismissed;
}

/// How a guard went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dismissed {
    /// It left everything as it is.
    Untouched,
    /// It had run out of patience, and restored what was.
    Restored,
}

/// Guards that are processes of their own.
#[derive(Debug, Clone)]
pub struct ChildGuard {
    /// The program to run: this one, with [`CHILD`] as its first argument.
    pub program: PathBuf,
    /// Where records are kept: [`FOLDER`].
    pub folder: PathBuf,
}

impl Guard for ChildGuard {
    fn watch(
        &self,
        bridge: &str,
        undo: &[SwitchStep],
        within: Duration,
    ) -> io::Result<Box<dyn Watch>> {
        // What an earlier change left is undone first.
        recover(&self.folder, &super::KernelSwitches)?;
        let file = record::write(&self.folder, bridge, undo)?;
        let watch = child::start(&self.program, &file, within);
        if watch.is_err() {
            // It would say that a change was left unfinished.
            drop(std::fs::remove_file(&file));
        }
        Ok(Box::new(watch?))
    }
}
