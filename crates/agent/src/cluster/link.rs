//! The way to the store: whether it answers, and what was read last while it does not.
//!
//! A node that is cut off goes on showing what it read last, and says since when; it changes
//! nothing, since nothing can be decided.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_store::{
    Change, Close, Commit, Entry, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

use super::remembered::Remembered;
use crate::policy::POLICY;

/// Since when a node is cut off, and what it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// RFC 3339, UTC.
    pub since: String,
    /// What was met, a fragment.
    pub found: String,
}

type Returned = Box<dyn Fn(CutOff) + Send + Sync>;

/// What was seen of the store.
#[derive(Default)]
struct Seen {
    cut_off: Option<CutOff>,
    /// By the clock's uptime: when it answered again after it had not.
    back: Option<Duration>,
}

/// Whether the store answers.
pub struct Link {
    seen: Mutex<Seen>,
    returned: OnceLock<Returned>,
    clock: Arc<dyn Clock + Send + Sync>,
}

impl Link {
    fn new(clock: Arc<dyn Clock + Send + Sync>) -> Self {
        Link {
            seen: Mutex::default(),
            returned: OnceLock::new(),
            clock,
        }
    }

    /// None while the store answers.
    pub fn cut_off(&self) -> Option<CutOff> {
        self.lock().cut_off.clone()
    }

    /// Whether the store did not answer at some moment of the last `time`.
    fn was_silent_within(&self, time: Duration) -> bool {
        let seen = self.lock();
        let ago = |back| self.clock.uptime().saturating_sub(back);
        seen.cut_off.is_some() || seen.back.is_some_and(|back| ago(back) < time)
    }

    /// What is called when the store answers again. The first one counts.
    pub fn when_back(&self, returned: Returned) {
        drop(self.returned.set(returned));
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T>(&self, result: &Result<T, StoreError>) {
        let mut seen = self.lock();
        if let Err(StoreError::CutOff { found, .. }) = result {
            let since = || self.clock.now();
            seen.cut_off.get_or_insert_with(|| CutOff {
                since: since(),
                found: found.clone(),
            });
            return;
        }
        // Any other word is one of a store that answers.
        let Some(was) = seen.cut_off.take() else {
            return;
        };
        seen.back = Some(self.clock.uptime());
        drop(seen);
        if let Some(returned) = self.returned.get() {
            returned(was);
        }
    }
}

/// A store, the way to it, and what was read of it last.
pub struct Linked {
    store: Arc<dyn Store>,
    link: Arc<Link>,
    remembered: Arc<Remembered>,
}

impl Linked {
    /// `store` as the node called `node` uses it. What the node's own policy was is kept in
    /// `file`, so that a node that starts while it is cut off finds it.
    pub fn new(
        store: Arc<dyn Store>,
        node: &str,
        file: Option<PathBuf>,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Self {
        Linked {
            store,
            link: Arc::new(Link::new(clock)),
            remembered: Arc::new(Remembered::new(node, file)),
        }
    }

    /// The way to it.
    pub fn link(&self) -> Arc<Link> {
        self.link.clone()
    }

    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.link.note(&result);
        result
    }
}

impl Store for Linked {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        match self.noted(self.store.get(key)) {
            Err(error @ StoreError::CutOff { .. }) => self.remembered.key(key).ok_or(error),
            other => other,
        }
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        let before = self.remembered.revision(prefix);
        match self.noted(self.store.range(prefix)) {
            Ok(range) => {
                self.remembered.keep(prefix, &range, before);
                Ok(range)
            }
            Err(error @ StoreError::CutOff { .. }) => self.remembered.range(prefix).ok_or(error),
            Err(error) => Err(error),
        }
    }

    fn range_since(&self, prefix: &str, revision: u64) -> Result<Range, StoreError> {
        let known = self.remembered.range_since(prefix, revision);
        known.map_or_else(|| self.range(prefix), Ok)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.noted(self.store.commit(txn))
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        let watch = self.noted(self.store.watch(prefix, from))?;
        if prefix != POLICY || from == 0 {
            return Ok(watch);
        }
        Ok(Box::new(Following {
            watch,
            from,
            remembered: self.remembered.clone(),
        }))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.noted(self.store.compact(revision))
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.noted(self.store.grant(ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.noted(self.store.keep_alive(lease))
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.noted(self.store.revoke(lease))
    }

    fn was_silent_within(&self, time: Duration) -> bool {
        self.link.was_silent_within(time)
    }
}

/// A watch of the policy, which is remembered as it tells it.
struct Following {
    watch: Box<dyn Watch>,
    /// The first revision that it has not told yet.
    from: u64,
    remembered: Arc<Remembered>,
}

impl Watch for Following {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let changes = self.watch.next(within)?;
        if let Some(last) = changes.last() {
            self.remembered.follow(self.from, &changes);
            self.from = last.revision() + 1;
        }
        Ok(changes)
    }

    fn closer(&self) -> Arc<dyn Close> {
        self.watch.closer()
    }
}
