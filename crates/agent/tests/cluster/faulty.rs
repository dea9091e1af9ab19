//! A store that does to its user what a network and a failing server do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelnet_store::{Commit, Entry, Lease, LeaseId, Range, Store, StoreError, Txn, Watch};

/// What happens to the next commit.
pub enum Mishap {
    /// It does not arrive.
    Refused,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// Others act before it arrives.
    Late(Box<dyn FnOnce() + Send>),
    /// It is done, and whoever asked dies before the answer.
    Died(Box<dyn FnOnce() + Send>),
}

#[derive(Default)]
struct State {
    partitioned: bool,
    /// After so many commits that arrive.
    next: Option<(u32, Mishap)>,
}

/// The store as one node sees it.
pub struct Faulty {
    store: Arc<dyn Store>,
    state: Mutex<State>,
}

impl Faulty {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Faulty {
            store,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn partition(&self, partitioned: bool) {
        self.lock().partitioned = partitioned;
    }

    /// Lets `mishap` happen to a commit, after `later` others.
    pub fn next(&self, later: u32, mishap: Mishap) {
        self.lock().next = Some((later, mishap));
    }

    /// Nothing happens any more.
    pub fn heal(&self) {
        *self.lock() = State::default();
    }

    fn reach(&self) -> Result<(), StoreError> {
        match self.lock().partitioned {
            true => Err(cut_off()),
            false => Ok(()),
        }
    }

    fn mishap(&self) -> Option<Mishap> {
        let mut state = self.lock();
        let (later, mishap) = state.next.take()?;
        match later {
            0 => Some(mishap),
            later => {
                state.next = Some((later - 1, mishap));
                None
            }
        }
    }
}

fn cut_off() -> StoreError {
    StoreError::CutOff {
        store: "a store with faults".to_owned(),
        found: "it does not answer".to_owned(),
    }
}

impl Store for Faulty {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.reach()?;
        self.store.get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.reach()?;
        self.store.range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.reach()?;
        match self.mishap() {
            None => self.store.commit(txn),
            Some(Mishap::Refused) => Err(cut_off()),
            Some(Mishap::AnswerLost) => {
                let _ = self.store.commit(txn)?;
                Err(cut_off())
            }
            Some(Mishap::Late(others)) => {
                others();
                self.store.commit(txn)
            }
            Some(Mishap::Died(die)) => {
                let _ = self.store.commit(txn)?;
                die();
                Err(cut_off())
            }
        }
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.reach()?;
        self.store.watch(prefix, from)
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.reach()?;
        self.store.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.reach()?;
        self.store.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.reach()?;
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.reach()?;
        self.store.revoke(lease)
    }
}
