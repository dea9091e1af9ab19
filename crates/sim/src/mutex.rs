//! Mutexes of simulated parts.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, also if its owner panicked.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
