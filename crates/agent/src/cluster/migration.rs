//! Migration of a cluster to another store.

use accelnet_model::Problem;
use accelnet_store::{Commit, Entry, Json, Store, StoreError, Stored, Txn};
use serde::{Deserialize, Serialize};

use super::documents::{CLUSTER, ClusterMark, MIGRATION, Migration, is_transient};
use super::identity::{IDENTITY, Identity};
use super::membership::must_be_empty;
use crate::batch::Batch;
use crate::problems::{cluster_refused, failed, store_changed};

/// The result of a migration, or of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migrated {
    /// Keys of the migrated store.
    pub keys: usize,
    /// Number of them that an interrupted migration had copied.
    pub existing_keys: usize,
    /// False after a dry run.
    pub applied: bool,
}

/// Copies everything in `from` to `to`, which is called `name`. An interrupted migration continues if nothing
/// else has changed either store.
///
/// # Errors
///
/// `to` has a cluster or keys that are not of this migration, or a store cannot be used.
pub fn migrate(
    from: &dyn Store,
    origin: &str,
    to: &dyn Store,
    name: &str,
    now: &str,
    dry_run: bool,
) -> Result<Migrated, Problem> {
    let content = from.range("").map_err(failed)?;
    // The identity and the mark of a cluster are written last.
    let is_last = |key: &str| key == IDENTITY || key == CLUSTER;
    let wanted = content.entries.iter();
    let wanted: Vec<&Entry> = wanted
        .filter(|entry| !is_transient(&entry.key) && !is_last(&entry.key))
        .collect();
    let identity = Identity::make()
        .map_err(|error| cluster_refused(name, format!("No random number: {error}.")))?;
    let migration = Migration {
        from: origin.to_owned(),
        revision: content.revision,
    };
    let begun = begun(to, name, &migration)?;
    let missing = missing(&wanted, origin, to, name)?;
    let migrated = Migrated {
        keys: wanted.len(),
        existing_keys: wanted.len() - missing.len(),
        applied: !dry_run,
    };
    if dry_run {
        return Ok(migrated);
    }
    let began = match begun {
        Some(begun) => begun.mod_revision,
        None => match to.put_json(MIGRATION, &migration, 0).map_err(failed)? {
            Commit::Done { revision } => revision,
            Commit::Conflict { .. } => return Err(store_changed(name)),
        },
    };
    match copy(to, &missing, began, &identity, now).map_err(failed)? {
        true => Ok(migrated),
        false => Err(store_changed(name)),
    }
}

/// The same migration, if it was begun; else the store must be empty.
fn begun(
    to: &dyn Store,
    name: &str,
    migration: &Migration,
) -> Result<Option<Stored<Migration>>, Problem> {
    let begun = to.get_json::<Migration>(MIGRATION).map_err(failed)?;
    match &begun {
        None => must_be_empty(to, name)?,
        Some(begun) if begun.value == *migration => {}
        Some(begun) => {
            let found = format!(
                "The move of {} at revision {} was begun there, and this is {} at revision {}.",
                begun.value.from, begun.value.revision, migration.from, migration.revision
            );
            return Err(cluster_refused(name, found));
        }
    }
    Ok(begun)
}

/// The wanted entries that `to` does not have.
fn missing<'a>(
    wanted: &[&'a Entry],
    origin: &str,
    to: &dyn Store,
    name: &str,
) -> Result<Vec<&'a Entry>, Problem> {
    let there = to.range("").map_err(failed)?.entries;
    let mut missing: Vec<&Entry> = Vec::new();
    for entry in wanted {
        match there.iter().find(|other| other.key == entry.key) {
            None => missing.push(entry),
            Some(other) if other.value == entry.value => {}
            Some(other) => {
                let found = format!("{} has a different value than in {origin}.", other.key);
                return Err(cluster_refused(name, found));
            }
        }
    }
    Ok(missing)
}

/// False if another program changed the store.
fn copy(
    to: &dyn Store,
    missing: &[&Entry],
    began: u64,
    identity: &Identity,
    now: &str,
) -> Result<bool, StoreError> {
    let base = Txn::new().check(MIGRATION, began);
    let mut batch = Batch::new(to, base.clone());
    for entry in missing {
        let bytes = 2 * entry.key.len() + entry.value.len();
        let put = |txn: Txn| {
            Ok(txn
                .check(&entry.key, 0)
                .put(&entry.key, entry.value.clone()))
        };
        if !batch.add(bytes, put)? {
            return Ok(false);
        }
    }
    if !batch.commit()? {
        return Ok(false);
    }
    let at = now.to_owned();
    let last = base
        .delete(MIGRATION)
        .put_json(CLUSTER, &ClusterMark { at })?
        .put_json(IDENTITY, identity)?;
    Ok(matches!(to.commit(&last)?, Commit::Done { .. }))
}
