//! What is written to the file: one revision, all or nothing.

use std::num::NonZeroU64;
use std::time::Duration;

use redb::{Database, ReadableTable, Table, WriteTransaction};

use crate::embedded::History;
use crate::embedded::codec::{encode_change, encode_entry};
use crate::embedded::fault::Fault;
use crate::embedded::read::find;
use crate::embedded::tables::{
    CHANGES, ENTRIES, LEASE_KEYS, LEASES, META, META_HISTORY_BYTES, META_LEASE, META_OLDEST,
    META_REVISION, begin_write, number,
};
use crate::{Change, Entry, Lease, LeaseId, Op, StoreError};

/// Does the ops in one revision, and returns the store's revision then.
pub(super) fn apply(db: &Database, ops: &[Op], history: History) -> Result<u64, Fault> {
    revise(db, history, |next| {
        for op in ops {
            match op {
                Op::Put { key, value, lease } => next.put(key, value, *lease)?,
                Op::Delete { key } => next.delete(key)?,
            }
        }
        Ok(())
    })
}

/// Removes a lease and its keys in one revision, and returns the store's revision then.
pub(super) fn revoke(db: &Database, lease: LeaseId, history: History) -> Result<u64, Fault> {
    revise(db, history, |next| {
        let id = lease.0.get();
        next.leases.remove(id)?;
        let mut keys = Vec::new();
        for row in next.lease_keys.range((id, "")..)? {
            let (at, _) = row?;
            let (owner, key) = at.value();
            if owner != id {
                break;
            }
            keys.push(key.to_owned());
        }
        keys.iter().try_for_each(|key| next.delete(key))
    })
}

/// Makes a lease.
pub(super) fn grant(db: &Database, ttl: Duration) -> Result<Lease, Fault> {
    let txn = begin_write(db)?;
    let last = {
        let mut meta = txn.open_table(META)?;
        let last = number(&meta, META_LEASE)? + 1;
        meta.insert(META_LEASE, last)?;
        txn.open_table(LEASES)?.insert(last, ttl.as_secs())?;
        last
    };
    txn.commit()?;
    let id = NonZeroU64::new(last).ok_or_else(|| Fault::corrupt("it ran out of leases"))?;
    Ok(Lease {
        id: LeaseId(id),
        ttl,
    })
}

/// Forgets the changes before `revision`.
pub(super) fn compact(db: &Database, revision: u64) -> Result<(), Fault> {
    let txn = begin_write(db)?;
    {
        let mut meta = txn.open_table(META)?;
        let current = number(&meta, META_REVISION)?;
        let oldest = number(&meta, META_OLDEST)?;
        if revision > current {
            return Err(Fault::Refused(StoreError::FutureRevision {
                asked: revision,
                revision: current,
            }));
        }
        if revision <= oldest {
            return Err(Fault::Refused(StoreError::Compacted {
                asked: revision,
                oldest,
            }));
        }
        let mut bytes = number(&meta, META_HISTORY_BYTES)?;
        let mut changes = txn.open_table(CHANGES)?;
        forget(&mut changes, &mut bytes, |at, _| at < revision)?;
        meta.insert(META_HISTORY_BYTES, bytes)?;
        meta.insert(META_OLDEST, revision)?;
    }
    txn.commit()?;
    Ok(())
}

/// The revision that is being made.
struct Next<'t> {
    revision: u64,
    count: u64,
    bytes: u64,
    entries: Table<'t, &'static str, &'static [u8]>,
    changes: Table<'t, (u64, u64), &'static [u8]>,
    leases: Table<'t, u64, u64>,
    lease_keys: Table<'t, (u64, &'static str), ()>,
}

fn revise(
    db: &Database,
    history: History,
    steps: impl FnOnce(&mut Next<'_>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let txn = begin_write(db)?;
    let revision = {
        let mut meta = txn.open_table(META)?;
        let current = number(&meta, META_REVISION)?;
        let bytes = number(&meta, META_HISTORY_BYTES)?;
        let mut next = Next::begin(&txn, current + 1, bytes)?;
        steps(&mut next)?;
        if next.count == 0 {
            current
        } else {
            let oldest = next.trim(number(&meta, META_OLDEST)?, history)?;
            meta.insert(META_REVISION, next.revision)?;
            meta.insert(META_HISTORY_BYTES, next.bytes)?;
            meta.insert(META_OLDEST, oldest)?;
            next.revision
        }
    };
    txn.commit()?;
    Ok(revision)
}

impl<'t> Next<'t> {
    fn begin(txn: &'t WriteTransaction, revision: u64, bytes: u64) -> Result<Self, Fault> {
        Ok(Self {
            revision,
            count: 0,
            bytes,
            entries: txn.open_table(ENTRIES)?,
            changes: txn.open_table(CHANGES)?,
            leases: txn.open_table(LEASES)?,
            lease_keys: txn.open_table(LEASE_KEYS)?,
        })
    }

    fn put(&mut self, key: &str, value: &[u8], lease: Option<LeaseId>) -> Result<(), Fault> {
        let before = find(&self.entries, key)?;
        let entry = Entry {
            key: key.to_owned(),
            value: value.to_vec(),
            create_revision: before.as_ref().map_or(self.revision, |e| e.create_revision),
            mod_revision: self.revision,
            version: before.as_ref().map_or(0, |e| e.version) + 1,
            lease,
        };
        self.untie(before.as_ref())?;
        if let Some(lease) = lease {
            self.lease_keys.insert((lease.0.get(), key), ())?;
        }
        self.entries.insert(key, &*encode_entry(&entry))?;
        self.record(&Change::Put(entry))
    }

    fn delete(&mut self, key: &str) -> Result<(), Fault> {
        let Some(before) = find(&self.entries, key)? else {
            return Ok(());
        };
        self.untie(Some(&before))?;
        self.entries.remove(key)?;
        self.record(&Change::Delete {
            key: key.to_owned(),
            revision: self.revision,
        })
    }

    fn untie(&mut self, entry: Option<&Entry>) -> Result<(), Fault> {
        if let Some((key, lease)) = entry.and_then(|e| Some((&*e.key, e.lease?))) {
            self.lease_keys.remove((lease.0.get(), key))?;
        }
        Ok(())
    }

    fn record(&mut self, change: &Change) -> Result<(), Fault> {
        let bytes = encode_change(change);
        self.changes.insert((self.revision, self.count), &*bytes)?;
        self.count += 1;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Forgets what goes beyond the history's bounds, and returns the oldest revision then.
    fn trim(&mut self, oldest: u64, history: History) -> Result<u64, Fault> {
        let revision = self.revision;
        let mut oldest = oldest.max((revision + 1).saturating_sub(history.revisions.max(1)));
        forget(&mut self.changes, &mut self.bytes, |at, bytes| {
            if at < revision && bytes > history.bytes {
                oldest = oldest.max(at + 1);
            }
            at < oldest
        })?;
        Ok(oldest)
    }
}

/// Drops changes, the oldest first, while `over` is true for their revision and their bytes.
fn forget(
    changes: &mut Table<'_, (u64, u64), &'static [u8]>,
    bytes: &mut u64,
    mut over: impl FnMut(u64, u64) -> bool,
) -> Result<(), Fault> {
    loop {
        match changes.first()? {
            Some((at, _)) if over(at.value().0, *bytes) => {}
            _ => return Ok(()),
        }
        if let Some((_, change)) = changes.pop_first()? {
            *bytes = bytes.saturating_sub(change.value().len() as u64);
        }
    }
}
