//! Whoever listens to the policy hears of what changed while it could not.

use std::sync::Mutex;
use std::sync::mpsc::Receiver;

use accelnet_store::{
    Change, Close, Commit, Embedded, Entry, History, Lease, LeaseId, Range, StoreError, Txn, Watch,
};

use super::*;

const LONG: Duration = Duration::from_secs(30);

/// A store whose first watch misses something when it is told to.
struct Breaking {
    store: Arc<dyn Store>,
    first: Mutex<Option<Receiver<()>>>,
}

struct Broken(Receiver<()>);

impl Watch for Broken {
    fn next(&mut self, _within: Duration) -> Result<Vec<Change>, StoreError> {
        let _ = self.0.recv();
        Err(StoreError::Compacted {
            asked: 1,
            oldest: 1,
        })
    }

    fn closer(&self) -> Arc<dyn Close> {
        unreachable!("nobody ends it")
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
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.store.revoke(lease)
    }
}

#[test]
fn what_changed_while_nobody_listened_is_read() {
    let embedded = Embedded::in_memory(History::default(), || Duration::ZERO);
    let store: Arc<dyn Store> = Arc::new(embedded.unwrap());
    let (breaks, until) = std::sync::mpsc::channel();
    let (inbox, messages) = inbox();
    let breaking = Breaking {
        store: store.clone(),
        first: Mutex::new(Some(until)),
    };
    listen_to_policy(&inbox, Arc::new(breaking), &vital::process());
    let next = || messages.next(LONG).unwrap();
    // What was decided before it began to listen.
    assert!(matches!(next(), Message::Policy(_)));
    // Of this the watch does not tell.
    let _ = store.commit(&Txn::new().put("policy/turn", "")).unwrap();
    breaks.send(()).unwrap();
    assert!(matches!(next(), Message::Policy(_)));
    // From then on each change is heard of.
    let _ = store.commit(&Txn::new().put("policy/turn", "1")).unwrap();
    assert!(matches!(next(), Message::Policy(_)));
}
