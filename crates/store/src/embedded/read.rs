//! What is read from the file.

use std::num::NonZeroU64;
use std::time::Duration;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};

use crate::embedded::codec::{decode_change, decode_entry};
use crate::embedded::fault::Fault;
use crate::embedded::tables::{CHANGES, ENTRIES, LEASES, META, META_OLDEST, META_REVISION, number};
use crate::{Change, Check, Entry, LeaseId, Range, StoreError};

/// Most bytes that one batch of a watch reads, but for the revision that goes beyond.
const BATCH_BYTES: usize = 1024 * 1024;

/// Where the store stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) revision: u64,
    pub(super) oldest: u64,
}

impl Position {
    /// Whether the changes from `from` on are all known.
    pub(super) fn reaches(self, from: u64) -> Result<(), StoreError> {
        if from < self.oldest {
            return Err(StoreError::Compacted {
                asked: from,
                oldest: self.oldest,
            });
        }
        Ok(())
    }
}

/// Changes for a watch, and the revision from which to go on.
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    pub(super) next: u64,
}

pub(super) fn get(db: &Database, key: &str) -> Result<Option<Entry>, Fault> {
    find(&db.begin_read()?.open_table(ENTRIES)?, key)
}

pub(super) fn range(db: &Database, prefix: &str) -> Result<Range, Fault> {
    let txn = db.begin_read()?;
    let mut entries = Vec::new();
    for row in txn.open_table(ENTRIES)?.range(prefix..)? {
        let (key, value) = row?;
        if !key.value().starts_with(prefix) {
            break;
        }
        entries.push(decode_entry(key.value(), value.value())?);
    }
    Ok(Range {
        entries,
        revision: position_in(&txn)?.revision,
    })
}

pub(super) fn position(db: &Database) -> Result<Position, Fault> {
    position_in(&db.begin_read()?)
}

/// The first check that does not hold, as key and found revision; and the store's revision.
pub(super) fn failed_check(
    db: &Database,
    checks: &[Check],
) -> Result<(Option<(String, u64)>, u64), Fault> {
    let txn = db.begin_read()?;
    let entries = txn.open_table(ENTRIES)?;
    let revision = position_in(&txn)?.revision;
    for check in checks {
        let found = find(&entries, &check.key)?.map_or(0, |entry| entry.mod_revision);
        if found != check.mod_revision {
            return Ok((Some((check.key.clone(), found)), revision));
        }
    }
    Ok((None, revision))
}

/// Changes from revision `from` on of keys that begin with `prefix`; whole revisions.
pub(super) fn changes(db: &Database, prefix: &str, from: u64) -> Result<Batch, Fault> {
    let txn = db.begin_read()?;
    let position = position_in(&txn)?;
    position.reaches(from)?;
    let mut batch = Batch {
        changes: Vec::new(),
        next: from.max(position.revision + 1),
    };
    let mut bytes = 0;
    let mut last = from;
    for row in txn.open_table(CHANGES)?.range((from, 0)..)? {
        let (at, change) = row?;
        let (revision, _) = at.value();
        if revision != last && bytes >= BATCH_BYTES {
            batch.next = revision;
            break;
        }
        last = revision;
        bytes += change.value().len();
        batch
            .changes
            .extend(decode_change(revision, change.value(), prefix)?);
    }
    Ok(batch)
}

/// All leases with their time to live.
pub(super) fn leases(db: &Database) -> Result<Vec<(LeaseId, Duration)>, Fault> {
    let mut leases = Vec::new();
    for row in db.begin_read()?.open_table(LEASES)?.iter()? {
        let (lease, seconds) = row?;
        let lease = NonZeroU64::new(lease.value())
            .ok_or_else(|| Fault::corrupt("a lease has the number 0"))?;
        leases.push((LeaseId(lease), Duration::from_secs(seconds.value())));
    }
    Ok(leases)
}

pub(super) fn find(
    entries: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<Entry>, Fault> {
    let found = entries.get(key)?;
    found
        .map(|value| decode_entry(key, value.value()))
        .transpose()
}

fn position_in(txn: &ReadTransaction) -> Result<Position, Fault> {
    let meta = txn.open_table(META)?;
    Ok(Position {
        revision: number(&meta, META_REVISION)?,
        oldest: number(&meta, META_OLDEST)?,
    })
}
