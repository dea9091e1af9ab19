//! Signs of life: each agent holds a lease in the store, and a node whose lease ended is down.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_store::{LeaseId, Store, StoreError};

use super::nodes::Nodes;

/// How long a node counts as up after its last sign of life. An agent that starts anew, or a
/// leader of etcd that is elected, takes less.
pub const LEASE: Duration = Duration::from_secs(12);
/// How often a sign of life is given.
pub const BEAT: Duration = Duration::from_secs(4);

/// Keeps the lease of this node, until it is dropped.
pub(crate) struct Liveness {
    lease: OwnLease,
    _end: Sender<()>,
}

/// The lease of this node, as long as its [`Liveness`] lasts.
#[derive(Clone)]
pub(crate) struct OwnLease(Weak<Mutex<Option<LeaseId>>>);

impl OwnLease {
    /// None when the signs of life have ended for good; else the lease, if there is one now.
    pub fn get(&self) -> Option<Option<LeaseId>> {
        let lease = self.0.upgrade()?;
        let lease = lease.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*lease)
    }
}

impl Liveness {
    /// Joins, and gives signs of life from a thread of its own. What fails is tried again with
    /// the next beat.
    pub(crate) fn begin(
        store: Arc<dyn Store>,
        node: &str,
        clock: &dyn Clock,
    ) -> std::io::Result<Self> {
        let (end, ended) = channel();
        let mut beating = Beating {
            nodes: Nodes::new(store.clone(), node),
            store,
            since: clock.now(),
            lease: Arc::default(),
        };
        let lease = OwnLease(Arc::downgrade(&beating.lease));
        // Others see it before anything is asked of it. What cannot be told now is told with the
        // next beat.
        drop(beating.beat());
        thread::Builder::new()
            .name("alive".to_owned())
            .spawn(move || {
                while ended.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
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
}

impl Beating {
    fn beat(&mut self) -> Result<(), StoreError> {
        let known = *self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = known {
            match self.store.keep_alive(lease) {
                Err(StoreError::LeaseNotFound { .. }) => self.has(None),
                other => return other,
            }
        }
        let lease = self.store.grant(LEASE)?.id;
        self.nodes
            .rise(&self.since, env!("CARGO_PKG_VERSION"), lease)?;
        self.has(Some(lease));
        Ok(())
    }

    fn has(&self, lease: Option<LeaseId>) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }
}
