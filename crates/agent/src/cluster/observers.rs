//! Monitoring of all heartbeats by a few nodes, each with an observer slot.
//!
//! If every node watched every other, the store would send each change to all nodes. A slot is bound to the
//! lease of its node. When that lease ends, another node takes the slot, and reads first which nodes are silent.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_host::Clock;
use accelnet_model::Code;
use accelnet_store::{Change, LeaseId, Range, Store, StoreError, Stored, Txn, Unreadable};

use super::documents::{ALIVE, OBSERVERS, Observer};
use super::lease::{BEAT, LEASE, OwnLease};
use super::nodes::Nodes;
use crate::journal::{Journal, NewEvent};

/// Number of observer slots: two nodes may be down or cut off from the store.
pub const OBSERVER_SLOTS: usize = 3;
/// Over this time the nodes try to take a free slot, each at a moment of its own.
const SPREAD: Duration = Duration::from_secs(1);

/// The part of one node in the monitoring.
pub(crate) struct Observers {
    pub store: Arc<dyn Store>,
    pub node: String,
    pub clock: Arc<dyn Clock + Send + Sync>,
    /// The lease that a slot is bound to.
    pub lease: OwnLease,
}

/// The slots as one node finds them.
enum Found {
    /// It has one.
    Own,
    /// One is free: its key, and the revision at which it can be taken.
    Free(String, u64),
    /// All are taken.
    Taken,
}

impl Observers {
    /// Takes a free slot and monitors, until the store is closed or this node's heartbeats end. None if the
    /// caller should begin again after a pause.
    pub fn run(&self, within: Duration) -> Option<()> {
        let again = loop {
            let lease = match self.lease.get() {
                Some(Some(lease)) => lease,
                // A node without heartbeats does not monitor others.
                Some(None) => {
                    self.clock.sleep(BEAT);
                    continue;
                }
                None => return Some(()),
            };
            let slots = self.store.range(OBSERVERS).ok()?;
            let result = match self.found(&slots, lease).ok()? {
                Found::Own => self.observe(slots.revision, within),
                Found::Free(key, revision) => self.take(key, revision, lease),
                Found::Taken => self.wait_for_slot(slots.revision, within),
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

    fn found(&self, slots: &Range, lease: LeaseId) -> Result<Found, StoreError> {
        let mut left = None;
        for entry in &slots.entries {
            match Stored::<Observer>::read(entry) {
                Ok(observer) if observer.value.node == self.node => {}
                Ok(_) => continue,
                // The first node takes an unreadable slot, unless a later release has it.
                Err(error) => {
                    let why = Unreadable::of(entry, &error);
                    if !why.newer_format && self.is_slot(&entry.key) {
                        left = Some(Found::Free(entry.key.clone(), entry.mod_revision));
                    }
                    continue;
                }
            }
            if entry.lease == Some(lease) {
                return Ok(Found::Own);
            }
            // An earlier agent of this node took it: it would end with that agent's lease.
            left = Some(Found::Free(entry.key.clone(), entry.mod_revision));
        }
        if let Some(left) = left {
            return Ok(left);
        }
        let mut keys = (1..=OBSERVER_SLOTS).map(|slot| format!("{OBSERVERS}{slot}"));
        let free = keys.find(|key| !slots.entries.iter().any(|entry| entry.key == *key));
        Ok(free.map_or(Found::Taken, |key| Found::Free(key, 0)))
    }

    fn is_slot(&self, key: &str) -> bool {
        (1..=OBSERVER_SLOTS).any(|slot| format!("{OBSERVERS}{slot}") == key)
    }

    /// Takes a slot. If another node was faster, the next reading shows it.
    fn take(&self, key: String, revision: u64, lease: LeaseId) -> Result<(), StoreError> {
        let observer = Observer {
            node: self.node.clone(),
        };
        let txn = Txn::new().check(&key, revision);
        let txn = txn.put_json_leased(key, &observer, lease)?;
        self.store.commit(&txn).map(drop)
    }

    /// Waits until a slot is free, and then for this node's moment.
    fn wait_for_slot(&self, from: u64, within: Duration) -> Result<(), StoreError> {
        let mut watch = self.store.watch(OBSERVERS, from + 1)?;
        loop {
            let changes = watch.next(within)?;
            if let Some(gone) = changes.iter().find(|change| is_gone(change)) {
                self.clock.sleep(self.delay(gone.revision()));
                return Ok(());
            }
        }
    }

    /// How long this node leaves a slot that became free at `revision` to others.
    fn delay(&self, revision: u64) -> Duration {
        let mut hasher = DefaultHasher::new();
        (&self.node, revision).hash(&mut hasher);
        let [share, ..] = hasher.finish().to_le_bytes();
        SPREAD * u32::from(share) / u32::from(u8::MAX)
    }

    /// Records nodes whose heartbeats end, for as long as this node has its own: with its lease it loses its
    /// slot. A lease that ends while the store does not answer has no meaning: its node has the time of one
    /// lease to send a heartbeat.
    fn observe(&self, from: u64, within: Duration) -> Result<(), StoreError> {
        let nodes = Nodes::new(self.store.clone(), &self.node);
        let mut watch = self.store.watch(ALIVE, from + 1)?;
        let mut ended = BTreeSet::new();
        // Nodes that were silent before the watch began are read once.
        let mut read = false;
        loop {
            let unsure = !read || !ended.is_empty();
            if unsure && !self.store.was_silent_within(LEASE) {
                if !read {
                    ended.extend(nodes.unrecorded()?);
                    read = true;
                }
                for name in std::mem::take(&mut ended) {
                    self.record_down(&nodes, &name)?;
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

    /// What cannot be recorded is read again when the monitoring begins again.
    fn record_down(&self, nodes: &Nodes, name: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        if !nodes.record_down(name, &now)? {
            return Ok(());
        }
        let message = format!("Node {name} sends no heartbeats: it is down.");
        let event = NewEvent {
            code: Some(Code::NodeDown),
            ..NewEvent::of(EventKind::Failed, name, message)
        };
        Journal::new(self.store.clone(), &self.node).record(&now, event);
        Ok(())
    }
}

fn is_gone(change: &Change) -> bool {
    matches!(change, Change::Delete { .. })
}
