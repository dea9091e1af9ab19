//! For tests: a store that fails on request.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use accelnet_store::{
    Change, Close, Commit, Embedded, Entry, History, Lease, LeaseId, Range, Store, StoreError, Txn,
    Watch,
};

/// How its first watch fails.
pub(crate) enum Break {
    /// It misses changes.
    Miss,
    /// It panics.
    Panic,
}

/// A store whose first watch fails when `first` receives how, and whose leases may panic.
pub(crate) struct Breaking {
    pub store: Arc<dyn Store>,
    pub first: Mutex<Option<Receiver<Break>>>,
    pub leases_panic: bool,
}

impl Breaking {
    /// A store in memory that does not fail.
    pub fn new() -> Self {
        let embedded = Embedded::in_memory(History::default(), || Duration::ZERO);
        Breaking {
            store: Arc::new(embedded.unwrap()),
            first: Mutex::default(),
            leases_panic: false,
        }
    }
}

struct Broken(Receiver<Break>);

impl Watch for Broken {
    fn next(&mut self, _within: Duration) -> Result<Vec<Change>, StoreError> {
        match self.0.recv() {
            Ok(Break::Panic) => panic!("a defect"),
            Ok(Break::Miss) | Err(_) => Err(StoreError::Compacted {
                asked: 1,
                oldest: 1,
            }),
        }
    }

    fn closer(&self) -> Arc<dyn Close> {
        unreachable!("it is not closed in tests")
    }
}

impl Store for Breaking {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.store.get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.store.range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.store.commit(txn)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        match self.first.lock().unwrap().take() {
            Some(until) => Ok(Box::new(Broken(until))),
            None => self.store.watch(prefix, from),
        }
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.store.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.store.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        assert!(!self.leases_panic, "a defect");
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.revoke(lease)
    }
}
