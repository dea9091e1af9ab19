//! The whole store, checked: which of its values cannot be read, shown and moved out of the way.

use accelnet_model::Problem;
use accelnet_store::{Commit, Document, Entry, Store, Stored, Txn, Unreadable};
use serde::{Deserialize, Serialize};

use crate::cluster::backup::{Backup, SavedEntry};
use crate::cluster::{membership, nodes, observers};
use crate::journal::EventDocument;
use crate::orders;
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
    pub remaining: Vec<String>,
}

/// A kind of key that accelnet has in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindOfKey {
    /// Its keys: `*` stands for one part, and at the end for all further ones.
    pub keys: &'static str,
    /// One of them.
    pub example: &'static str,
}

const fn keys(keys: &'static str, example: &'static str) -> KindOfKey {
    KindOfKey { keys, example }
}

/// Every kind of key that there is: a key of no kind is shown as one that accelnet does not have.
pub const KEYS: [KindOfKey; 20] = [
    keys("policy/cluster", "policy/cluster"),
    keys("policy/management", "policy/management"),
    keys("policy/turn", "policy/turn"),
    keys("policy/intents/*", "policy/intents/lan"),
    keys("policy/removed/*", "policy/removed/lan"),
    keys(
        "policy/vms/*",
        "policy/vms/0a1b2c3d-0000-4000-8000-0000000000ff",
    ),
    keys("policy/drained/*", "policy/drained/node9"),
    keys("nodes/*/bound/*", "nodes/node9/bound/lan"),
    keys("nodes/*/disruption/*", "nodes/node9/disruption/lan"),
    keys("nodes/*/request", "nodes/node9/request"),
    keys(
        "nodes/*/orders/*",
        "nodes/node9/orders/0a1b2c3d-0000-4000-8000-0000000000ff",
    ),
    keys("reports/*", "reports/node9"),
    keys("report-parts/*", "report-parts/node9/0"),
    keys("events/*", "events/2026-01-01T00:00:00Z/node9/000000000000"),
    keys("members/*", "members/node9"),
    keys("alive/*", "alive/node9"),
    keys("down/*", "down/node9"),
    keys("observers/*", "observers/9"),
    keys("cluster", "cluster"),
    keys("migration", "migration"),
];

impl KindOfKey {
    /// The kind of `key`, if there is one.
    pub fn of(key: &str) -> Option<Self> {
        KEYS.into_iter().find(|kind| kind.has(key))
    }

    fn has(self, key: &str) -> bool {
        let mut rest = Some(key);
        let mut parts = self.keys.split('/').peekable();
        while let Some(part) = parts.next() {
            let Some(text) = rest else { return false };
            if part == "*" && parts.peek().is_none() {
                return true;
            }
            let (first, more) = match text.split_once('/') {
                Some((first, more)) => (first, Some(more)),
                None => (text, None),
            };
            if part != "*" && part != first {
                return false;
            }
            rest = more;
        }
        rest.is_none()
    }
}

/// Why the value of `entry` cannot be read; none when it can, or means nothing to accelnet.
pub fn judge(entry: &Entry) -> Option<Unreadable> {
    fn of<T: Document>(entry: &Entry) -> Option<Unreadable> {
        Stored::<T>::read_or_why(entry).err()
    }
    let key = entry.key.as_str();
    let (first, _) = key.split_once('/').unwrap_or((key, ""));
    match first {
        _ if KindOfKey::of(key).is_none() => Some(of_no_kind(entry)),
        "nodes" if orders::is_order(key) => orders::judge(entry),
        "policy" | "nodes" => policy::judge(entry),
        "reports" => of::<Report>(entry),
        "report-parts" => of::<Part>(entry),
        "events" => of::<EventDocument>(entry),
        "members" => of::<nodes::Member>(entry),
        "alive" => of::<nodes::Alive>(entry),
        "down" => of::<nodes::Down>(entry),
        "observers" => of::<observers::Observer>(entry),
        "cluster" | "migration" => membership::judge(entry),
        _ => Some(of_no_kind(entry)),
    }
}

fn of_no_kind(entry: &Entry) -> Unreadable {
    Unreadable {
        key: entry.key.clone(),
        mod_revision: entry.mod_revision,
        reason: "accelnet has no such key".to_owned(),
        newer_format: false,
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
    judge(entry).is_some_and(|found| !found.newer_format)
}

/// Removes the values in `damaged` from `store`, unless they changed meanwhile; where `last` has an
/// earlier value of such a key that can be read, that one takes its place. A dry run writes nothing.
///
/// # Errors
///
/// The store cannot be read or written. What was repaired before stays repaired.
pub fn repair(
    store: &dyn Store,
    damaged: &Backup,
    last: Option<&Backup>,
    dry_run: bool,
) -> Result<Repaired, Problem> {
    let mut repaired = Repaired {
        replaced: Vec::new(),
        removed: Vec::new(),
        remaining: Vec::new(),
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
            repaired.remaining.push(key);
            continue;
        }
        let txn = Txn::new().check(&key, entry.mod_revision);
        let earlier = earlier(&key);
        let txn = match &earlier {
            Some(earlier) => txn.put(&key, earlier.value.clone()),
            None => txn.delete(&key),
        };
        let done = match dry_run {
            true => true,
            false => {
                let commit = store.commit(&txn).map_err(|error| store_failed(&error))?;
                matches!(commit, Commit::Done { .. })
            }
        };
        match (done, earlier) {
            (false, _) => repaired.remaining.push(key),
            (true, Some(_)) => repaired.replaced.push(key),
            (true, None) => repaired.removed.push(key),
        }
    }
    Ok(repaired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_of_one_kind() {
        for kind in KEYS {
            let kinds = KEYS.into_iter().filter(|other| other.has(kind.example));
            assert_eq!(kinds.collect::<Vec<_>>(), [kind]);
        }
        for key in [
            "",
            "policy",
            "policy/zzz",
            "cluster/x",
            "nodes/n1/x/y",
            "nodes/n1",
            "zzz/a",
        ] {
            assert_eq!(KindOfKey::of(key), None, "{key}");
        }
        let further = KindOfKey::of("policy/vms/../../x").map(|kind| kind.keys);
        assert_eq!(further, Some("policy/vms/*"));
    }
}
