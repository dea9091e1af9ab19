//! A node's way to the store, which can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accelnet_store::{
    Change, Close, Commit, Entry, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

/// The store as one node reaches it.
pub struct Wire {
    store: Arc<dyn Store>,
    cut: Arc<AtomicBool>,
}

impl Wire {
    /// A way to `store`, which `cut` cuts.
    pub fn to(store: Arc<dyn Store>, cut: Arc<AtomicBool>) -> Self {
        Wire { store, cut }
    }

    fn reach(&self) -> Result<&dyn Store, StoreError> {
        match self.cut.load(Ordering::Acquire) {
            true => Err(cut_off()),
            false => Ok(&*self.store),
        }
    }
}

fn cut_off() -> StoreError {
    StoreError::CutOff {
        store: "the store".to_owned(),
        found: "it does not answer".to_owned(),
    }
}

impl Store for Wire {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.reach()?.get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.reach()?.range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.reach()?.commit(txn)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        Ok(Box::new(Wired {
            watch: self.reach()?.watch(prefix, from)?,
            cut: self.cut.clone(),
        }))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.reach()?.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.reach()?.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.reach()?.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.reach()?.revoke(lease)
    }
}

/// A watch over that way; what comes while it is cut is compacted away.
struct Wired {
    watch: Box<dyn Watch>,
    cut: Arc<AtomicBool>,
}

impl Watch for Wired {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let changes = self.watch.next(within)?;
        match self.cut.load(Ordering::Acquire) {
            true => Err(cut_off()),
            false => Ok(changes),
        }
    }

    fn closer(&self) -> Arc<dyn Close> {
        self.watch.closer()
    }
}
