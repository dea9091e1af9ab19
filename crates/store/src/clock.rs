//! Time for leases, handed in.

use std::time::Duration;

/// Time since a fixed moment. Any closure that returns it is one.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment; never goes back.
    fn uptime(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync> Clock for F {
    fn uptime(&self) -> Duration {
        self()
    }
}
