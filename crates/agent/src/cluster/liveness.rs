//! The heartbeats of this node: its agent holds a lease in the store and renews it.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::outside::short;
use accelnet_store::{LeaseId, Store, StoreError, Watch};

use super::documents::Alive;
use super::instance::Instance;
use super::lease::{LEASE, OwnLease};
use super::link::Link;
use super::nodes::{Nodes, Renewal};
use crate::vital::{End, Vital};

/// After how many heartbeats the keys are read although the watches reported no change.
const READ_AFTER: u32 = 15;

/// Renews the lease of this node until it is dropped.
pub(crate) struct Liveness {
    lease: OwnLease,
    _end: Sender<()>,
}

impl Liveness {
    /// Joins the cluster, and sends a heartbeat each `beat` from a thread of its own. A failure is repeated with
    /// the next one.
    pub(crate) fn begin(
        beat: Duration,
        store: Arc<dyn Store>,
        node: &str,
        clock: &dyn Clock,
        link: Option<Arc<Link>>,
        end: &End,
    ) -> std::io::Result<Self> {
        let vital = Vital::new(end);
        let (end, ended) = channel();
        let mut heartbeats = Heartbeats {
            nodes: Nodes::new(store.clone(), node),
            store,
            since: clock.now(),
            lease: Arc::default(),
            instance: Instance::begin()?,
            link,
            watches: Vec::new(),
            unread: 0,
        };
        let lease = OwnLease::of(&heartbeats.lease);
        // The node is up before its agent answers. A failure is repeated with the next heartbeat.
        drop(heartbeats.send());
        thread::Builder::new()
            .name("alive".to_owned())
            .spawn(move || {
                let _vital = vital;
                while ended.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                    drop(heartbeats.send());
                }
            })?;
        Ok(Liveness { lease, _end: end })
    }

    /// The lease that it renews.
    pub(crate) fn lease(&self) -> OwnLease {
        self.lease.clone()
    }
}

struct Heartbeats {
    nodes: Nodes,
    store: Arc<dyn Store>,
    since: String,
    lease: Arc<Mutex<Option<LeaseId>>>,
    instance: Instance,
    link: Option<Arc<Link>>,
    /// Watches of this node's keys.
    watches: Vec<Box<dyn Watch>>,
    /// Heartbeats since the keys were read.
    unread: u32,
}

impl Drop for Heartbeats {
    fn drop(&mut self) {
        self.instance.end();
    }
}

impl Heartbeats {
    fn send(&mut self) -> Result<(), StoreError> {
        let known = *self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = None;
        if let Some(lease) = known {
            match self.store.keep_alive(lease) {
                Err(StoreError::LeaseNotFound { .. }) => self.set_lease(None),
                Err(error) => return Err(error),
                Ok(()) if self.is_unchanged() => return Ok(()),
                // Another client may have removed a key, or written over it.
                Ok(()) if self.is_stored(lease)? => return Ok(()),
                Ok(()) => kept = Some(lease),
            }
        }
        let lease = match kept {
            Some(lease) => lease,
            None => self.store.grant(LEASE)?.id,
        };
        let version = env!("CARGO_PKG_VERSION");
        let renewed = self
            .nodes
            .renew(&self.since, version, lease, &self.instance);
        match renewed {
            Ok(Renewal::Done) => {
                self.set_lease(Some(lease));
                self.set_name_taken(None);
                Ok(())
            }
            other => {
                self.set_lease(None);
                // No key is bound to it.
                drop(self.store.revoke(lease));
                if let Renewal::NameTaken(alive) = other? {
                    self.set_name_taken(Some(&alive));
                }
                Ok(())
            }
        }
    }

    /// Whether the watches report no change of the keys: to read them at each heartbeat would double the
    /// traffic of an idle agent with etcd.
    fn is_unchanged(&mut self) -> bool {
        let keys = self.nodes.own_keys();
        let quiet = |watch: &mut Box<dyn Watch>| Some(watch.next(Duration::ZERO).ok()?.is_empty());
        let unchanged: Option<Vec<bool>> = self.watches.iter_mut().map(quiet).collect();
        let unchanged = unchanged.filter(|watches| watches.len() == keys.len());
        self.unread += 1;
        let all_quiet = |watches: &Vec<bool>| watches.iter().all(|quiet| *quiet);
        if self.unread < READ_AFTER && unchanged.as_ref().is_some_and(all_quiet) {
            return true;
        }
        if unchanged.is_none() {
            // Before the read, so that no change falls between the two.
            let watches = keys.iter().map(|key| self.store.watch(key, 0));
            self.watches = watches.collect::<Result<_, _>>().unwrap_or_default();
        }
        self.unread = READ_AFTER;
        false
    }

    /// Whether the store has the heartbeat as it was sent, and the membership.
    fn is_stored(&mut self, lease: LeaseId) -> Result<bool, StoreError> {
        let nodes = &self.nodes;
        let is_stored = nodes.has_heartbeat(&self.instance, lease)? && nodes.is_member()?;
        if is_stored {
            self.unread = 0;
        }
        Ok(is_stored)
    }

    /// Reports the other live agent that has this node's name; none if there is none.
    fn set_name_taken(&self, by: Option<&Alive>) {
        let Some(link) = &self.link else { return };
        let found = by.map(|alive| {
            let place = alive.instance.as_ref().map(Instance::place);
            let place = place.unwrap_or_else(|| "another machine".to_owned());
            format!(
                "the other agent runs on {place}, and has had the name since {}",
                short(&alive.since, 40)
            )
        });
        link.set_name_taken(self.nodes.name(), found);
    }

    fn set_lease(&self, lease: Option<LeaseId>) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }
}

#[cfg(test)]
mod tests;
