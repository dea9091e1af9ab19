//! Those who want to know what happens.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::VmEvent;

/// The ends of the channels to everyone who watches.
#[derive(Clone, Default)]
pub struct Watchers {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    channels: Vec<(u64, Sender<VmEvent>)>,
}

impl Watchers {
    /// One more; what it is to be removed by, and what it receives from now on.
    pub fn add(&self) -> (u64, Receiver<VmEvent>) {
        let (sender, receiver) = channel();
        let mut inner = self.inner();
        inner.next += 1;
        let number = inner.next;
        inner.channels.push((number, sender));
        (number, receiver)
    }

    /// That one receives nothing more.
    pub fn remove(&self, number: u64) {
        self.inner().channels.retain(|(other, _)| *other != number);
    }

    /// Notifies all watchers; those that are gone are forgotten.
    pub fn notify(&self, event: &VmEvent) {
        let mut inner = self.inner();
        inner
            .channels
            .retain(|(_, sender)| sender.send(event.clone()).is_ok());
    }

    /// Whether no caller watches.
    pub fn is_empty(&self) -> bool {
        self.inner().channels.is_empty()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
