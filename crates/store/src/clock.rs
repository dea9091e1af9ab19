//! Time for leases, handed in.

use std::time::Duration;

/// Tells how much time passed. Any closure that does is one.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn uptime(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync> Clock for F {
    fn uptime(&self) -> Duration {
        self()
    }
}
