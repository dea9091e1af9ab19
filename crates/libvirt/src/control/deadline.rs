//! A moment after which nothing is waited for.

use std::time::{Duration, Instant};

/// A moment.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment after `time` from now.
    #[expect(
        clippy::disallowed_methods,
        reason = "libvirt's events are waited for in real time, as libvirt itself waits"
    )]
    pub fn after(time: Duration) -> Self {
        Deadline(Instant::now() + time)
    }

    /// The time that is left.
    #[expect(clippy::disallowed_methods, reason = "as above")]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}
