//! A damaged file must not end the agent.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::embedded::fault::Fault;

/// Turns a panic of the database, which panics when a page makes no sense, into a fault. After one
/// the database is to be opened again, so its remains cannot be observed.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let text = text.unwrap_or("it gave up").lines().collect::<Vec<_>>();
            Err(Fault::Panic(text.join(" ")))
        }
    }
}
