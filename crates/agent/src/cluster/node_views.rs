//! The nodes of the cluster, as any node shows them.

use std::collections::BTreeSet;

use accelnet_api::types::{NodeView, Standing};

use super::adapters;
use super::nodes::NodeState;
use crate::policy::Policy;
use crate::problems::vms_unknown;
use crate::reports::Report;

/// Why VMs and adapters are unknown.
const NO_REPORT: &str = "the store has no report of it that can be read";

/// Nodes with a heartbeat, now or earlier; in a cluster of one, the node that reports.
pub(crate) fn views(nodes: &[NodeState], policy: &Policy, reports: &[Report]) -> Vec<NodeView> {
    let known = nodes.iter().map(|node| node.name.as_str());
    let names: BTreeSet<&str> = known
        .chain(reports.iter().map(|report| report.node.as_str()))
        .collect();
    let view = |name: &str| {
        let node = nodes.iter().find(|node| node.name == name);
        let report = reports.iter().find(|report| report.node == name);
        let here = policy.vms.iter().filter(|(vm, _)| vm.node == name);
        let down = node.and_then(|node| node.down_since.clone());
        NodeView {
            name: name.to_owned(),
            state: match down {
                Some(_) => Standing::Down,
                None => Standing::Up,
            },
            since: down.or_else(|| node?.up_since.clone()),
            version: match node {
                Some(node) => node.version.clone(),
                // A node without heartbeats has a store of its own, and is this one.
                None => Some(env!("CARGO_PKG_VERSION").to_owned()),
            },
            joined_at: node.and_then(|node| node.joined_at.clone()),
            reported_at: report.map(|report| report.observed_at.clone()),
            drained: policy.drained(name).cloned(),
            removed_intents: report.map_or_else(Vec::new, |report| removed(policy, report)),
            settings_pending: report.is_some_and(|report| {
                let applied = report.settings_revision;
                applied.is_some_and(|applied| applied < policy.management_revision)
            }),
            accelerated_vms: u32::try_from(here.count()).unwrap_or(u32::MAX),
            vms_unknown: report
                .map_or(Some(NO_REPORT), |report| report.vms_unknown.as_deref())
                .map(|reason| vms_unknown(name, reason)),
            adapters_unknown: report
                .map_or(Some(NO_REPORT), |report| report.all_adapters.reason())
                .map(|reason| adapters::unknown(name, reason)),
        }
    };
    names.into_iter().map(view).collect()
}

/// Removed intents that a node still reports.
fn removed(policy: &Policy, report: &Report) -> Vec<String> {
    let names = report.intents.iter().map(|status| &status.intent);
    let removed = names.filter(|name| policy.removed.contains(name.as_str()));
    removed.cloned().collect()
}
