//! The embedded store: one file, in one process, for a cluster of one.
//!
//! No thread of its own: a lease that is due ends when the store is next used, or at its time
//! when a watch waits, so its delay cannot be observed.

mod checksummed;
mod codec;
mod engine;
mod fault;
mod guard;
mod history;
mod leases;
mod medium;
mod read;
mod signal;
mod synced_length;
mod tables;
mod watch;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, Commit, Entry, Lease, LeaseId, Range, Store, StoreError, Txn, Watch};
use engine::Engine;
use medium::{File, Medium, Memory};
use watch::EmbeddedWatch;

pub use history::History;

/// The embedded store. Dropping it closes its watches, and the file.
pub struct Embedded {
    engine: Arc<Engine>,
}

impl Embedded {
    /// Opens the store in the file at `path`. A file that is not there is made, readable for its
    /// owner only, and so is its folder.
    ///
    /// # Errors
    ///
    /// [`StoreError::Held`], [`StoreError::Corrupt`], [`StoreError::NewerStore`]; or the kernel
    /// refuses.
    pub fn open(
        path: &Path,
        history: History,
        clock: impl Clock + 'static,
    ) -> Result<Self, StoreError> {
        Self::on(File::new(path), history, clock)
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// None that an administrator could meet.
    pub fn in_memory(history: History, clock: impl Clock + 'static) -> Result<Self, StoreError> {
        Self::on(Memory, history, clock)
    }

    /// What was found when the file was opened and is no reason to stop, a sentence.
    pub fn noticed(&self) -> Option<String> {
        self.engine.noticed()
    }

    fn on(
        medium: impl Medium + 'static,
        history: History,
        clock: impl Clock + 'static,
    ) -> Result<Self, StoreError> {
        let engine = Engine::open(Box::new(medium), history, Box::new(clock))?;
        Ok(Self {
            engine: Arc::new(engine),
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.engine.close();
    }
}

impl Store for Embedded {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        if key.is_empty() {
            return Err(StoreError::EmptyKey);
        }
        self.engine.expire()?;
        self.engine.with(|db| read::get(db, key))
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.engine.expire()?;
        self.engine.with(|db| read::range(db, prefix))
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        txn.validate()?;
        self.engine.commit(txn)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.engine.expire()?;
        let position = self.engine.with(read::position)?;
        let from = match from {
            0 => position.revision + 1,
            from => from,
        };
        position.reaches(from)?;
        let watch = EmbeddedWatch::new(&self.engine, prefix, from);
        Ok(Box::new(watch))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.engine.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.engine.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.engine.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.engine.revoke(lease)
    }
}

#[cfg(test)]
mod tests;
