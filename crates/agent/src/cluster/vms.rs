//! The VMs of all nodes, as any node shows them.

use std::collections::BTreeMap;

use accelnet_api::types::{LastReport, VmView};
use accelnet_model::Uuid;

use super::CutOff;
use super::nodes::NodeState;
use crate::policy::Policy;
use crate::report::Report;

/// Why the report of a node is not current; none when the node reports now.
pub(crate) fn last_report(
    report: &Report,
    own: &str,
    nodes: &[NodeState],
    cut_off: Option<&CutOff>,
) -> Option<LastReport> {
    if report.node == own {
        return None;
    }
    let node = nodes.iter().find(|node| node.name == report.node);
    let down = node.and_then(|node| node.down_since.as_deref());
    let why = match (cut_off, down) {
        (Some(cut_off), _) => format!("{own} is cut off from the store since {}", cut_off.since),
        (None, Some("")) => format!("{} is down", report.node),
        (None, Some(since)) => format!("{} is down since {since}", report.node),
        (None, None) => return None,
    };
    Some(LastReport {
        at: report.observed_at.clone(),
        why,
    })
}

/// The VMs in `reports`, by node, those of nodes that do not report now marked.
pub(crate) fn of_reports(
    reports: &[Report],
    own: &str,
    nodes: &[NodeState],
    cut_off: Option<&CutOff>,
) -> Vec<VmView> {
    let of = |report: &Report| {
        let last_report = last_report(report, own, nodes, cut_off);
        let mut vms = report.vms.clone();
        for vm in &mut vms {
            vm.last_report.clone_from(&last_report);
        }
        vms
    };
    reports.iter().flat_map(of).collect()
}

/// Leaves out definitions of a VM on nodes where it does not run, while it runs on another node. Of a VM
/// that runs nowhere, the definition on the node of its setting stays.
pub(crate) fn without_idle_copies(vms: &mut Vec<VmView>, policy: &Policy) {
    let mut copies: BTreeMap<Uuid, Vec<(String, bool)>> = BTreeMap::new();
    for vm in &*vms {
        let copy = (vm.node.clone(), vm.state.holds_devices());
        copies.entry(vm.uuid.clone()).or_default().push(copy);
    }
    vms.retain(|vm| {
        let Some(copies) = copies.get(&vm.uuid).filter(|copies| copies.len() > 1) else {
            return true;
        };
        if copies.iter().any(|(_, runs)| *runs) {
            return vm.state.holds_devices();
        }
        let owner = policy.vm(&vm.uuid).map(|setting| setting.node.as_str());
        let owner = owner.filter(|owner| copies.iter().any(|(node, _)| node == owner));
        owner.is_none_or(|owner| vm.node == owner)
    });
}
