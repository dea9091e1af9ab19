//! A node without VFs for VMs: its VMs run on virtio, so that they can be moved away. Their
//! settings stay, and they get their VFs on another node, or here when it is no longer drained.

use accelnet_api::types::{
    DrainVm, Drained, EventKind, NodeDrain, NodeDrained, Path, State, VmView,
};
use accelnet_model::domain::DomainState;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Problem, VmSetting};
use accelnet_rules::pair::{Pair, Step};

use super::Core;
use crate::policy::{Change, Policy};
use crate::problems::{change_conflict, node_drained};

const TURNS: u32 = 16;

impl Core {
    /// Drains a node or lets it have VFs again; a dry run tells which VMs could move.
    ///
    /// # Errors
    ///
    /// No node has that name, or the store cannot be used.
    pub fn drain(&mut self, who: &str, request: &NodeDrain) -> Result<NodeDrained, Problem> {
        let result = self.try_drain(who, request);
        if !request.dry_run {
            let what = match request.undrain {
                true => format!("undrain node {}", request.node),
                false => format!("drain node {}", request.node),
            };
            let node = request.node.as_str();
            self.tell_unless_unchanged(who, node, &what, &result, |done| done.unchanged);
        }
        result
    }

    fn try_drain(&mut self, who: &str, request: &NodeDrain) -> Result<NodeDrained, Problem> {
        let node = request.node.as_str();
        let reports = self.reports.all()?;
        let report = reports.into_iter().find(|report| report.node == node);
        let Some(mut report) = report else {
            return Err(self.nodes.not_found(node));
        };
        let drained = self.policies.read()?.drained(node).is_some();
        if !request.dry_run {
            self.set_drained(who, request)?;
            if node == self.name {
                self.pass()?;
                report.vms = self.reports.newest().map_or(report.vms, |own| own.vms);
            }
        }
        let vms = report.vms.iter().filter(|vm| vm.node == node);
        Ok(NodeDrained {
            node: node.to_owned(),
            drained: !request.undrain,
            applied: !request.dry_run,
            unchanged: drained != request.undrain,
            vms: vms.filter_map(movable).collect(),
        })
    }

    fn set_drained(&self, who: &str, request: &NodeDrain) -> Result<(), Problem> {
        for _ in 0..TURNS {
            let policy = self.policies.read()?;
            let drained = (!request.undrain).then(|| Drained {
                by: who.to_owned(),
                at: self.now(),
                node: Some(self.name.clone()),
            });
            let known = policy.drained(request.node.as_str());
            if known.is_some() == drained.is_some() {
                return Ok(());
            }
            let change = [Change::Drained(request.node.to_string(), drained)];
            if self.policies.change(&policy, &change, false)? {
                return Ok(());
            }
        }
        Err(change_conflict(&self.name))
    }

    /// Takes the VF from a running VM of a drained node; whether anything was done.
    pub(crate) fn take_for_drain(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let Some(drained) = policy.drained(&self.name) else {
            return false;
        };
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pair = Pair::of(&domain.vnics, setting.mac, &pool.unwrap_or_default());
        if !domain.state.holds_devices() || pair.vf.is_none() {
            self.blame(&setting.uuid, &node_drained(&self.name, drained));
            return false;
        }
        if let Err(problem) = self.software_path(policy) {
            let before = self.reason_of(&setting.uuid);
            self.blame(&setting.uuid, &problem);
            if self.reason_of(&setting.uuid) != before {
                self.tell_problem(EventKind::Failed, &domain.name, &problem);
            }
            return false;
        }
        self.blame(&setting.uuid, &node_drained(&self.name, drained));
        match self.only(policy, setting, domain, Step::DetachVf) {
            Ok(()) => {
                let message = format!(
                    "Detached the VF of VM {}: its node is drained.",
                    domain.name
                );
                self.tell(EventKind::Noticed, &domain.name, message);
                true
            }
            Err(problem) => {
                self.tell_problem(EventKind::Failed, &domain.name, &problem);
                false
            }
        }
    }
}

/// Whether a VM that runs could move to another node; none of one that does not run.
fn movable(vm: &VmView) -> Option<DrainVm> {
    if vm.path == Path::NotRunning || vm.state == DomainState::ShutOff {
        return None;
    }
    let foreign = vm
        .vnics
        .iter()
        .any(|vnic| vnic.model == "VF" && vnic.role.is_none());
    let has_vf = vm.vf.is_some();
    let (can_migrate, why) = match (has_vf, vm.acceleration) {
        _ if vm.state == DomainState::Unknown => (false, "libvirt does not report its state"),
        _ if foreign => (
            false,
            "it has a VF or another device of this node that accelnet does not manage",
        ),
        _ if vm.phase.is_some_and(|phase| phase != Phase::Enabled) => {
            (false, "a change of it is under way")
        }
        (true, State::Unmanaged) => (
            false,
            "it has a VF, and no agent detaches it while Accelerated Networking is disabled",
        ),
        (true, _) => (true, "its VF is detached, and virtio carries its traffic"),
        _ => (true, "it is on virtio"),
    };
    Some(DrainVm {
        name: vm.name.clone(),
        can_migrate,
        has_vf,
        reason: why.to_owned(),
    })
}
