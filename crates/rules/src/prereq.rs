//! The prerequisite checks: which rows a node, its adapters and a cluster get.

mod adapter;
mod advice;
mod cluster;
mod drivers;
mod isolation;
mod models;
mod node;
mod platform;
mod scope;
mod surroundings;

use accelnet_model::{Check, Node, Observed};

use accelnet_model::Intent;

pub(crate) use adapter::ports;
pub use adapter::{as_judged, blocker, judge as judge_adapter};
pub use cluster::{IntentAdapter, Peer, PeerIntent, PeerReport, judge_cluster, own};
pub use drivers::{DRIVERS, Vfs, can_change};
pub use models::describe;
pub use platform::{MINIMUM_KERNEL, MINIMUM_LIBVIRT, MINIMUM_QEMU};
pub use scope::{CLUSTER, Scope};

use node::{adapters, hyperthreading, smt_of};

/// Checks `nodes`: the machine, then the cluster, then the intent, then each adapter of
/// `scope` for itself. Every check gets its row, whatever the others report.
pub fn judge(nodes: &[Node], intents: &[Intent], scope: &Scope) -> Vec<Check> {
    let mut rows = Vec::new();
    for node in nodes {
        rows.extend(platform::judge(node));
    }
    let smt: Vec<(&str, Observed<bool>)> = nodes
        .iter()
        .map(|node| (node.display_name(), smt_of(node)))
        .collect();
    rows.extend(hyperthreading(&smt));
    for node in nodes {
        rows.extend(adapters(node, intents, scope));
    }
    rows
}

/// Exit status of a command that shows `rows`: 0 only if all passed, otherwise that of the
/// first row that did not.
pub fn exit_status(rows: &[Check]) -> u8 {
    rows.iter()
        .find(|row| !row.passed)
        .map_or(0, |row| row.code.map_or(1, |code| code.entry().exit_status))
}

#[cfg(test)]
mod tests;
