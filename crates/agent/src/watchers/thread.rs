//! The thread of a watcher.

use std::thread;
use std::time::Duration;

use accelnet_host::{Clock, SystemClock};

use crate::vital::{End, Vital};

/// How long one call waits for events.
pub(crate) const INTERVAL: Duration = Duration::from_secs(3600);
/// The pause after a failed watch of this machine.
pub(super) const MACHINE_RETRY: Duration = Duration::from_secs(60);
/// The pause after a failed watch of the store, which may not answer for a moment.
pub(crate) const STORE_RETRY: Duration = Duration::from_secs(5);

/// Runs `watcher` in a thread, after a `pause` again and again until it returns something. Its argument says
/// whether it ran before, so that it may have missed events. A panic of it calls `end`.
pub(crate) fn watch(
    name: &str,
    pause: Duration,
    end: &End,
    watcher: impl Fn(bool) -> Option<()> + Send + 'static,
) {
    let vital = Vital::new(end);
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _vital = vital;
        let mut again = false;
        while watcher(again).is_none() {
            SystemClock.sleep(pause);
            again = true;
        }
    });
    // Without the thread, the full observation finds what changed.
    drop(spawned);
}
