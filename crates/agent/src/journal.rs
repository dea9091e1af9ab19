//! The newest events of the cluster, in the store.
//!
//! Each event has a key of its own, named after its time and its node: nodes record events at the same
//! time without waiting for each other. The store's revision orders them. Each event is also written to
//! the journal of the node ([`crate::journald`]).

mod new_event;
mod retention;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use accelnet_api::News;
use accelnet_api::types::Event;
use accelnet_model::Problem;
use accelnet_store::{
    Commit, Document, Json, MAX_OPS, Store, StoreError, Stored, Txn, Unreadable, renamed,
};
use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::journald::Journald;
use crate::notifier::Notifier;
use crate::problems::failed;
use crate::unread::Unread;

pub use new_event::NewEvent;
pub(crate) use new_event::{MAX_OUTCOMES, shortened};

/// How often a key is chosen again because another journal of this node used it.
const ATTEMPTS: u32 = 4;
/// On average, one in so many events is followed by the removal of old ones, which reads them all.
const PRUNE_INTERVAL: u64 = 64;
/// Numbers of the events of one revision: more than one transaction can write.
const NUMBERS_PER_REVISION: u64 = 1024;
const EVENTS: &str = "events/";
/// Unreadable events that are kept for inspection.
const MAX_UNREADABLE: usize = 100;
/// Requests that this process has recorded.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Writes an event to the journal of the node called `node`, without a store.
pub fn write(journald: &Journald, at: &str, node: &str, event: &NewEvent) {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let request = format!("{at}/{node}/{}/{number}", std::process::id());
    journald.write(event.records(node, &request));
}

/// A stored event. Its number follows from its revision when it is read.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct EventDocument(Event);

impl Document for EventDocument {
    const KIND: &'static str = "an event";
    const FORMAT: u32 = 2;

    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        (format == 1).then(|| renamed(value, crate::renamed::EVENT))
    }
}

/// The events of a cluster, as one node records and reads them.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    node: String,
    /// Number in the key of this node's next event.
    next: Arc<Mutex<u64>>,
    notifier: Notifier,
    unread: Unread,
    journald: Option<Journald>,
}

impl Journal {
    /// The events in `store`; events recorded here are of `node`.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        Journal {
            store,
            node: node.to_owned(),
            next: Arc::default(),
            notifier: Notifier::new(EVENTS),
            unread: Unread::default(),
            journald: None,
        }
    }

    /// The same, written also to the journal of the node.
    #[must_use]
    pub(crate) fn with_journald(mut self, journald: Option<Journald>) -> Self {
        self.journald = journald;
        self
    }

    /// Records an event. One that the store does not accept is lost: nothing waits for it.
    pub fn record(&self, at: &str, event: NewEvent) {
        self.record_all(at, &[event]);
    }

    /// Records several events, in this order.
    pub fn record_all(&self, at: &str, events: &[NewEvent]) {
        self.write_to_journald(at, events);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        for some in events.chunks(MAX_OPS) {
            for _ in 0..ATTEMPTS {
                let txn = self.txn(at, some, *next);
                match txn.and_then(|txn| self.store.commit(&txn)) {
                    Ok(Commit::Done { .. }) => {
                        self.advance(&mut next, some.len());
                        break;
                    }
                    Ok(Commit::Conflict { .. }) => match self.after_last(at) {
                        Ok(number) => *next = number.max(*next + 1),
                        Err(_) => return,
                    },
                    Err(_) => return,
                }
            }
        }
    }

    /// Records events in one transaction with another change of the store, which `change` commits. False if
    /// it was not committed: then nothing is recorded, and the call can be repeated.
    ///
    /// # Errors
    ///
    /// Those of `change`.
    pub(crate) fn record_with(
        &self,
        at: &str,
        events: &[NewEvent],
        change: impl FnOnce(Txn) -> Result<bool, Problem>,
    ) -> Result<bool, Problem> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let txn = self.txn(at, events, *next);
        let done = txn.map_err(failed).and_then(change);
        if !matches!(done, Ok(false)) {
            // Also when the store failed: the node was changed.
            self.write_to_journald(at, events);
        }
        match done {
            Ok(true) => self.advance(&mut next, events.len()),
            // Another journal of this node may have used the key.
            Ok(false) => *next = self.after_last(at).map_or(*next, |after| after.max(*next)),
            Err(_) => {}
        }
        done
    }

    /// Writes an event to the journal of the node only.
    pub(crate) fn record_locally(&self, at: &str, event: &NewEvent) {
        self.write_to_journald(at, std::slice::from_ref(event));
    }

    fn write_to_journald(&self, at: &str, events: &[NewEvent]) {
        if let Some(journald) = &self.journald {
            for event in events {
                write(journald, at, &self.node, event);
            }
        }
    }

    fn advance(&self, next: &mut u64, recorded: usize) {
        let before = *next;
        *next += recorded as u64;
        if (before..*next).any(|number| self.prunes_after(number)) {
            // What fails is done after a later event.
            drop(self.prune());
        }
    }

    /// Puts events; the first one has `number` in its key.
    fn txn(&self, at: &str, events: &[NewEvent], number: u64) -> Result<Txn, StoreError> {
        let mut txn = Txn::new();
        for (number, event) in (number..).zip(events) {
            let key = format!("{}{number:012}", self.keys(at));
            let document = EventDocument(event.event(at, &self.node));
            txn = txn.check(key.as_str(), 0).put_json(key, &document)?;
        }
        Ok(txn)
    }

    /// Prefix of the keys of this node's events of that time.
    fn keys(&self, at: &str) -> String {
        format!("{EVENTS}{at}/{}/", self.node)
    }

    /// The number after the last one that this node has used at that time.
    fn after_last(&self, at: &str) -> Result<u64, StoreError> {
        let keys = self.keys(at);
        let range = self.store.range(&keys)?;
        let last = range.entries.last();
        let last = last.and_then(|entry| entry.key.strip_prefix(&keys)?.parse::<u64>().ok());
        Ok(last.map_or(0, |last| last + 1))
    }

    /// Random, but the same for each call with one number.
    fn prunes_after(&self, number: u64) -> bool {
        let mut hasher = DefaultHasher::new();
        (&self.node, number).hash(&mut hasher);
        hasher.finish().is_multiple_of(PRUNE_INTERVAL)
    }

    /// Removes old events. Several nodes may do it at once.
    fn prune(&self) -> Result<(), StoreError> {
        let events = self.in_order()?;
        let kept = retention::kept(events.iter().map(|stored| &stored.value.0));
        let readable: BTreeSet<&str> = events.iter().map(|event| event.key.as_str()).collect();
        let old = events.iter().zip(kept).filter(|(_, kept)| !kept);
        let mut old: Vec<String> = old.map(|(event, _)| event.key.clone()).collect();
        let mut others = self.store.range(EVENTS)?.entries;
        others.retain(|entry| !readable.contains(entry.key.as_str()));
        others.sort_by_key(|entry| entry.mod_revision);
        let surplus = others.len().saturating_sub(MAX_UNREADABLE);
        old.extend(others.drain(..surplus).map(|entry| entry.key));
        let mut batch = Batch::new(&*self.store, Txn::new());
        for key in old {
            // Nothing is checked, so there is no conflict.
            batch.add(key.len(), |txn| Ok(txn.delete(key)))?;
        }
        batch.commit().map(drop)
    }

    /// All events, the oldest first.
    fn in_order(&self) -> Result<Vec<Stored<EventDocument>>, StoreError> {
        let events = self.store.range_json::<EventDocument>(EVENTS)?;
        self.unread.set(events.unreadable);
        let mut events = events.values;
        // Events of one revision stay in the order of their keys.
        events.sort_by_key(|event| event.mod_revision);
        Ok(events)
    }

    /// Events that the last reading could not parse.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        self.unread.get()
    }

    /// A value that changes with each event that any node records from now on.
    ///
    /// # Errors
    ///
    /// The store cannot be watched, or the kernel creates no thread.
    pub fn news(&self) -> Result<News, Problem> {
        self.notifier.subscribe(&*self.store)
    }

    /// Events of one node, or of all, after number `after`: the newest `limit` of them, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn since(
        &self,
        node: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Problem> {
        let events = self.in_order().map_err(failed)?;
        let mut place = 0;
        let mut before = 0;
        let events = events.into_iter().map(|stored| {
            place = match stored.mod_revision == before {
                true => place + 1,
                false => 0,
            };
            before = stored.mod_revision;
            Event {
                number: stored.mod_revision * NUMBERS_PER_REVISION + place,
                ..stored.value.0
            }
        });
        let events: Vec<Event> = events.collect();
        let kept = retention::kept(events.iter());
        let events = events.into_iter().zip(kept).filter(|(_, kept)| *kept);
        let events = events.map(|(event, _)| event);
        let matches =
            |event: &Event| event.number > after && node.is_none_or(|node| event.node == node);
        let mut events: Vec<Event> = events.filter(matches).collect();
        let surplus = events.len().saturating_sub(limit);
        events.drain(..surplus);
        Ok(events)
    }
}
