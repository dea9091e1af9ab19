//! Notifies all requests that wait for events, from one watch of the store that exists while they wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use accelnet_api::News;
use accelnet_model::{Code, Problem};
use accelnet_store::{Store, Watch};
use tokio::sync::watch;

use crate::problems::failed;

/// How often the watch checks whether any request still waits.
const CHECK: Duration = Duration::from_secs(60);

/// Notifies of changes below a prefix of the keys.
#[derive(Clone)]
pub(crate) struct Notifier {
    prefix: &'static str,
    /// None while no request waits.
    sender: Arc<Mutex<Option<watch::Sender<u64>>>>,
}

impl Notifier {
    /// Notifies of changes of keys that begin with `prefix`.
    pub fn new(prefix: &'static str) -> Self {
        Notifier {
            prefix,
            sender: Arc::default(),
        }
    }

    /// A value that changes with each change in `store` from now on. It closes when the store cannot be
    /// watched any longer: changes may be missing then.
    ///
    /// # Errors
    ///
    /// The store cannot be watched, or the kernel creates no thread.
    pub fn subscribe(&self, store: &dyn Store) -> Result<News, Problem> {
        let mut current = self.lock();
        if let Some(sender) = &*current {
            return Ok(sender.subscribe());
        }
        let watch = store.watch(self.prefix, 0).map_err(failed)?;
        let (sender, news) = watch::channel(0);
        let notifier = self.clone();
        let thread = thread::Builder::new().name("events".to_owned());
        let spawned = thread.spawn(move || notifier.notify(watch));
        spawned.map_err(|error| {
            let found = format!("No thread is to be had to wait for events: {error}.");
            Problem::new(Code::AgentBusy, &[], found)
        })?;
        *current = Some(sender);
        Ok(news)
    }

    /// Notifies for as long as a request waits.
    fn notify(&self, mut watch: Box<dyn Watch>) {
        let _reset = ResetOnPanic(self);
        loop {
            let changes = watch.next(CHECK);
            let mut current = self.lock();
            let Some(sender) = current
                .as_ref()
                .filter(|sender| sender.receiver_count() > 0)
            else {
                *current = None;
                return;
            };
            match changes {
                Ok(changes) if changes.is_empty() => {}
                Ok(_) => sender.send_modify(|times| *times += 1),
                Err(_) => {
                    *current = None;
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<watch::Sender<u64>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the value of all waiting requests when the thread panics: the next request starts another thread.
struct ResetOnPanic<'a>(&'a Notifier);

impl Drop for ResetOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            *self.0.lock() = None;
        }
    }
}

#[cfg(test)]
mod tests;
