//! A store in memory that can be set back to what it was at an earlier revision, as from a backup.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_store::{
    Commit, Embedded, Entry, History, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

/// All changes that made it what it is, and what it is.
pub struct Replayed {
    state: Mutex<(Vec<Txn>, Arc<Embedded>)>,
}

fn empty() -> Arc<Embedded> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO);
    Arc::new(store.expect("a store"))
}

impl Replayed {
    pub fn new() -> Self {
        Replayed {
            state: Mutex::new((Vec::new(), empty())),
        }
    }

    fn now(&self) -> Arc<Embedded> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.clone()
    }

    /// How many changes it has.
    pub fn changes(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.len()
    }

    /// As it was after so many changes, with the revisions of then.
    pub fn set_back(&self, changes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (log, store) = &mut *state;
        log.truncate(changes);
        *store = empty();
        for txn in log {
            let done = store.commit(txn).expect("in memory");
            assert!(matches!(done, Commit::Done { .. }), "{done:?}");
        }
    }
}

impl Store for Replayed {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.now().get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.now().range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = state.1.commit(txn)?;
        if matches!(done, Commit::Done { .. }) {
            state.0.push(txn.clone());
        }
        Ok(done)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.now().watch(prefix, from)
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.now().compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.now().grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.now().keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.now().revoke(lease)
    }
}
