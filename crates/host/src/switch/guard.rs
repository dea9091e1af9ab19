//! Who restores what was when the one that changes it dies or hangs in the middle.

mod child;
mod record;
mod watch;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use accelnet_model::switch::SwitchStep;

pub use child::{CHILD, run as run_child};
pub use record::{Recovered, recover};
pub use watch::{Dismissed, Guard, Watch};

/// Where the records of changes under way are.
pub const FOLDER: &str = "/run/accelnet/switches";

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
            // It would mean that a change was left unfinished.
            drop(std::fs::remove_file(&file));
        }
        Ok(Box::new(watch?))
    }
}
