//! What happened, kept in the store: the newest events of the cluster.

use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::{Event, EventKind, Origin};
use accelnet_model::{Code, Problem};
use accelnet_store::{Document, Json, Store, Txn};
use serde::{Deserialize, Serialize};

use crate::policy::store_failed;

/// Events that are kept.
const KEPT: u64 = 1000;
const EVENTS: &str = "events/";

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct EventDocument(Event);

impl Document for EventDocument {
    const KIND: &'static str = "an event";
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
    /// From where.
    pub from: Option<Origin>,
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
        for _ in 0..8 {
            let Ok(newest) = self.newest() else { return };
            let number = newest + 1;
            let event = Event {
                number,
                at: at.to_owned(),
                node: self.node.clone(),
                kind: word.kind,
                subject: word.subject.clone(),
                message: word.message.clone(),
                who: word.who.clone(),
                from: word.from.clone(),
                code: word.code,
            };
            let txn = Txn::new().check(key(number), 0);
            let Ok(mut txn) = txn.put_json(key(number), &EventDocument(event)) else {
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

    fn newest(&self) -> Result<u64, accelnet_store::StoreError> {
        let range = self.store.range(EVENTS)?;
        let last = range.entries.last();
        let number = last.and_then(|entry| entry.key.strip_prefix(EVENTS)?.parse().ok());
        Ok(number.unwrap_or(0))
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
