//! What readers are answered from, without waiting for a change.

use std::sync::{Arc, PoisonError, RwLock};

use crate::observed::Snapshot;
use crate::reports::Report;

/// The newest state of this node.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub snapshot: Arc<Snapshot>,
    pub report: Report,
    /// Revision of the policy that was applied.
    pub applied_revision: u64,
    /// Whether the node is simulated.
    pub simulated: bool,
}

/// Where the newest state is published. Clones are the same.
#[derive(Clone)]
pub(crate) struct Publication(Arc<RwLock<Arc<Published>>>);

impl Publication {
    pub fn new(first: Published) -> Self {
        Publication(Arc::new(RwLock::new(Arc::new(first))))
    }

    /// The newest state.
    pub fn newest(&self) -> Arc<Published> {
        let newest = self.0.read();
        newest.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes a newer state.
    pub fn publish(&self, newer: Published) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newer);
    }
}
