//! A guard at work.

use std::io;
use std::time::Duration;

use accelnet_model::switch::SwitchStep;

/// Starts guards.
pub trait Guard {
    /// Has a guard watch over a change of `bridge` that begins now: it does `undo` unless it
    /// gets the message within `within` that the change is kept, and at once when it cannot get it
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
    /// Ends it.
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
