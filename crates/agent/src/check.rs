//! The whole store, checked: which of its values cannot be read, shown and moved out of the way.

use accelnet_model::Problem;
use accelnet_store::{Commit, Document, Entry, Store, Stored, Txn, Unreadable};
use serde::{Deserialize, Serialize};

use crate::cluster::backup::{Backup, SavedEntry};
use crate::cluster::{membership, nodes, observers};
use crate::journal::EventDocument;
use crate::policy::{self, store_failed};
use crate::report::Report;
use crate::report::parts::Part;

/// What was found in a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Keys that it has.
    pub keys: usize,
    /// Values that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// What was repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// Keys whose values were replaced by what was read of them last.
    pub replaced: Vec<String>,
    /// Keys that were removed.
    pub removed: Vec<String>,
    /// Keys that are left: a later release wrote them, or somebody changed them meanwhile.
    pub left: Vec<String>,
}

/// Why the value of `entry` cannot be read; none when it can, or means nothing to accelnet.
pub fn judge(entry: &Entry) -> Option<Unreadable> {
    fn of<T: Document>(entry: &Entry) -> Option<Unreadable> {
        Stored::<T>::read_or_why(entry).err()
    }
    let key = entry.key.as_str();
    let (first, _) = key.split_once('/').unwrap_or((key, ""));
    match first {
        "policy" | "nodes" => policy::judge(entry),
        "reports" => of::<Report>(entry),
        "report-parts" => of::<Part>(entry),
        "events" => of::<EventDocument>(entry),
        "members" => of::<nodes::Member>(entry),
        "alive" => of::<nodes::Alive>(entry),
        "down" => of::<nodes::Down>(entry),
        "observers" => of::<observers::Observer>(entry),
        "cluster" | "migration" => membership::judge(entry),
        _ => Some(Unreadable {
            key: entry.key.clone(),
            mod_revision: entry.mod_revision,
            reason: "accelnet has no such key".to_owned(),
            later: false,
        }),
    }
}

/// Checks every value of `store`.
///
/// # Errors
///
/// The store cannot be read.
pub fn check(store: &dyn Store) -> Result<Checked, Problem> {
    let all = store.range("").map_err(|error| store_failed(&error))?;
    Ok(Checked {
        keys: all.entries.len(),
        unreadable: all.entries.iter().filter_map(judge).collect(),
    })
}

/// What cannot be read, as it is now, to be kept before [`repair`].
///
/// # Errors
///
/// The store cannot be read.
pub fn damaged(store: &dyn Store, now: &str) -> Result<Backup, Problem> {
    let all = store.range("").map_err(|error| store_failed(&error))?;
    let damaged = all.entries.iter().filter(|entry| is_damaged(entry));
    Ok(Backup::of(damaged, all.revision, now))
}

fn is_damaged(entry: &Entry) -> bool {
    judge(entry).is_some_and(|found| !found.later)
}

/// Removes the values in `damaged` from `store`, unless they changed meanwhile; where `last` has an
/// earlier value of such a key that can be read, that one takes its place.
///
/// # Errors
///
/// The store cannot be read or written. What was repaired before stays repaired.
pub fn repair(
    store: &dyn Store,
    damaged: &Backup,
    last: Option<&Backup>,
) -> Result<Repaired, Problem> {
    let mut repaired = Repaired {
        replaced: Vec::new(),
        removed: Vec::new(),
        left: Vec::new(),
    };
    let all = store.range("").map_err(|error| store_failed(&error))?;
    let earlier = |key: &str| {
        let mut saved = last.into_iter().flat_map(|last| &last.entries);
        let saved: Option<&SavedEntry> = saved.find(|saved| saved.key == key);
        saved
            .map(SavedEntry::entry)
            .filter(|entry| judge(entry).is_none())
    };
    for entry in all.entries.iter().filter(|entry| judge(entry).is_some()) {
        let key = entry.key.clone();
        let kept = damaged
            .entries
            .iter()
            .any(|saved| saved.entry().value == entry.value && saved.key == key);
        if !kept {
            repaired.left.push(key);
            continue;
        }
        let txn = Txn::new().check(&key, entry.mod_revision);
        let earlier = earlier(&key);
        let txn = match &earlier {
            Some(earlier) => txn.put(&key, earlier.value.clone()),
            None => txn.delete(&key),
        };
        let done = store.commit(&txn).map_err(|error| store_failed(&error))?;
        match (done, earlier) {
            (Commit::Conflict { .. }, _) => repaired.left.push(key),
            (Commit::Done { .. }, Some(_)) => repaired.replaced.push(key),
            (Commit::Done { .. }, None) => repaired.removed.push(key),
        }
    }
    Ok(repaired)
}
