//! Threads without which an agent is none: when one of them panics, the agent ends.

use std::sync::Arc;
use std::thread;

use accelnet_api::server::Stopper;
use accelnet_model::outside;

/// Ends the agent when it is dropped by a panic.
pub(crate) struct Vital(End);

/// What ends the agent.
pub(crate) type End = Arc<dyn Fn() + Send + Sync>;

impl Vital {
    /// Of the thread that keeps it.
    pub fn new(end: &End) -> Self {
        Vital(end.clone())
    }
}

/// `on`, whose panic ends the agent: for a thread of somebody else.
pub(crate) fn listener<T, F: Fn(T) + Send>(end: &End, on: F) -> impl Fn(T) + Send + use<T, F> {
    let vital = Vital::new(end);
    move |event| {
        // Dropped with the thread's closure.
        let _vital = &vital;
        on(event);
    }
}

impl Drop for Vital {
    fn drop(&mut self) {
        if thread::panicking() {
            let name = thread::current()
                .name()
                .unwrap_or("without a name")
                .to_owned();
            eprintln!("Thread {name} panicked: the agent ends now; systemd starts it again.");
            (self.0)();
        }
    }
}

/// Ends this process at once, as SIGKILL would: the kernel closes its socket and locks, its guards restore
/// what was being changed, and the next agent goes on from what is in the store and on the node.
pub(crate) fn process() -> End {
    Arc::new(|| std::process::abort())
}

/// Closes the socket: all that an agent has of its own that shares a process with others.
pub(crate) fn socket(stopper: Stopper) -> End {
    Arc::new(move || stopper.stop())
}

/// Has panics logged as one line each.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("Panic: {}", outside::short(&info.to_string(), 1000));
    }));
}

#[cfg(test)]
pub(crate) mod tests;
