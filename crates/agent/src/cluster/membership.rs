//! Who belongs to a cluster: founded, joined, left, and moved there from a store of one.

use accelnet_model::{Code, Problem};
use accelnet_rules::vm_names;
use accelnet_store::{
    Commit, Document, Entry, Json, MAX_OPS, MAX_TXN_BYTES, Store, StoreError, Stored, Txn,
    Unreadable,
};
use serde::{Deserialize, Serialize};

use super::identity::{IDENTITY, Identity};
use super::nodes::{ALIVE, DOWN, MEMBERS};
use super::observers::OBSERVERS;
use crate::policy::{PolicyStore, drained_key, store_failed};
use crate::report::{REPORTS, Reports, parts};
use crate::unread;

/// What says that a store has a cluster.
pub(crate) const CLUSTER: &str = "cluster";
/// What says that a cluster is being moved here, and is not whole yet.
pub(crate) const MIGRATION: &str = "migration";
/// What is not moved: it goes with leases.
pub(super) const PASSING: [&str; 3] = [ALIVE, DOWN, OBSERVERS];
/// Keys, and bytes of keys and values, of one step of a move.
const STEP: (usize, usize) = (MAX_OPS / 2, MAX_TXN_BYTES / 2);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Founded {
    at: String,
}

impl Document for Founded {
    const KIND: &'static str = "the sign of a cluster";
    const FORMAT: u32 = 1;
}

/// A move that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Migration {
    /// The store that is moved.
    from: String,
    /// Its revision.
    revision: u64,
}

impl Document for Migration {
    const KIND: &'static str = "a move of a store";
    const FORMAT: u32 = 1;
}

/// What was moved, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Keys in the store that is moved.
    pub keys: usize,
    /// Those of them that an earlier, interrupted move had brought over.
    pub existing_keys: usize,
    /// Whether it was done; false after a dry run.
    pub applied: bool,
}

/// The sign that a store has a cluster.
pub(super) fn sign(at: &str) -> Founded {
    Founded { at: at.to_owned() }
}

/// Why the sign of a cluster, or of a move, cannot be read.
pub(crate) fn judge(entry: &Entry) -> Option<Unreadable> {
    match entry.key.as_str() {
        CLUSTER => Stored::<Founded>::read_or_why(entry).err(),
        _ => Stored::<Migration>::read_or_why(entry).err(),
    }
}

fn refused(store: &str, found: impl Into<String>) -> Problem {
    Problem::new(Code::ClusterRefused, &[store], found)
}

fn failed(error: StoreError) -> Problem {
    store_failed(&error)
}

/// Nobody founds, joins or moves while another does.
fn has_changed(store: &str) -> Problem {
    refused(store, "Another program changed the store at the same time.")
}

/// Founds a cluster in `store`, which is called `name`.
///
/// # Errors
///
/// There is one already, or the store cannot be used.
pub fn found(store: &dyn Store, name: &str, now: &str, dry_run: bool) -> Result<(), Problem> {
    must_be_empty(store, name)?;
    if dry_run {
        return Ok(());
    }
    let founded = Founded { at: now.to_owned() };
    match store.put_json(CLUSTER, &founded, 0).map_err(failed)? {
        Commit::Done { .. } => Ok(()),
        Commit::Conflict { .. } => Err(has_changed(name)),
    }
}

fn must_be_empty(store: &dyn Store, name: &str) -> Result<(), Problem> {
    let there = store.range("").map_err(failed)?.entries;
    let Some(first) = there.first() else {
        return Ok(());
    };
    let found = match there.iter().any(|entry| entry.key == MIGRATION) {
        true => {
            "A migration to this store is not complete; run 'accelnet store migrate' again to continue it.".to_owned()
        }
        false => format!(
            "It has a cluster already: {} keys, of which {} is the first. 'accelnet cluster join' joins it.",
            there.len(),
            first.key
        ),
    };
    Err(refused(name, found))
}

/// Whether the node called `node` may join the cluster in `store`: it is there, this release can
/// read it, and no other node has the name.
///
/// # Errors
///
/// Why it may not.
pub fn may_join(store: &dyn Store, name: &str, node: &str) -> Result<(), Problem> {
    let is_there = |key: &str| Ok(store.get(key).map_err(failed)?.is_some());
    if is_there(MIGRATION)? {
        return Err(refused(name, "A migration to this store is not complete."));
    }
    let members = store.range(MEMBERS).map_err(failed)?.entries;
    if members.is_empty() && !is_there(CLUSTER)? {
        return Err(refused(
            name,
            "It has no cluster. 'accelnet cluster init' creates one.",
        ));
    }
    if is_there(&format!("{ALIVE}{node}"))? {
        let found = format!("A node with the name {node} is already up in this cluster.");
        return Err(refused(name, found));
    }
    Ok(())
}

/// Whether this release can read everything that the cluster in `store` has.
///
/// # Errors
///
/// What it cannot read.
pub fn is_readable(store: std::sync::Arc<dyn Store>, node: &str) -> Result<(), Problem> {
    let policy = PolicyStore::new(store.clone(), node).read()?;
    let reports = Reports::new(store, node);
    reports.all()?;
    let unreadable = policy.unreadable.into_iter().chain(reports.unreadable());
    match unreadable.map(|one| unread::problem(&one)).next() {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// Forgets the node called `node`: its report, and what is its own.
///
/// # Errors
///
/// It is up, VMs are promised something there, nobody has that name, or the store cannot be used.
pub fn leave(
    store: std::sync::Arc<dyn Store>,
    name: &str,
    node: &str,
    dry_run: bool,
) -> Result<(), Problem> {
    let policy = PolicyStore::new(store.clone(), node).read()?;
    let get = |key: String| store.get(&key).map_err(failed);
    let Some(member) = get(format!("{MEMBERS}{node}"))? else {
        return Err(not_found(&*store, node)?);
    };
    if get(format!("{ALIVE}{node}"))?.is_some() {
        let found = format!(
            "Node {node} is up: its agent has to be stopped ('systemctl stop accelnet' there), and to be silent for {} s.",
            super::LEASE.as_secs()
        );
        return Err(refused(name, found));
    }
    let here = policy.vms.iter().map(|(vm, _)| vm);
    let here: Vec<&str> = here
        .filter(|vm| vm.node == node)
        .map(|vm| vm.name.as_str())
        .collect();
    if !here.is_empty() {
        let found = format!(
            "VMs with a setting are on {node}: {}. Move them to another node, or disable them with 'accelnet vm disable'.",
            here.join(", ")
        );
        return Err(refused(name, found));
    }
    if dry_run {
        return Ok(());
    }
    let mut txn = Txn::new()
        .check(member.key.clone(), member.mod_revision)
        .check(format!("{ALIVE}{node}"), 0)
        .delete(member.key)
        .delete(format!("{DOWN}{node}"))
        .delete(format!("{REPORTS}{node}"))
        .delete(drained_key(node));
    let own = store.range(&format!("nodes/{node}/")).map_err(failed)?;
    for entry in own.entries.into_iter().take(MAX_OPS / 2) {
        txn = txn.delete(entry.key);
    }
    match store.commit(&txn).map_err(failed)? {
        // Parts that stay are without a report, and the node's next agent removes them.
        Commit::Done { .. } => parts::remove(&*store, node).map_err(failed),
        Commit::Conflict { .. } => Err(has_changed(name)),
    }
}

/// No node has that name.
pub(crate) fn not_found(store: &dyn Store, node: &str) -> Result<Problem, Problem> {
    let members = store.range(MEMBERS).map_err(failed)?.entries;
    let names = members
        .iter()
        .filter_map(|entry| entry.key.strip_prefix(MEMBERS));
    Ok(vm_names::no_node(node, names))
}

/// Moves everything in `from` to `to`, which is called `name`. One that was interrupted goes on
/// where it stopped, as long as nothing else has changed either of them.
///
/// # Errors
///
/// `to` has a cluster, or something that is not of this move; or one of them cannot be used.
pub fn migrate(
    from: &dyn Store,
    origin: &str,
    to: &dyn Store,
    name: &str,
    now: &str,
    dry_run: bool,
) -> Result<Moved, Problem> {
    let content = from.range("").map_err(failed)?;
    let wanted: Vec<&Entry> = content
        .entries
        .iter()
        .filter(|entry| !PASSING.iter().any(|passing| entry.key.starts_with(passing)))
        // What says which cluster it is, and that it is one, is written last.
        .filter(|entry| entry.key != IDENTITY && entry.key != CLUSTER)
        .collect();
    let identity = Identity::make();
    let identity =
        identity.map_err(|error| refused(name, format!("No random number: {error}.")))?;
    let migration = Migration {
        from: origin.to_owned(),
        revision: content.revision,
    };
    let begun = to.get_json::<Migration>(MIGRATION).map_err(failed)?;
    match &begun {
        None => must_be_empty(to, name)?,
        Some(begun) if begun.value == migration => {}
        Some(begun) => {
            let found = format!(
                "The move of {} at revision {} was begun there, and this is {origin} at revision {}.",
                begun.value.from, begun.value.revision, content.revision
            );
            return Err(refused(name, found));
        }
    }
    let there = to.range("").map_err(failed)?.entries;
    let mut missing: Vec<&Entry> = Vec::new();
    for entry in &wanted {
        match there.iter().find(|other| other.key == entry.key) {
            None => missing.push(entry),
            Some(other) if other.value == entry.value => {}
            Some(other) => {
                let found = format!("{} has a different value than in {origin}.", other.key);
                return Err(refused(name, found));
            }
        }
    }
    let moved = Moved {
        keys: wanted.len(),
        existing_keys: wanted.len() - missing.len(),
        applied: !dry_run,
    };
    if dry_run {
        return Ok(moved);
    }
    let commit = |txn: &Txn| match to.commit(txn).map_err(failed)? {
        Commit::Done { .. } => Ok(()),
        Commit::Conflict { .. } => Err(has_changed(name)),
    };
    let began = match begun {
        Some(begun) => begun.mod_revision,
        None => match to.put_json(MIGRATION, &migration, 0).map_err(failed)? {
            Commit::Done { revision } => revision,
            Commit::Conflict { .. } => return Err(has_changed(name)),
        },
    };
    for step in steps(&missing) {
        let txn = step
            .iter()
            .fold(Txn::new().check(MIGRATION, began), |txn, entry| {
                txn.check(entry.key.clone(), 0)
                    .put(entry.key.clone(), entry.value.clone())
            });
        commit(&txn)?;
    }
    let whole = Txn::new()
        .check(MIGRATION, began)
        .delete(MIGRATION)
        .put_json(CLUSTER, &sign(now))
        .and_then(|txn| txn.put_json(IDENTITY, &identity))
        .map_err(failed)?;
    commit(&whole)?;
    Ok(moved)
}

/// Entries in portions that go into a transaction each.
fn steps<'a>(entries: &[&'a Entry]) -> Vec<Vec<&'a Entry>> {
    let mut steps: Vec<Vec<&Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = 2 * entry.key.len() + entry.value.len();
        bytes += size;
        match steps.last_mut() {
            Some(step) if step.len() < STEP.0 && bytes <= STEP.1 => step.push(entry),
            _ => {
                steps.push(vec![entry]);
                bytes = size;
            }
        }
    }
    steps
}
