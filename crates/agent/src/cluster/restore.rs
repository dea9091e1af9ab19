//! Restoring a store from a backup, and accepting the state of a store.

use accelnet_model::{Code, Problem};
use accelnet_store::{Commit, Entry, Store, Stored, Txn};
use serde::{Deserialize, Serialize};

use super::backup::Backup;
use super::documents::{CLUSTER, ClusterMark, is_transient};
use super::identity::{IDENTITY, Identity};
use crate::batch::Batch;
use crate::check::judge;
use crate::policy::POLICY;
use crate::problems::{cluster_refused, failed, store_changed};

/// The result of a restore, or of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was taken; empty of the last readings of an agent.
    pub at: String,
    /// Number of keys that were written.
    pub written: usize,
    /// Keys of the policy that were removed because the backup does not have them.
    pub removed: Vec<String>,
    /// Keys of the backup that were left out because their values cannot be read.
    pub unreadable: Vec<String>,
}

/// Keys of a store that change, each with its new value; none removes it.
type Changes = Vec<(String, Option<Vec<u8>>)>;

/// Restores a backup to `store`, which is called `name`: the policy becomes the backup's, and other missing
/// keys are added. Agents accept the store only after the last key, its identity; `now`, the time in
/// seconds, renews it.
///
/// # Errors
///
/// The store cannot be used, or another program changes it. The call can be repeated.
pub fn restore(
    store: &dyn Store,
    name: &str,
    backup: &Backup,
    at: &str,
    now: u64,
    dry_run: bool,
) -> Result<Restored, Problem> {
    let there = store.range("").map_err(failed)?.entries;
    let has = |key: &str| there.iter().any(|entry| entry.key == key);
    let known = there.iter().find(|entry| entry.key == IDENTITY);
    let known = known.and_then(|entry| Stored::<Identity>::read(entry).ok());
    let known = known.map(|stored| stored.value);
    let identity = renewed(backup.identity().or(known.clone()), known.as_ref(), now)?;
    let (restored, changes) = changes(&there, backup);
    if dry_run {
        return Ok(restored);
    }
    let mut last = Txn::new().put_json(IDENTITY, &identity).map_err(failed)?;
    if !has(CLUSTER) {
        let at = at.to_owned();
        last = last
            .put_json(CLUSTER, &ClusterMark { at })
            .map_err(failed)?;
    }
    write(store, changes, &last, name).map(|()| restored)
}

/// `identity` with an epoch that is also higher than that of `known`; without one, a new identity.
fn renewed(
    identity: Option<Identity>,
    known: Option<&Identity>,
    now: u64,
) -> Result<Identity, Problem> {
    let identity = match identity {
        Some(identity) => identity,
        None => Identity::make().map_err(|error| {
            let found = format!("The kernel provides no random number: {error}.");
            Problem::new(Code::StoreFailed, &[], found)
        })?,
    };
    let epoch = known.map_or(0, |known| known.epoch + 1);
    Ok(identity.renewed(now.max(epoch)))
}

/// The changes of a store with the entries `there`: its identity is removed first.
fn changes(there: &[Entry], backup: &Backup) -> (Restored, Changes) {
    let found = |key: &str| there.iter().find(|entry| entry.key == key);
    let mut changes = Changes::new();
    let mut restored = Restored {
        at: backup.at.clone(),
        written: 0,
        removed: Vec::new(),
        unreadable: Vec::new(),
    };
    if found(IDENTITY).is_some() {
        changes.push((IDENTITY.to_owned(), None));
    }
    for saved in &backup.entries {
        let key = saved.key.as_str();
        if is_transient(key) || key == IDENTITY || key == CLUSTER {
            continue;
        }
        let entry = saved.entry();
        if judge(&entry).is_some() {
            restored.unreadable.push(entry.key);
            continue;
        }
        let is_there = match found(key) {
            Some(other) if key.starts_with(POLICY) => other.value == entry.value,
            other => other.is_some(),
        };
        if !is_there {
            restored.written += 1;
            changes.push((entry.key, Some(entry.value)));
        }
    }
    for entry in there.iter().filter(|entry| entry.key.starts_with(POLICY)) {
        let kept = backup.entries.iter().any(|saved| saved.key == entry.key);
        if !kept && entry.key != IDENTITY {
            restored.removed.push(entry.key.clone());
            changes.push((entry.key.clone(), None));
        }
    }
    (restored, changes)
}

/// Writes the changes, and then the last transaction.
fn write(store: &dyn Store, changes: Changes, last: &Txn, name: &str) -> Result<(), Problem> {
    let mut batch = Batch::new(store, Txn::new());
    for (key, value) in changes {
        let bytes = key.len() + value.as_ref().map_or(0, Vec::len);
        let change = |txn: Txn| match value {
            Some(value) => Ok(txn.put(key, value)),
            None => Ok(txn.delete(key)),
        };
        // Nothing is checked, so there is no conflict.
        batch.add(bytes, change).map_err(failed)?;
    }
    batch.commit().map_err(failed)?;
    commit(store, last, name)
}

fn commit(store: &dyn Store, txn: &Txn, name: &str) -> Result<(), Problem> {
    match store.commit(txn).map_err(failed)? {
        Commit::Done { .. } => Ok(()),
        Commit::Conflict { .. } => Err(store_changed(name)),
    }
}

/// Accepts the current state of the store: its agents no longer compare it with earlier revisions. `known` is
/// this node's cluster, for a store that has lost its identity.
///
/// # Errors
///
/// It is the store of another cluster, or cannot be used.
pub fn accept(
    store: &dyn Store,
    name: &str,
    known: Option<&Identity>,
    now: u64,
    dry_run: bool,
) -> Result<(), Problem> {
    let entry = store.get(IDENTITY).map_err(failed)?;
    let read = entry.as_ref().map(Stored::<Identity>::read);
    let found = read.and_then(Result::ok).map(|stored| stored.value);
    if let (Some(found), Some(known)) = (&found, known)
        && found.id != known.id
    {
        let found = format!(
            "It is of the cluster with the id {}, and this node's cluster has {}. 'accelnet cluster join' makes this node one of that cluster.",
            found.id, known.id
        );
        return Err(cluster_refused(name, found));
    }
    let identity = renewed(found.or_else(|| known.cloned()), known, now)?;
    if dry_run {
        return Ok(());
    }
    let revision = entry.map_or(0, |entry| entry.mod_revision);
    let txn = Txn::new().check(IDENTITY, revision);
    let txn = txn.put_json(IDENTITY, &identity).map_err(failed)?;
    commit(store, &txn, name)
}

#[cfg(test)]
mod tests;
