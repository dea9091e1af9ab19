//! Checks all values of a store, and repairs those that cannot be read.

use accelnet_model::Problem;
use accelnet_store::{Commit, Entry, Store, Txn, Unreadable};
use serde::{Deserialize, Serialize};

use crate::cluster::backup::{Backup, SavedEntry};
use crate::cluster::documents::{Alive, ClusterMark, Down, Member, Migration, Observer};
use crate::journal::EventDocument;
use crate::orders::{Order, is_order};
use crate::policy;
use crate::problems::failed;
use crate::reports::Report;
use crate::reports::parts::Part;
use crate::unread::{error, unknown_key};

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Number of keys in the store.
    pub keys: usize,
    /// Values that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// The result of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repaired {
    /// Keys whose values were replaced by the last readable ones.
    pub replaced: Vec<String>,
    /// Keys that were removed.
    pub removed: Vec<String>,
    /// Keys that remain: a later release wrote them, or they changed meanwhile.
    pub remaining: Vec<String>,
}

/// A kind of key in the store.
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

/// All kinds of keys.
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
        let parts: Vec<&str> = self.keys.split('/').collect();
        let found: Vec<&str> = key.splitn(parts.len(), '/').collect();
        let fits = |(part, found): (&&str, &&str)| *part == "*" || part == found;
        found.len() == parts.len() && parts.iter().zip(&found).all(fits)
    }
}

/// Why the value of `entry` cannot be read; none if it can.
pub fn judge(entry: &Entry) -> Option<Unreadable> {
    let key = entry.key.as_str();
    let (first, _) = key.split_once('/').unwrap_or((key, ""));
    match first {
        _ if KindOfKey::of(key).is_none() => Some(unknown_key(entry)),
        "nodes" if is_order(key) => error::<Order>(entry),
        "policy" | "nodes" => policy::judge(entry),
        "reports" => error::<Report>(entry),
        "report-parts" => error::<Part>(entry),
        "events" => error::<EventDocument>(entry),
        "members" => error::<Member>(entry),
        "alive" => error::<Alive>(entry),
        "down" => error::<Down>(entry),
        "observers" => error::<Observer>(entry),
        "cluster" => error::<ClusterMark>(entry),
        "migration" => error::<Migration>(entry),
        _ => Some(unknown_key(entry)),
    }
}

/// Checks every value of `store`.
///
/// # Errors
///
/// The store cannot be read.
pub fn check(store: &dyn Store) -> Result<Checked, Problem> {
    let all = store.range("").map_err(failed)?;
    Ok(Checked {
        keys: all.entries.len(),
        unreadable: all.entries.iter().filter_map(judge).collect(),
    })
}

/// A backup of the values that cannot be read, for [`repair`].
///
/// # Errors
///
/// The store cannot be read.
pub fn damaged(store: &dyn Store, now: &str) -> Result<Backup, Problem> {
    let all = store.range("").map_err(failed)?;
    let damaged = all.entries.iter().filter(|entry| is_damaged(entry));
    Ok(Backup::of(damaged, all.revision, now))
}

fn is_damaged(entry: &Entry) -> bool {
    judge(entry).is_some_and(|found| !found.newer_format)
}

/// Removes the values in `damaged` from `store`, or replaces them by readable ones of `last`, unless they
/// changed meanwhile. A dry run writes nothing.
///
/// # Errors
///
/// The store cannot be read or written. Earlier repairs remain.
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
    let all = store.range("").map_err(failed)?;
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
                let commit = store.commit(&txn).map_err(failed)?;
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
