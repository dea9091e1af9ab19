//! Waiting in tests.

use std::time::Duration;

/// Waits: a real server takes real time.
#[expect(clippy::disallowed_methods, reason = "a real server takes real time")]
pub fn wait(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until `what` is so; false when it is not within a minute.
pub fn until(mut so: impl FnMut() -> bool) -> bool {
    for _ in 0..1200 {
        if so() {
            return true;
        }
        wait(Duration::from_millis(50));
    }
    false
}
