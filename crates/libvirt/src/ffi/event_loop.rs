//! libvirt's own event loop, which reports events and keeps connections alive.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::failure::Failure;
use super::table::Table;
use crate::LibvirtError;

/// Between a round that failed and the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Sees to it that the loop runs, on a thread that lives as long as the process. It sleeps
/// until something comes in.
///
/// It must be there before the first connection is opened that wants events, and there is
/// one of it in a process: libvirt keeps it in global variables.
pub fn run(table: &'static Table) -> Result<(), LibvirtError> {
    static RUNS: Mutex<bool> = Mutex::new(false);
    let mut runs = match RUNS.lock() {
        Ok(runs) => runs,
        Err(poisoned) => poisoned.into_inner(),
    };
    if *runs {
        return Ok(());
    }
    // SAFETY: no preconditions; nothing else in this process registers a loop.
    if unsafe { (table.event_register_default)() } < 0 {
        return Err(Failure::take(table).doing("start its event loop"));
    }
    thread::Builder::new()
        .name("libvirt-events".to_owned())
        .spawn(move || {
            again(|| {
                // SAFETY: the loop is registered, and only this thread runs it.
                let went_well = unsafe { (table.event_run_default)() } >= 0;
                if !went_well {
                    drop(Failure::take(table));
                }
                went_well
            });
        })
        .map_err(|error| LibvirtError::NoThread {
            words: error.to_string(),
        })?;
    *runs = true;
    Ok(())
}

/// One round after the other. Without this thread no event comes any more, so a round that fails, such as an
/// interrupted wait, or that falls over is followed by another.
fn again(round: impl Fn() -> bool) -> ! {
    loop {
        if !matches!(catch_unwind(AssertUnwindSafe(&round)), Ok(true)) {
            thread::park_timeout(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;
