//! The tables of the file, and its format.

use redb::{Database, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

use crate::embedded::fault::Fault;

/// The format of the file that this accelnet writes.
pub(super) const FORMAT: u64 = 1;

/// Numbers of the store, by name. The one table that no later format may change: it holds the
/// format.
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// What each key holds now.
pub(super) const ENTRIES: TableDefinition<&str, &[u8]> = TableDefinition::new("entries");
/// What changed, by revision and place in it.
pub(super) const CHANGES: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("changes");
/// Leases, and their time to live in seconds.
pub(super) const LEASES: TableDefinition<u64, u64> = TableDefinition::new("leases");
pub(super) const LEASE_KEYS: TableDefinition<(u64, &str), ()> = TableDefinition::new("lease-keys");

/// The format of the file.
pub(super) const META_FORMAT: &str = "format";
/// The store's revision.
pub(super) const META_REVISION: &str = "revision";
/// The oldest revision whose changes are all known.
pub(super) const META_OLDEST: &str = "oldest";
/// Bytes of keys and values in `changes`.
pub(super) const META_HISTORY_BYTES: &str = "history-bytes";
/// The last lease granted.
pub(super) const META_LEASE: &str = "lease";

/// Makes the tables where there are none, and reads the format where there are some.
pub(super) fn prepare(db: &Database) -> Result<(), Fault> {
    let found = {
        let txn = db.begin_read()?;
        match txn.open_table(META) {
            Ok(meta) => Some(number(&meta, META_FORMAT)?),
            Err(TableError::TableDoesNotExist(_)) if txn.list_tables()?.next().is_none() => None,
            Err(error) => return Err(error.into()),
        }
    };
    match found {
        None => make(db),
        Some(found) if found > FORMAT => Err(Fault::Newer {
            found,
            known: FORMAT,
        }),
        Some(_) => Ok(()),
    }
}

fn make(db: &Database) -> Result<(), Fault> {
    let txn = begin_write(db)?;
    {
        let mut meta = txn.open_table(META)?;
        for (name, value) in [
            (META_FORMAT, FORMAT),
            (META_REVISION, 1),
            (META_OLDEST, 1),
            (META_HISTORY_BYTES, 0),
            (META_LEASE, 0),
        ] {
            meta.insert(name, value)?;
        }
        txn.open_table(ENTRIES)?;
        txn.open_table(CHANGES)?;
        txn.open_table(LEASES)?;
        txn.open_table(LEASE_KEYS)?;
    }
    txn.commit()?;
    Ok(())
}

/// Begins to write in two phases: what was written is synced before it counts. In one phase, the next
/// open reads what a power cut may have torn to find out whether it counts, and [`Checksummed`] shows it
/// nothing torn.
///
/// [`Checksummed`]: crate::embedded::checksummed::Checksummed
pub(super) fn begin_write(db: &Database) -> Result<WriteTransaction, Fault> {
    let mut txn = db.begin_write()?;
    txn.set_two_phase_commit(true);
    Ok(txn)
}

/// A number of the store.
pub(super) fn number(
    meta: &impl redb::ReadableTable<&'static str, u64>,
    name: &str,
) -> Result<u64, Fault> {
    match meta.get(name)? {
        Some(value) => Ok(value.value()),
        None => Err(Fault::corrupt(format!("it has no {name}"))),
    }
}
