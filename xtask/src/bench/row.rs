//! One comparison: what, and the times of both sides.

use std::time::Duration;

/// Times of one side, by round; at least one.
#[derive(Debug, Clone)]
pub struct Times(pub Vec<Duration>);

impl Times {
    /// The median in seconds.
    pub fn median(&self) -> f64 {
        median(self.seconds())
    }

    /// The shortest in seconds.
    pub fn least(&self) -> f64 {
        self.seconds().fold(f64::INFINITY, f64::min)
    }

    /// The longest in seconds.
    pub fn most(&self) -> f64 {
        self.seconds().fold(0.0, f64::max)
    }

    fn seconds(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(Duration::as_secs_f64)
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
    /// How long accelnet took for each second of the others: the median over the rounds, so
    /// that a machine that is slower for a while is slower for both.
    pub fn ratio(&self) -> f64 {
        let rounds = self.our_times.seconds().zip(self.their_times.seconds());
        median(rounds.map(|(ours, theirs)| ours / theirs))
    }

    /// How often both sides were timed.
    pub fn rounds(&self) -> usize {
        self.our_times.0.len()
    }
}

/// The one in the middle, or between the two in the middle.
fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    let at = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
    let count = numbers.len();
    (at(count.saturating_sub(1) / 2) + at(count / 2)) / 2.0
}
