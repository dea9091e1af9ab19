//! Tells everybody who waits for events that there are some: one watch of the store for all of them, and
//! none while nobody waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use accelnet_api::News;
use accelnet_model::{Code, Problem};
use accelnet_store::{Store, Watch};
use tokio::sync::watch;

use crate::policy::store_failed;

/// How often a watch looks whether anybody still waits.
const LISTEN: Duration = Duration::from_secs(60);

/// Rings at changes below a prefix of the keys.
#[derive(Clone)]
pub struct Bell {
    prefix: &'static str,
    /// Who is told; none while nobody watches.
    rings: Arc<Mutex<Option<watch::Sender<u64>>>>,
}

impl Bell {
    /// Rings at changes of keys that begin with `prefix`.
    pub fn new(prefix: &'static str) -> Self {
        Bell {
            prefix,
            rings: Arc::default(),
        }
    }

    /// What changes with each change in `store` from now on. It closes when the store cannot be watched any
    /// longer: something may have been missed then.
    ///
    /// # Errors
    ///
    /// The store cannot be watched, or no thread is to be had.
    pub fn hear(&self, store: &dyn Store) -> Result<News, Problem> {
        let mut rings = self.lock();
        if let Some(rings) = &*rings {
            return Ok(rings.subscribe());
        }
        let watch = store.watch(self.prefix, 0);
        let watch = watch.map_err(|error| store_failed(&error))?;
        let (sender, news) = watch::channel(0);
        let bell = self.clone();
        let ear = thread::Builder::new().name("events".to_owned());
        ear.spawn(move || bell.ring(watch)).map_err(|error| {
            let found = format!("No thread is to be had to wait for events: {error}.");
            Problem::new(Code::AgentBusy, &[], found)
        })?;
        *rings = Some(sender);
        Ok(news)
    }

    /// Rings for as long as somebody waits.
    fn ring(&self, mut watch: Box<dyn Watch>) {
        let _fallen = Fallen(self);
        loop {
            let changes = watch.next(LISTEN);
            let mut rings = self.lock();
            let Some(sender) = rings.as_ref().filter(|sender| sender.receiver_count() > 0) else {
                *rings = None;
                return;
            };
            match changes {
                Ok(changes) if changes.is_empty() => {}
                Ok(_) => sender.send_modify(|times| *times += 1),
                Err(_) => {
                    *rings = None;
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<watch::Sender<u64>>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the waiting of all when the thread that rings falls over: the next who waits begins another.
struct Fallen<'a>(&'a Bell);

impl Drop for Fallen<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            *self.0.lock() = None;
        }
    }
}

#[cfg(test)]
mod tests;
