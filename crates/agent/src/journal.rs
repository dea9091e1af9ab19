//! What happened, kept in the store: the newest events of the cluster.

use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::{Event, EventKind};
use accelnet_model::{Code, Problem};
use accelnet_store::{Document, Json, Store, Txn};
use serde::{Deserialize, Serialize};

use crate::policy::store_failed;

/// Events that are kept.
const KEPT: u64 = 1000;
/// How often a number is taken anew because another node took it.
const TURNS: u32 = 32;
const EVENTS: &str = "events/";
/// Where the number of the newest event stands: nobody has to read them all to tell one more.
const NEWEST: &str = "newest-event";

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct EventDocument(Event);

impl Document for EventDocument {
    const KIND: &'static str = "an event";
    const FORMAT: u32 = 1;
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct NewestDocument(u64);

impl Document for NewestDocument {
    const KIND: &'static str = "the number of the newest event";
    const FORMAT: u32 = 1;
}

/// Something to be told, before it has a number.
#[derive(Debug, Clone)]
pub struct Word {
    /// What kind.
    pub kind: EventKind,
    /// What it is about.
    pub subject: String,
    /// What happened, a sentence.
    pub message: String,
    /// Who asked for it.
    pub who: Option<String>,
    /// Code, where something went wrong.
    pub code: Option<Code>,
}

/// The events of a cluster, told by one node.
#[derive(Clone)]
pub struct Journal {
    store: Arc<dyn Store>,
    node: String,
}

impl Journal {
    /// The events in `store`; those that are told here are of `node`.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        Journal {
            store,
            node: node.to_owned(),
        }
    }

    /// Tells of one thing. One that cannot be kept is lost: nothing waits for it.
    pub fn tell(&self, at: &str, word: Word) {
        for _ in 0..TURNS {
            let Ok((newest, revision)) = self.newest() else {
                return;
            };
            let number = newest + 1;
            let event = Event {
                number,
                at: at.to_owned(),
                node: self.node.clone(),
                kind: word.kind,
                subject: word.subject.clone(),
                message: word.message.clone(),
                who: word.who.clone(),
                code: word.code,
            };
            let txn = Txn::new().check(NEWEST, revision).check(key(number), 0);
            let txn = txn.put_json(key(number), &EventDocument(event));
            let Ok(mut txn) = txn.and_then(|txn| txn.put_json(NEWEST, &NewestDocument(number)))
            else {
                return;
            };
            if let Some(old) = number.checked_sub(KEPT) {
                txn = txn.delete(key(old));
            }
            match self.store.commit(&txn) {
                Ok(accelnet_store::Commit::Conflict { .. }) => {}
                Ok(accelnet_store::Commit::Done { .. }) | Err(_) => return,
            }
        }
    }

    /// The number of the newest event, and the revision of the key that says so.
    fn newest(&self) -> Result<(u64, u64), accelnet_store::StoreError> {
        if let Some(newest) = self.store.get_json::<NewestDocument>(NEWEST)? {
            return Ok((newest.value.0, newest.mod_revision));
        }
        let range = self.store.range(EVENTS)?;
        let last = range.entries.last();
        let number = last.and_then(|entry| entry.key.strip_prefix(EVENTS)?.parse().ok());
        Ok((number.unwrap_or(0), 0))
    }

    /// Waits until something is told anywhere, for no longer than `within`.
    pub fn wait(&self, within: Duration) {
        if let Ok(mut watch) = self.store.watch(EVENTS, 0) {
            // Whatever comes of it, the events are read again.
            drop(watch.next(within));
        }
    }

    /// Events after number `after`, the newest `limit` of them, oldest first.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn since(&self, after: u64, limit: usize) -> Result<Vec<Event>, Problem> {
        let all = self.store.range_json::<EventDocument>(EVENTS);
        let all = all.map_err(|error| store_failed(&error))?;
        let mut events: Vec<Event> = all
            .values
            .into_iter()
            .map(|stored| stored.value.0)
            .filter(|event| event.number > after)
            .collect();
        let surplus = events.len().saturating_sub(limit);
        events.drain(..surplus);
        Ok(events)
    }
}

fn key(number: u64) -> String {
    format!("{EVENTS}{number:020}")
}
