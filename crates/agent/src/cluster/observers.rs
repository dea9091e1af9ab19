//! Who looks after the heartbeats of all: a few nodes, each in a place of its own.
//!
//! If every node heard of every other, a cluster of n nodes would be told n times of each, and most
//! when it has least time for it. A place goes with the lease of its node. When that ends, another
//! node takes it, and looks up first who is silent.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_host::Clock;
use accelnet_model::Code;
use accelnet_store::{
    Change, Document, LeaseId, Range, Store, StoreError, Stored, Txn, Unreadable,
};
use serde::{Deserialize, Serialize};

use super::liveness::{BEAT, LEASE, OwnLease};
use super::nodes::{ALIVE, Nodes};
use crate::journal::{Journal, Word};

pub(crate) const OBSERVERS: &str = "observers/";
/// How many places there are: one, and two for when its node is gone or does not see the store.
pub const PLACES: usize = 3;
/// Over this time the nodes try for a place that has become free, each at a moment of its own.
const SPREAD: Duration = Duration::from_secs(1);

/// Who has a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Observer {
    node: String,
}

impl Document for Observer {
    const KIND: &'static str = "an observer of the nodes";
    const FORMAT: u32 = 1;
}

/// What one node does about the others.
pub(crate) struct Observing {
    pub store: Arc<dyn Store>,
    pub node: String,
    pub clock: Arc<dyn Clock + Send + Sync>,
    /// What a place goes with.
    pub lease: OwnLease,
}

/// What a node finds of the places.
enum Found {
    /// It has one.
    Own,
    /// There is one to be had: its key, and the revision at which it can be taken.
    Free(String, u64),
    /// All are taken.
    Taken,
}

impl Observing {
    /// Takes a place when one is free, and does its work, until the store is closed or this
    /// node's heartbeats end for good. None when this has to begin anew, after a while.
    pub fn go_on(&self, within: Duration) -> Option<()> {
        let again = loop {
            let lease = match self.lease.get() {
                Some(Some(lease)) => lease,
                // A node that sends no heartbeats does not judge those of others.
                Some(None) => {
                    self.clock.sleep(BEAT);
                    continue;
                }
                None => return Some(()),
            };
            let places = self.store.range(OBSERVERS).ok()?;
            let result = match self.found(&places, lease).ok()? {
                Found::Own => self.observe(places.revision, within),
                Found::Free(key, revision) => self.take(key, revision, lease),
                Found::Taken => self.wait_for_place(places.revision, within),
            };
            match result {
                Ok(()) | Err(StoreError::Compacted { .. }) => {}
                // A lease that has just ended: the next heartbeat has another.
                Err(StoreError::LeaseNotFound { .. }) => self.clock.sleep(BEAT),
                Err(error) => break error,
            }
        };
        matches!(again, StoreError::Closed).then_some(())
    }

    fn found(&self, places: &Range, lease: LeaseId) -> Result<Found, StoreError> {
        let mut left = None;
        for entry in &places.entries {
            match Stored::<Observer>::read(entry) {
                Ok(observer) if observer.value.node == self.node => {}
                Ok(_) => continue,
                // Nobody's: whoever comes first takes the place, unless a later release has it.
                Err(error) => {
                    let why = Unreadable::of(entry, &error);
                    if !why.newer_format && self.is_place(&entry.key) {
                        left = Some(Found::Free(entry.key.clone(), entry.mod_revision));
                    }
                    continue;
                }
            }
            if entry.lease == Some(lease) {
                return Ok(Found::Own);
            }
            // Of an agent before this one: it would end with that one's lease.
            left = Some(Found::Free(entry.key.clone(), entry.mod_revision));
        }
        if let Some(left) = left {
            return Ok(left);
        }
        let mut keys = (1..=PLACES).map(|place| format!("{OBSERVERS}{place}"));
        let free = keys.find(|key| !places.entries.iter().any(|entry| entry.key == *key));
        Ok(free.map_or(Found::Taken, |key| Found::Free(key, 0)))
    }

    fn is_place(&self, key: &str) -> bool {
        (1..=PLACES).any(|place| format!("{OBSERVERS}{place}") == key)
    }

    /// Takes a place, unless another was faster: then the next look tells.
    fn take(&self, key: String, revision: u64, lease: LeaseId) -> Result<(), StoreError> {
        let observer = Observer {
            node: self.node.clone(),
        };
        let txn = Txn::new().check(&key, revision);
        let txn = txn.put_json_leased(key, &observer, lease)?;
        self.store.commit(&txn).map(drop)
    }

    /// Waits until a place has become free, and then for this node's turn to try for it.
    fn wait_for_place(&self, from: u64, within: Duration) -> Result<(), StoreError> {
        let mut watch = self.store.watch(OBSERVERS, from + 1)?;
        loop {
            let changes = watch.next(within)?;
            if let Some(gone) = changes.iter().find(|change| is_gone(change)) {
                self.clock.sleep(self.turn(gone.revision()));
                return Ok(());
            }
        }
    }

    /// How long this node leaves a place that became free at `revision` to others.
    fn turn(&self, revision: u64) -> Duration {
        let mut hasher = DefaultHasher::new();
        (&self.node, revision).hash(&mut hasher);
        let [share, ..] = hasher.finish().to_le_bytes();
        SPREAD * u32::from(share) / u32::from(u8::MAX)
    }

    /// Listens for nodes that send no more heartbeats, and writes them down, for as long as this
    /// one gives its own: with its lease it loses its place. Leases that end while the store is silent
    /// say nothing: their nodes have the time of a lease to give a sign again.
    fn observe(&self, from: u64, within: Duration) -> Result<(), StoreError> {
        let nodes = Nodes::new(self.store.clone(), &self.node);
        let mut watch = self.store.watch(ALIVE, from + 1)?;
        let mut ended = BTreeSet::new();
        // Who was silent before this began is looked up, once.
        let mut looked = false;
        loop {
            let unsure = !looked || !ended.is_empty();
            if unsure && !self.store.was_silent_within(LEASE) {
                if !looked {
                    ended.extend(nodes.unwritten()?);
                    looked = true;
                }
                for name in std::mem::take(&mut ended) {
                    self.write_down(&nodes, &name)?;
                }
                continue;
            }
            for change in watch.next(if unsure { BEAT } else { within })? {
                match change.key().strip_prefix(ALIVE) {
                    Some(own) if own == self.node => return Ok(()),
                    Some(name) if is_gone(&change) => drop(ended.insert(name.to_owned())),
                    Some(name) => drop(ended.remove(name)),
                    None => {}
                }
            }
        }
    }

    /// What cannot be written is looked up again when this begins anew.
    fn write_down(&self, nodes: &Nodes, name: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !nodes.write_down(name, &now)? {
            return Ok(());
        }
        let message = format!("Node {name} sends no heartbeats: it is down.");
        let word = Word {
            code: Some(Code::NodeDown),
            ..Word::of(EventKind::Failed, name, message)
        };
        Journal::new(self.store.clone(), &self.node).tell(&now, word);
        Ok(())
    }
}

fn is_gone(change: &Change) -> bool {
    matches!(change, Change::Delete { .. })
}
