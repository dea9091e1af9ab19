//! A store behind its [`Link`]: it serves the last readings while the store is not used.

mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_store::{
    Close, Commit, Entry, Json, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

use super::link::Link;
use crate::cluster::documents::ALIVE;
use crate::cluster::identity::{IDENTITY, Identity, Verdict, judge};
use crate::cluster::remembered::Remembered;
use crate::policy::POLICY;
use watch::{Closer, LinkedWatch};

/// A store, its state, and what was read last.
pub struct Linked {
    store: Arc<dyn Store>,
    link: Arc<Link>,
    remembered: Arc<Remembered>,
    /// Watches: they begin again when an older revision is accepted.
    watches: Mutex<Vec<Weak<dyn Close>>>,
}

impl Linked {
    /// `store` for the node called `node`. The last readings of the policy and of the node's own values are
    /// also kept in `file`, for a start while the node is cut off.
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
            watches: Mutex::default(),
        }
    }

    /// Whether it answers.
    pub fn link(&self) -> Arc<Link> {
        self.link.clone()
    }

    /// Reads the policy, and with it the identity of the store.
    fn read_policy(&self) -> Result<Range, StoreError> {
        let before = self.remembered.revision(POLICY);
        let (known, highest) = self.remembered.known();
        let mut range = self.noted(self.store.range(POLICY))?;
        let mut verdict = judge(known.as_ref(), highest, &range);
        if verdict == Verdict::Unidentified {
            // The first agent of a cluster writes the identity. A failure is repeated by the next reading.
            if self.write_identity().is_ok() {
                range = self.noted(self.store.range(POLICY))?;
                verdict = judge(known.as_ref(), highest, &range);
            }
        }
        if verdict == Verdict::Same
            && let Some(found) = self.remembered.older_state(&range)
        {
            verdict = Verdict::Foreign(found);
        }
        match verdict {
            Verdict::Foreign(found) => {
                self.link.set_foreign(Some(&found));
                return Err(StoreError::Foreign { found });
            }
            Verdict::Accepted(identity) => {
                self.remembered.accept(identity, range.revision);
                self.close_watches();
            }
            Verdict::Same | Verdict::Unidentified => {}
        }
        self.remembered.keep(POLICY, &range, before);
        self.link.set_foreign(None);
        Ok(range)
    }

    fn read(&self, prefix: &str) -> Result<Range, StoreError> {
        self.must_be_own()?;
        let before = self.remembered.revision(prefix);
        let (_, highest) = self.remembered.known();
        let range = self.noted(self.store.range(prefix))?;
        self.observed(range.revision, highest)?;
        self.remembered.keep(prefix, &range, before);
        Ok(range)
    }

    fn write_identity(&self) -> Result<(), StoreError> {
        let identity = Identity::make().map_err(|error| StoreError::Refused {
            store: "of this node".to_owned(),
            found: format!("the kernel provides no random number: {error}"),
        })?;
        self.noted(self.store.put_json(IDENTITY, &identity, 0))
            .map(drop)
    }

    /// Refuses a store that is not the cluster's. If it was refused before, its identity is read again.
    fn must_be_own(&self) -> Result<(), StoreError> {
        match self.link.is_foreign() {
            true => self.read_policy().map(drop),
            false => Ok(()),
        }
    }

    /// Records the revision of an answer. One below `highest` shows that an older state was restored: then the
    /// identity is read.
    fn observed(&self, revision: u64, highest: u64) -> Result<(), StoreError> {
        match revision < highest {
            true => self.read_policy().map(drop),
            false => {
                self.remembered.observed(revision);
                Ok(())
            }
        }
    }

    fn close_watches(&self) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        for watch in watches.drain(..).filter_map(|watch| watch.upgrade()) {
            watch.close();
        }
    }

    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.link.note(&result);
        result
    }
}

impl Store for Linked {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let found = self
            .must_be_own()
            .and_then(|()| self.noted(self.store.get(key)));
        match found {
            Err(error) if is_away(&error) => self.remembered.key(key).ok_or(error),
            other => other,
        }
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        let read = match prefix {
            POLICY => self.read_policy(),
            prefix => self.read(prefix),
        };
        match read {
            Err(error) if is_away(&error) => self.remembered.range(prefix).ok_or(error),
            other => other,
        }
    }

    fn range_since(&self, prefix: &str, revision: u64) -> Result<Range, StoreError> {
        let known = self.remembered.range_since(prefix, revision);
        known.map_or_else(|| self.range(prefix), Ok)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.must_be_own()?;
        let is_heartbeat = txn.ops.iter().any(|op| op.key().starts_with(ALIVE));
        if let Some(found) = self.link.name_taken().filter(|_| !is_heartbeat) {
            let store = "of the cluster under this name".to_owned();
            return Err(StoreError::Refused { store, found });
        }
        let (_, highest) = self.remembered.known();
        let commit = self.noted(self.store.commit(txn))?;
        let (Commit::Done { revision } | Commit::Conflict { revision, .. }) = &commit;
        self.observed(*revision, highest)?;
        Ok(commit)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.must_be_own()?;
        let era = self.remembered.era();
        let watch = self.noted(self.store.watch(prefix, from))?;
        let closer = watch.closer();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Arc::downgrade(&closer));
        Ok(Box::new(LinkedWatch {
            closer: Closer::of(closer),
            watch,
            era,
            from: (prefix == POLICY && from > 0).then_some(from),
            link: self.link.clone(),
            remembered: self.remembered.clone(),
        }))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.must_be_own()?;
        self.noted(self.store.compact(revision))
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.must_be_own()?;
        self.noted(self.store.grant(ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.must_be_own()?;
        self.noted(self.store.keep_alive(lease))
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.must_be_own()?;
        self.noted(self.store.revoke(lease))
    }

    fn last_readable(&self, key: &str) -> Option<Entry> {
        self.remembered.last_readable(key)
    }

    fn was_silent_within(&self, time: Duration) -> bool {
        self.link.was_silent_within(time)
    }
}

/// Whether the store is not used now, so that what was read last is shown.
fn is_away(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::CutOff { .. } | StoreError::Foreign { .. } | StoreError::Corrupt { .. }
    )
}
