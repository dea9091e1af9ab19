//! libvirt's own event loop, which tells of events and keeps connections alive.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::failure::Failure;
use super::table::Table;
use crate::LibvirtError;

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
            // A failure is one round that went wrong, such as an interrupted wait.
            loop {
                // SAFETY: the loop is registered, and only this thread runs it.
                if unsafe { (table.event_run_default)() } < 0 {
                    drop(Failure::take(table));
                    thread::park_timeout(Duration::from_secs(1));
                }
            }
        })
        .map_err(|error| LibvirtError::NoThread {
            words: error.to_string(),
        })?;
    *runs = true;
    Ok(())
}
