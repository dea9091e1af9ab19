//! One comparison: what, and the times of both sides.

use std::time::Duration;

/// Times of one side, shortest first.
#[derive(Debug, Clone)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Those that were measured, in any order; at least one.
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Times(times)
    }

    /// The one in the middle, or between the two in the middle.
    pub fn median(&self) -> Duration {
        let at = |place: usize| self.0.get(place).copied().unwrap_or_default();
        let count = self.0.len();
        (at(count.saturating_sub(1) / 2) + at(count / 2)) / 2
    }

    /// The shortest.
    pub fn least(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    /// The longest.
    pub fn most(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// One comparison.
#[derive(Debug, Clone)]
pub struct Row {
    /// On what.
    pub place: String,
    /// What accelnet did.
    pub ours: &'static str,
    /// What it is compared with.
    pub theirs: &'static str,
    /// How long accelnet took.
    pub our_times: Times,
    /// How long the others took.
    pub their_times: Times,
}

impl Row {
    /// Median by median: below 1 is quicker than the others.
    pub fn ratio(&self) -> f64 {
        self.our_times.median().as_secs_f64() / self.their_times.median().as_secs_f64()
    }
}
