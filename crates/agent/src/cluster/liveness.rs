//! Heartbeats: each agent holds a lease in the store, and a node whose lease ended is down.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::outside::short;
use accelnet_store::{LeaseId, Store, StoreError, Watch};

use super::instance::Instance;
use super::link::Link;
use super::nodes::{Alive, Nodes, Risen};
use crate::vital::{End, Vital};

/// How long a node counts as up after its last heartbeat. An agent that starts anew, or a
/// leader of etcd that is elected, takes less.
pub const LEASE: Duration = Duration::from_secs(12);
/// How often a heartbeat is sent.
pub const BEAT: Duration = Duration::from_secs(4);
/// After how many heartbeats the keys are read although the watches reported no change.
const READ_AFTER: u32 = 15;

/// Keeps the lease of this node, until it is dropped.
pub(crate) struct Liveness {
    lease: OwnLease,
    _end: Sender<()>,
}

/// The lease of this node, as long as its [`Liveness`] lasts.
#[derive(Clone)]
pub(crate) struct OwnLease(Weak<Mutex<Option<LeaseId>>>);

impl OwnLease {
    /// A lease that a test holds.
    #[cfg(test)]
    pub(crate) fn held(lease: &Arc<Mutex<Option<LeaseId>>>) -> Self {
        OwnLease(Arc::downgrade(lease))
    }

    /// None when the heartbeats have ended for good; else the lease, if there is one now.
    pub fn get(&self) -> Option<Option<LeaseId>> {
        let lease = self.0.upgrade()?;
        let lease = lease.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*lease)
    }
}

impl Liveness {
    /// Joins, and sends heartbeats from a thread of its own. What fails is tried again with
    /// the next beat.
    pub(crate) fn begin(
        store: Arc<dyn Store>,
        node: &str,
        clock: &dyn Clock,
        link: Option<Arc<Link>>,
        end: &End,
    ) -> std::io::Result<Self> {
        Liveness::begin_every(BEAT, store, node, clock, link, end)
    }

    /// The same with heartbeats so often.
    fn begin_every(
        beat: Duration,
        store: Arc<dyn Store>,
        node: &str,
        clock: &dyn Clock,
        link: Option<Arc<Link>>,
        end: &End,
    ) -> std::io::Result<Self> {
        let vital = Vital::new(end);
        let (end, ended) = channel();
        let mut beating = Beating {
            nodes: Nodes::new(store.clone(), node),
            store,
            since: clock.now(),
            lease: Arc::default(),
            instance: Instance::begin()?,
            link,
            watches: Vec::new(),
            unread: 0,
        };
        let lease = OwnLease(Arc::downgrade(&beating.lease));
        // Others see it before anything is asked of it. What cannot be told now is told with the
        // next beat.
        drop(beating.beat());
        thread::Builder::new()
            .name("alive".to_owned())
            .spawn(move || {
                let _vital = vital;
                while ended.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                    drop(beating.beat());
                }
            })?;
        Ok(Liveness { lease, _end: end })
    }

    /// The lease that it keeps.
    pub(crate) fn lease(&self) -> OwnLease {
        self.lease.clone()
    }
}

struct Beating {
    nodes: Nodes,
    store: Arc<dyn Store>,
    since: String,
    lease: Arc<Mutex<Option<LeaseId>>>,
    instance: Instance,
    link: Option<Arc<Link>>,
    /// Of this node's keys.
    watches: Vec<Box<dyn Watch>>,
    /// Heartbeats since the keys were read.
    unread: u32,
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.instance.end();
    }
}

impl Beating {
    fn beat(&mut self) -> Result<(), StoreError> {
        let known = *self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = None;
        if let Some(lease) = known {
            match self.store.keep_alive(lease) {
                Err(StoreError::LeaseNotFound { .. }) => self.has(None),
                Err(error) => return Err(error),
                Ok(()) if self.is_unchanged() => return Ok(()),
                // Another client may have removed a key, or written over it.
                Ok(()) if self.is_there(lease)? => return Ok(()),
                Ok(()) => kept = Some(lease),
            }
        }
        let lease = match kept {
            Some(lease) => lease,
            None => self.store.grant(LEASE)?.id,
        };
        let version = env!("CARGO_PKG_VERSION");
        let risen = self.nodes.rise(&self.since, version, lease, &self.instance);
        match risen {
            Ok(Risen::Yes) => {
                self.has(Some(lease));
                self.is_taken(None);
                Ok(())
            }
            other => {
                self.has(None);
                // Nothing is tied to it.
                drop(self.store.revoke(lease));
                if let Risen::Taken(alive) = other? {
                    self.is_taken(Some(&alive));
                }
                Ok(())
            }
        }
    }

    /// Whether the keys are as they were read last, as far as the watches report: reads at each heartbeat
    /// would double what an idle agent exchanges with etcd.
    fn is_unchanged(&mut self) -> bool {
        let keys = self.nodes.own_keys();
        let quiet = |watch: &mut Box<dyn Watch>| Some(watch.next(Duration::ZERO).ok()?.is_empty());
        let seen: Option<Vec<bool>> = self.watches.iter_mut().map(quiet).collect();
        let seen = seen.filter(|seen| seen.len() == keys.len());
        self.unread += 1;
        if self.unread < READ_AFTER
            && seen
                .as_ref()
                .is_some_and(|seen| seen.iter().all(|quiet| *quiet))
        {
            return true;
        }
        if seen.is_none() {
            // Before the read, so that no change falls between the two.
            let watches = keys.iter().map(|key| self.store.watch(key, 0));
            self.watches = watches.collect::<Result<_, _>>().unwrap_or_default();
        }
        self.unread = READ_AFTER;
        false
    }

    /// Whether the sign is there as it was given, and the node is a member still.
    fn is_there(&mut self, lease: LeaseId) -> Result<bool, StoreError> {
        let is_there = self.nodes.is_risen(&self.instance, lease)? && self.nodes.is_member()?;
        if is_there {
            self.unread = 0;
        }
        Ok(is_there)
    }

    /// Another live agent has this node's name, or none has.
    fn is_taken(&self, by: Option<&Alive>) {
        let Some(link) = &self.link else { return };
        let found = by.map(|alive| {
            let place = alive.instance.as_ref().map(Instance::place);
            let place = place.unwrap_or_else(|| "another machine".to_owned());
            format!(
                "the other agent runs on {place}, and has had the name since {}",
                short(&alive.since, 40)
            )
        });
        link.is_taken(self.nodes.name(), found);
    }

    fn has(&self, lease: Option<LeaseId>) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }
}

#[cfg(test)]
mod tests;
