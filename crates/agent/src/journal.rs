//! What happened, kept in the store: the newest events of the cluster.
//!
//! Each event has a key of its own, named for its time and its node: nodes that tell at the same moment
//! never wait for each other, were they a thousand. The store's revision puts them in order. Each is written
//! to the journal of the node, too ([`crate::journald`]).

mod kept;
mod word;

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

use crate::bell::Bell;
use crate::journald::Journald;
use crate::policy::store_failed;
use crate::unread::Unread;

pub use kept::MOST;
pub(crate) use word::short_outcome;
pub use word::{MOST_OUTCOMES, Word};

/// How often a key is taken anew because another journal of this node took it.
const TURNS: u32 = 4;
/// One in so many events is followed by forgetting what is too old, which reads them all.
const FORGETS: u64 = 64;
/// Events of one revision have numbers of their own, as many as go at once and more.
const PLACES: u64 = 1024;
const EVENTS: &str = "events/";
/// Events that cannot be read that are kept: for whoever looks what they are.
const UNREADABLE: usize = 100;
/// Requests that this process has recorded.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Writes something to the journal of the node called `node`, without a store.
pub fn write(journald: &Journald, at: &str, node: &str, word: &Word) {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    let request = format!("{at}/{node}/{}/{number}", std::process::id());
    journald.write(word.records(node, &request));
}

/// As it is kept: its number is that of its revision, known when it is read.
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

/// The events of a cluster, told by one node.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    node: String,
    /// How many events were told here, or by another journal of this node in the same second.
    told: Arc<Mutex<u64>>,
    bell: Bell,
    unread: Unread,
    journald: Option<Journald>,
}

impl Journal {
    /// The events in `store`; those that are told here are of `node`.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        Journal {
            store,
            node: node.to_owned(),
            told: Arc::default(),
            bell: Bell::new(EVENTS),
            unread: Unread::default(),
            journald: None,
        }
    }

    /// Written to the journal of the node, too, if there is one.
    #[must_use]
    pub fn with_journald(mut self, journald: Option<Journald>) -> Self {
        self.journald = journald;
        self
    }

    /// Tells of one thing. One that cannot be kept is lost: nothing waits for it.
    pub fn tell(&self, at: &str, word: Word) {
        self.tell_all(at, &[word]);
    }

    /// Tells of several, in this order.
    pub fn tell_all(&self, at: &str, words: &[Word]) {
        self.write_to_journald(at, words);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for some in words.chunks(MAX_OPS) {
            for _ in 0..TURNS {
                let txn = self.txn(at, some, *told);
                match txn.and_then(|txn| self.store.commit(&txn)) {
                    Ok(Commit::Done { .. }) => {
                        self.has_told(&mut told, some.len());
                        break;
                    }
                    Ok(Commit::Conflict { .. }) => match self.after_last(at) {
                        Ok(number) => *told = number.max(*told + 1),
                        Err(_) => return,
                    },
                    Err(_) => return,
                }
            }
        }
    }

    /// Tells of some together with another change of the store, which `change` makes with the transaction
    /// that it is given. Whether it was made; if not, nothing was told, and it can be tried again.
    ///
    /// # Errors
    ///
    /// Those of `change`.
    pub fn tell_with(
        &self,
        at: &str,
        words: &[Word],
        change: impl FnOnce(Txn) -> Result<bool, Problem>,
    ) -> Result<bool, Problem> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let txn = self.txn(at, words, *told);
        let done = txn.map_err(|error| store_failed(&error)).and_then(change);
        if !matches!(done, Ok(false)) {
            // Whatever becomes of the store: the node was changed.
            self.write_to_journald(at, words);
        }
        match done {
            Ok(true) => self.has_told(&mut told, words.len()),
            // Another journal of this node may have taken the key.
            Ok(false) => *told = self.after_last(at).map_or(*told, |after| after.max(*told)),
            Err(_) => {}
        }
        done
    }

    /// Writes something to the journal of the node only.
    pub fn note(&self, at: &str, word: &Word) {
        self.write_to_journald(at, std::slice::from_ref(word));
    }

    fn write_to_journald(&self, at: &str, words: &[Word]) {
        if let Some(journald) = &self.journald {
            for word in words {
                write(journald, at, &self.node, word);
            }
        }
    }

    /// So many were told.
    fn has_told(&self, told: &mut u64, words: usize) {
        let before = *told;
        *told += words as u64;
        if (before..*told).any(|number| self.forgets_after(number)) {
            // Whoever tells next forgets it, too.
            drop(self.forget());
        }
    }

    /// Some, from number `first` of this node on.
    fn txn(&self, at: &str, words: &[Word], first: u64) -> Result<Txn, StoreError> {
        let mut txn = Txn::new();
        for (number, word) in (first..).zip(words) {
            let event = word.event(at, &self.node);
            let key = format!("{}{number:012}", self.keys(at));
            txn = txn
                .check(key.as_str(), 0)
                .put_json(key, &EventDocument(event))?;
        }
        Ok(txn)
    }

    /// What the keys of the events of this node at that time begin with.
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

    /// Whether old events are forgotten after that one: by chance, but the same each time.
    fn forgets_after(&self, number: u64) -> bool {
        let mut hasher = DefaultHasher::new();
        (&self.node, number).hash(&mut hasher);
        hasher.finish().is_multiple_of(FORGETS)
    }

    /// Deletes what is too old. Several nodes may do it at once.
    fn forget(&self) -> Result<(), StoreError> {
        let events = self.in_order()?;
        let kept = kept::kept(events.iter().map(|stored| &stored.value.0));
        let readable: BTreeSet<&str> = events.iter().map(|event| event.key.as_str()).collect();
        let old = events.iter().zip(kept).filter(|(_, kept)| !kept);
        let mut old: Vec<String> = old.map(|(event, _)| event.key.clone()).collect();
        // What cannot be read grows old, too.
        let mut others = self.store.range(EVENTS)?.entries;
        others.retain(|entry| !readable.contains(entry.key.as_str()));
        others.sort_by_key(|entry| entry.mod_revision);
        let surplus = others.len().saturating_sub(UNREADABLE);
        old.extend(others.drain(..surplus).map(|entry| entry.key));
        for some in old.chunks(MAX_OPS) {
            let keys = some.iter().map(String::as_str);
            let txn = keys.fold(Txn::new(), |txn, key| txn.delete(key));
            // Nothing is checked, so there is no conflict.
            drop(self.store.commit(&txn)?);
        }
        Ok(())
    }

    /// All that are there, the oldest first.
    fn in_order(&self) -> Result<Vec<Stored<EventDocument>>, StoreError> {
        let events = self.store.range_json::<EventDocument>(EVENTS)?;
        self.unread.set(events.unreadable);
        let mut events = events.values;
        // Of one revision, they stay in the order of their keys.
        events.sort_by_key(|event| event.mod_revision);
        Ok(events)
    }

    /// Events that could not be read the last time.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        self.unread.get()
    }

    /// What changes with each event that is told anywhere from now on.
    ///
    /// # Errors
    ///
    /// The store cannot be watched, or no thread is to be had.
    pub fn news(&self) -> Result<News, Problem> {
        self.bell.hear(&*self.store)
    }

    /// Events after number `after`, the newest `limit` of them, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn since(&self, after: u64, limit: usize) -> Result<Vec<Event>, Problem> {
        self.since_of(None, after, limit)
    }

    /// The same of one node, or of all.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn since_of(
        &self,
        node: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Problem> {
        let events = self.in_order().map_err(|error| store_failed(&error))?;
        let mut place = 0;
        let mut before = 0;
        let events = events.into_iter().map(|stored| {
            place = match stored.mod_revision == before {
                true => place + 1,
                false => 0,
            };
            before = stored.mod_revision;
            Event {
                number: stored.mod_revision * PLACES + place,
                ..stored.value.0
            }
        });
        let events: Vec<Event> = events.collect();
        let kept = kept::kept(events.iter());
        let events = events.into_iter().zip(kept).filter(|(_, kept)| *kept);
        let events = events.map(|(event, _)| event);
        let is_etcd =
            |event: &Event| event.number > after && node.is_none_or(|node| event.node == node);
        let mut events: Vec<Event> = events.filter(is_etcd).collect();
        let surplus = events.len().saturating_sub(limit);
        events.drain(..surplus);
        Ok(events)
    }
}
