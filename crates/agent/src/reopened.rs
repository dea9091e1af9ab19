//! The embedded store of an agent, which tolerates a damaged file: each call opens it again, so that the agent
//! continues once a good file replaces it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use accelnet_host::{Clock, SystemClock};
use accelnet_store::{
    Commit, Embedded, Entry, History, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

/// The store in a file that may be damaged.
pub(crate) struct Reopened {
    path: PathBuf,
    open: RwLock<Option<Arc<Embedded>>>,
}

impl Reopened {
    /// Opens the file at `path`, if it is not damaged.
    ///
    /// # Errors
    ///
    /// It is in use, of a later release or of another user, or the kernel refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = match open(path) {
            Ok(store) => Some(Arc::new(store)),
            Err(StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Reopened {
            path: path.to_owned(),
            open: RwLock::new(store),
        })
    }

    /// What an administrator should know of the opened file.
    pub fn noticed(&self) -> Option<String> {
        self.store().ok()?.noticed()
    }

    fn store(&self) -> Result<Arc<Embedded>, StoreError> {
        if let Some(store) = &*self.open.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(store.clone());
        }
        let mut place = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let store = match &*place {
            Some(store) => store.clone(),
            None => Arc::new(open(&self.path)?),
        };
        *place = Some(store.clone());
        Ok(store)
    }

    /// A damaged file is closed, so that another can replace it.
    fn with<T>(
        &self,
        call: impl FnOnce(&Embedded) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = call(&*self.store()?);
        if let Err(StoreError::Corrupt { .. }) = done {
            *self.open.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        done
    }
}

fn open(path: &Path) -> Result<Embedded, StoreError> {
    Embedded::open(path, History::default(), || SystemClock.uptime())
}

impl Store for Reopened {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.with(|store| store.get(key))
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.with(|store| store.range(prefix))
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.with(|store| store.commit(txn))
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.with(|store| store.watch(prefix, from))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.with(|store| store.compact(revision))
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.with(|store| store.grant(ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.with(|store| store.keep_alive(lease))
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.with(|store| store.revoke(lease))
    }
}
