//! The trait that every store stands behind. Its meaning is etcd's.

use std::sync::Arc;
use std::time::Duration;

use crate::{Change, Commit, Entry, Lease, LeaseId, Range, StoreError, Txn};

/// Keys with revisions.
///
/// The store has one revision, which begins at 1 and grows by one with each transaction that
/// changes anything. A call that returned an error other than of its arguments may have been done:
/// read again.
///
/// Keys are ordered by their bytes; an empty key is refused.
pub trait Store: Send + Sync {
    /// One key, or `None` when it does not exist.
    ///
    /// # Errors
    ///
    /// An empty key; or the store cannot be read.
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// All keys that begin with `prefix`, all of one moment. An empty prefix means every key.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    fn range(&self, prefix: &str) -> Result<Range, StoreError>;

    /// The same at a moment not before `revision`: what stands before a store that is reached over a
    /// network may have it from a watch, without a request.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    fn range_since(&self, prefix: &str, _revision: u64) -> Result<Range, StoreError> {
        self.range(prefix)
    }

    /// All or nothing: when every check holds, every op is done, in one revision, and is durable
    /// when this returns. A transaction that changes nothing (no ops, or only deletes of keys that
    /// do not exist) leaves the revision as it is. A check that does not hold is no error: see
    /// [`Commit::Conflict`].
    ///
    /// # Errors
    ///
    /// A transaction that is not valid (see [`Txn`]); a lease that does not exist, once the
    /// checks held; or the store cannot be written.
    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError>;

    /// The changes at revision `from` and later of keys that begin with `prefix`. `from` may lie
    /// in the future; 0 means whatever comes after this call.
    ///
    /// # Errors
    ///
    /// [`StoreError::Compacted`], here or from [`Watch::next`]; or the store cannot be read.
    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError>;

    /// Forgets the changes before `revision`. What the keys hold now stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Compacted`] when that is done already, [`StoreError::FutureRevision`] when
    /// the store is not there yet; or the store cannot be written.
    fn compact(&self, revision: u64) -> Result<(), StoreError>;

    /// Grants a lease that lives for `ttl`, rounded up to whole seconds and at least one. When a
    /// store on one node starts again, its leases start again with their whole `ttl`.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError>;

    /// Lets a lease live for its whole `ttl` from now.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseNotFound`]; or the store cannot be reached.
    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// Ends a lease: the keys that are tied to it vanish in one revision.
    ///
    /// # Errors
    ///
    /// [`StoreError::LeaseNotFound`]; or the store cannot be written.
    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError>;

    /// What stood at `key` when its value was last one that can be read, as far as it is remembered here;
    /// none while it can be read.
    fn last_readable(&self, _key: &str) -> Option<Entry> {
        None
    }

    /// Whether this store did not answer at some moment of the last `time`, so that a lease may have
    /// ended although its holder lives: no caller could keep it alive.
    fn was_silent_within(&self, _time: Duration) -> bool {
        false
    }
}

/// Changes, in the order of their revisions; those of one revision in the order of their ops, and
/// never apart.
pub trait Watch: Send {
    /// The next changes. Waits for them for at most `within`; empty when there were none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Compacted`] when they are forgotten already, [`StoreError::Closed`] after
    /// [`Close::close`] or when the store is gone; or the store cannot be read, after which the
    /// call can be tried again and misses nothing.
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError>;

    /// What ends this watch from another thread.
    fn closer(&self) -> Arc<dyn Close>;
}

/// Ends a watch.
pub trait Close: Send + Sync {
    /// Lets a waiting [`Watch::next`], and every later one, return [`StoreError::Closed`].
    fn close(&self);
}
