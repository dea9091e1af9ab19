//! The embedded store behind its trait: the database, its leases, and who waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use redb::Database;

use crate::embedded::fault::Fault;
use crate::embedded::guard::guarded;
use crate::embedded::leases::Leases;
use crate::embedded::medium::Medium;
use crate::embedded::signal::Signal;
use crate::embedded::{History, read, write};
use crate::{Clock, Commit, Lease, LeaseId, StoreError, Txn};

/// No lease ends.
const NEVER: u64 = u64::MAX;

pub(super) struct Engine {
    medium: Box<dyn Medium>,
    history: History,
    clock: Box<dyn Clock>,
    /// None after a failed read or write, until it is opened again.
    db: RwLock<Option<Database>>,
    /// A caller that writes holds this.
    leases: Mutex<Leases>,
    /// Uptime in nanoseconds at which the next lease ends, so that readers need not wait for
    /// the caller that writes.
    next_end: AtomicU64,
    pub(super) signal: Arc<Signal>,
}

impl Engine {
    pub(super) fn open(
        medium: Box<dyn Medium>,
        history: History,
        clock: Box<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let engine = Self {
            medium,
            history,
            clock,
            db: RwLock::new(None),
            leases: Mutex::new(Leases::default()),
            next_end: AtomicU64::new(NEVER),
            signal: Arc::new(Signal::new()),
        };
        let leases = engine.with(read::leases)?;
        let leases = Leases::begin(leases, engine.now());
        engine.retell(&leases);
        *engine.lock() = leases;
        Ok(engine)
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.uptime()
    }

    /// What was found when the file was opened.
    pub(super) fn noticed(&self) -> Option<String> {
        self.medium.noticed()
    }

    /// Uptime at which the next lease ends.
    pub(super) fn next_end(&self) -> Option<Duration> {
        match self.next_end.load(Ordering::Acquire) {
            NEVER => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// Works on the database, which is opened where it is not.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let done = loop {
            let open = self.db.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(db) = open.as_ref() {
                break guarded(|| work(db));
            }
            drop(open);
            let mut closed = self.db.write().unwrap_or_else(PoisonError::into_inner);
            if closed.is_none() {
                let opened = guarded(|| self.reopen());
                *closed = Some(opened.map_err(|fault| fault.with_path(self.medium.path()))?);
            }
        };
        done.map_err(|fault| {
            if fault.breaks() {
                self.let_go();
            }
            fault.with_path(self.medium.path())
        })
    }

    /// A commit that failed may have been done: the waiting callers get the error.
    fn reopen(&self) -> Result<Database, Fault> {
        if self.signal.mark().is_none() {
            return Err(Fault::Refused(StoreError::Closed));
        }
        let db = self.medium.open()?;
        self.signal.publish(read::position(&db)?.revision);
        Ok(db)
    }

    /// Closes the file for good, also when a watch still holds the engine.
    pub(super) fn close(&self) {
        self.signal.close();
        self.let_go();
    }

    /// Closes the file. What fails on the way is repaired when it is opened.
    fn let_go(&self) {
        let db = self
            .db
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let _ = guarded(|| {
            drop(db);
            Ok(())
        });
    }

    /// Ends the leases that are over.
    pub(super) fn expire(&self) -> Result<(), StoreError> {
        match self.next_end() {
            Some(end) if end <= self.now() => self.expire_with(&mut self.lock()),
            _ => Ok(()),
        }
    }

    pub(super) fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        let mut leases = self.lock();
        self.expire_with(&mut leases)?;
        let (conflict, revision) = self.with(|db| read::failed_check(db, &txn.checks))?;
        if let Some((key, found_revision)) = conflict {
            return Ok(Commit::Conflict {
                key,
                found_revision,
                revision,
            });
        }
        for lease in txn.leases() {
            if !leases.live(lease) {
                return Err(StoreError::LeaseNotFound { lease });
            }
        }
        if txn.ops.is_empty() {
            return Ok(Commit::Done { revision });
        }
        let revision = self.with(|db| write::apply(db, &txn.ops, self.history))?;
        self.signal.publish(revision);
        Ok(Commit::Done { revision })
    }

    pub(super) fn compact(&self, revision: u64) -> Result<(), StoreError> {
        let mut leases = self.lock();
        self.expire_with(&mut leases)?;
        self.with(|db| write::compact(db, revision))
    }

    pub(super) fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
        let mut leases = self.lock();
        let lease = self.with(|db| write::grant(db, Duration::from_secs(seconds.max(1))))?;
        leases.grant(lease.id, lease.ttl, self.now());
        self.retell(&leases);
        // A caller that waits must check again before this lease ends.
        self.signal.stir();
        Ok(lease)
    }

    pub(super) fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        let mut leases = self.lock();
        self.expire_with(&mut leases)?;
        if !leases.keep_alive(lease, self.now()) {
            return Err(StoreError::LeaseNotFound { lease });
        }
        self.retell(&leases);
        Ok(())
    }

    pub(super) fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        let mut leases = self.lock();
        self.expire_with(&mut leases)?;
        if !leases.live(lease) {
            return Err(StoreError::LeaseNotFound { lease });
        }
        self.end(&mut leases, lease)
    }

    fn expire_with(&self, leases: &mut Leases) -> Result<(), StoreError> {
        for lease in leases.due(self.now()) {
            self.end(leases, lease)?;
        }
        Ok(())
    }

    fn end(&self, leases: &mut Leases, lease: LeaseId) -> Result<(), StoreError> {
        let revision = self.with(|db| write::revoke(db, lease, self.history))?;
        leases.end(lease);
        self.retell(leases);
        self.signal.publish(revision);
        Ok(())
    }

    fn retell(&self, leases: &Leases) {
        let end = leases.next_end();
        let nanos = end.map_or(NEVER, |end| u64::try_from(end.as_nanos()).unwrap_or(NEVER));
        self.next_end.store(nanos, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
