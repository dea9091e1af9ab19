//! Creating, joining and leaving a cluster.

use std::sync::Arc;

use accelnet_model::Problem;
use accelnet_store::{Commit, Entry, Json, MAX_OPS, Store, Txn};

use super::documents::{ALIVE, CLUSTER, ClusterMark, DOWN, MEMBERS, MIGRATION};
use super::lease::LEASE;
use super::nodes::Nodes;
use crate::policy::{PolicyStore, drained_key};
use crate::problems::{cluster_refused, failed, store_changed};
use crate::reports::{REPORTS, Reports, parts};
use crate::unread;

/// Creates a cluster in `store`, which is called `name`.
///
/// # Errors
///
/// It has a cluster, or cannot be used.
pub fn create(store: &dyn Store, name: &str, now: &str, dry_run: bool) -> Result<(), Problem> {
    must_be_empty(store, name)?;
    if dry_run {
        return Ok(());
    }
    let at = now.to_owned();
    match store.put_json(CLUSTER, &ClusterMark { at }, 0) {
        Ok(Commit::Done { .. }) => Ok(()),
        Ok(Commit::Conflict { .. }) => Err(store_changed(name)),
        Err(error) => Err(failed(error)),
    }
}

/// Refuses a store that has keys.
pub(super) fn must_be_empty(store: &dyn Store, name: &str) -> Result<(), Problem> {
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
    Err(cluster_refused(name, found))
}

/// Whether the node called `node` may join the cluster in `store`, which is called `name`.
///
/// # Errors
///
/// There is no complete cluster, or a node with that name is up.
pub fn may_join(store: &dyn Store, name: &str, node: &str) -> Result<(), Problem> {
    let has = |key: &str| Ok(store.get(key).map_err(failed)?.is_some());
    let found = if has(MIGRATION)? {
        "A migration to this store is not complete.".to_owned()
    } else if store.range(MEMBERS).map_err(failed)?.entries.is_empty() && !has(CLUSTER)? {
        "It has no cluster. 'accelnet cluster init' creates one.".to_owned()
    } else if has(&format!("{ALIVE}{node}"))? {
        format!("A node with the name {node} is already up in this cluster.")
    } else {
        return Ok(());
    };
    Err(cluster_refused(name, found))
}

/// Whether this release can read all values of the cluster in `store`.
///
/// # Errors
///
/// The first value that it cannot read.
pub fn is_readable(store: Arc<dyn Store>, node: &str) -> Result<(), Problem> {
    let policy = PolicyStore::new(store.clone(), node).read()?;
    let reports = Reports::new(store, node);
    reports.all()?;
    let unreadable = policy.unreadable.into_iter().chain(reports.unreadable());
    match unreadable.map(|one| unread::problem(&one)).next() {
        Some(problem) => Err(problem),
        None => Ok(()),
    }
}

/// Removes the node called `node`, its report and its own values.
///
/// # Errors
///
/// It is up, has VMs with a setting, or is not a member; or the store cannot be used.
pub fn leave(store: Arc<dyn Store>, name: &str, node: &str, dry_run: bool) -> Result<(), Problem> {
    let policy = PolicyStore::new(store.clone(), node).read()?;
    let get = |key: String| store.get(&key).map_err(failed);
    let Some(member) = get(format!("{MEMBERS}{node}"))? else {
        return Err(Nodes::new(store, node).not_found(node));
    };
    if get(format!("{ALIVE}{node}"))?.is_some() {
        let found = format!(
            "Node {node} is up: its agent has to be stopped ('systemctl stop accelnet' there), and to be silent for {} s.",
            LEASE.as_secs()
        );
        return Err(cluster_refused(name, found));
    }
    let here = policy.vms.iter().map(|(vm, _)| vm);
    let here = here.filter(|vm| vm.node == node);
    let here: Vec<&str> = here.map(|vm| vm.name.as_str()).collect();
    if !here.is_empty() {
        let found = format!(
            "VMs with a setting are on {node}: {}. Move them to another node, or disable them with 'accelnet vm disable'.",
            here.join(", ")
        );
        return Err(cluster_refused(name, found));
    }
    match dry_run {
        true => Ok(()),
        false => remove(&*store, name, node, member),
    }
}

fn remove(store: &dyn Store, name: &str, node: &str, member: Entry) -> Result<(), Problem> {
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
        // Remaining parts have no report, and the node's next agent removes them.
        Commit::Done { .. } => parts::remove(store, node).map_err(failed),
        Commit::Conflict { .. } => Err(store_changed(name)),
    }
}
