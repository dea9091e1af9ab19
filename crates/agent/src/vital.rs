//! Threads that an agent cannot work without: the agent ends when one of them panics.

use std::sync::Arc;
use std::thread;

use accelnet_api::server::Stopper;
use accelnet_model::outside;

/// Ends the agent when it is dropped by a panic.
pub(crate) struct Vital(End);

/// What ends the agent.
pub(crate) type End = Arc<dyn Fn() + Send + Sync>;

impl Vital {
    /// For the thread that keeps it.
    pub fn new(end: &End) -> Self {
        Vital(end.clone())
    }
}

/// `on`, whose panic ends the agent: for a thread that the agent did not start.
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

/// Ends this process at once, as SIGKILL would: the kernel closes its socket and locks, its guards roll back,
/// and the next agent continues from the store and the node.
pub(crate) fn process() -> End {
    Arc::new(|| std::process::abort())
}

/// Closes the socket, for an agent that shares its process with others.
pub(crate) fn socket(stopper: Stopper) -> End {
    Arc::new(move || stopper.stop())
}

/// Logs each panic as one line.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("Panic: {}", outside::short(&info.to_string(), 1000));
    }));
}

#[cfg(test)]
pub(crate) mod tests;
