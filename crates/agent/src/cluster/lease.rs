//! The lease of a node's agent. A node whose lease ended is down.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use accelnet_store::LeaseId;

/// How long a node counts as up after its last heartbeat: longer than a restart of its agent, or an election
/// of etcd, takes.
pub const LEASE: Duration = Duration::from_secs(12);
/// The interval of heartbeats.
pub(crate) const BEAT: Duration = Duration::from_secs(4);

/// The lease of this node, for as long as its heartbeats last.
#[derive(Clone)]
pub(crate) struct OwnLease(Weak<Mutex<Option<LeaseId>>>);

impl OwnLease {
    /// The lease in `lease`, until that is dropped.
    pub(crate) fn of(lease: &Arc<Mutex<Option<LeaseId>>>) -> Self {
        OwnLease(Arc::downgrade(lease))
    }

    /// None after the last heartbeat; else the lease, if there is one now.
    pub fn get(&self) -> Option<Option<LeaseId>> {
        let lease = self.0.upgrade()?;
        let lease = lease.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*lease)
    }
}
