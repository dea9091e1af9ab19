//! The VMs of all nodes, as any node shows them.

use std::collections::BTreeMap;

use accelnet_api::types::VmView;
use accelnet_model::Uuid;

use super::last_reports::Standpoint;
use crate::policy::Policy;
use crate::reports::Report;

/// The VMs in `reports`; those of nodes that do not report now are marked.
pub(crate) fn of_reports(reports: Vec<Report>, from: &Standpoint<'_>) -> Vec<VmView> {
    let of = |report: Report| {
        let last_report = from.last_report(&report);
        let mut vms = report.vms;
        for vm in &mut vms {
            vm.last_report.clone_from(&last_report);
        }
        vms
    };
    reports.into_iter().flat_map(of).collect()
}

/// A definition of a VM on a node.
struct Copy {
    node: String,
    runs: bool,
    /// Whether the node reports now.
    is_current: bool,
}

/// Removes definitions of a VM on nodes where it does not run while another node, preferably one that reports
/// now, runs it. Of a VM that runs nowhere, the definition on the node of its setting remains.
pub(crate) fn without_idle_copies(vms: &mut Vec<VmView>, policy: &Policy) {
    let mut copies: BTreeMap<Uuid, Vec<Copy>> = BTreeMap::new();
    for vm in &*vms {
        copies.entry(vm.uuid.clone()).or_default().push(Copy {
            node: vm.node.clone(),
            runs: vm.state.holds_devices(),
            is_current: vm.last_report.is_none(),
        });
    }
    vms.retain(|vm| {
        let Some(copies) = copies.get(&vm.uuid).filter(|copies| copies.len() > 1) else {
            return true;
        };
        let runs = vm.state.holds_devices();
        if copies.iter().any(|copy| copy.runs && copy.is_current) {
            return runs && vm.last_report.is_none();
        }
        if copies.iter().any(|copy| copy.runs) {
            return runs;
        }
        let owner = policy.vm(&vm.uuid).map(|setting| setting.node.as_str());
        let owner = owner.filter(|owner| copies.iter().any(|copy| copy.node == *owner));
        owner.is_none_or(|owner| vm.node == owner)
    });
}
