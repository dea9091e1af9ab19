//! Time, handed in so that tests decide what it is.

use std::time::Duration;

/// Gives the time, and waits.
pub trait Clock {
    /// The date and time in RFC 3339, UTC, to the second.
    fn now(&self) -> String;

    /// Time since some fixed moment; never goes back.
    fn uptime(&self) -> Duration;

    /// Waits that long.
    fn sleep(&self, time: Duration);
}

/// The moment `seconds` after `now`, both in RFC 3339; `now` itself where it is no such text.
pub fn later(now: &str, seconds: u32) -> String {
    let at: Result<jiff::Timestamp, _> = now.parse();
    let at = at.and_then(|now| now.checked_add(jiff::SignedDuration::from_secs(seconds.into())));
    at.map_or_else(|_| now.to_owned(), |at| at.to_string())
}

/// Seconds from one moment to another, both in RFC 3339; none if one of them is no such text.
pub fn seconds_between(from: &str, to: &str) -> Option<i64> {
    let from: jiff::Timestamp = from.parse().ok()?;
    let to: jiff::Timestamp = to.parse().ok()?;
    Some(to.as_second() - from.as_second())
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> String {
        let now = jiff::Timestamp::now();
        now.round(jiff::Unit::Second).unwrap_or(now).to_string()
    }

    fn uptime(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Duration::try_from(time).unwrap_or_default()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where waiting happens"
    )]
    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
