//! Unreadable values of keys that are read rarely.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_store::{Store, Unreadable};

use crate::check::judge;
use crate::cluster::documents::{CLUSTER, MIGRATION, OBSERVERS};
use crate::orders::orders_of;
use crate::reports::parts::of_node;

/// How long a reading is shown before the keys are read again.
const INTERVAL: Duration = Duration::from_secs(2);

/// Keys that an agent reads once or never: those of the cluster itself, and this node's own values.
pub(crate) struct RarelyRead {
    store: Arc<dyn Store>,
    prefixes: [String; 8],
    clock: Arc<dyn Clock + Send + Sync>,
    found: Mutex<Option<(Duration, Vec<Unreadable>)>>,
}

impl RarelyRead {
    /// The keys for the node called `node`.
    pub fn new(store: Arc<dyn Store>, node: &str, clock: Arc<dyn Clock + Send + Sync>) -> Self {
        RarelyRead {
            store,
            prefixes: [
                format!("nodes/{node}/bound/"),
                format!("nodes/{node}/disruption/"),
                format!("nodes/{node}/request"),
                orders_of(node),
                of_node(node),
                OBSERVERS.to_owned(),
                CLUSTER.to_owned(),
                MIGRATION.to_owned(),
            ],
            clock,
            found: Mutex::default(),
        }
    }

    /// Their values that cannot be read, as of a few seconds ago at most.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        let now = self.clock.uptime();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = &*found
            && now.saturating_sub(*at) < INTERVAL
        {
            return found.clone();
        }
        let read = self
            .prefixes
            .iter()
            .filter_map(|prefix| self.store.range(prefix).ok());
        let all: Vec<Unreadable> = read
            .flat_map(|range| range.entries)
            .filter_map(|entry| judge(&entry))
            .collect();
        *found = Some((now, all.clone()));
        all
    }
}
