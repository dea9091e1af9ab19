//! A drained node: its VMs have no VFs, so that they can be migrated. Their settings stay, and they get VFs on another
//! node, or here when the node is undrained.

use accelnet_api::types::{
    DrainVm, Drained, NodeDrain, NodeDrained, Path, State, VmView, VnicView,
};
use accelnet_model::Problem;
use accelnet_model::domain::DomainState;
use accelnet_rules::drain::{Facts, can_move};

use crate::context::Context;
use crate::policy::Change;
use crate::problems::change_conflict;
use crate::reconcilers::Reconcilers;
use crate::requester::Requester;
use crate::vms::request::ATTEMPTS;

/// Drains or undrains a node; a dry run shows which VMs could be migrated.
///
/// # Errors
///
/// No node has that name, or the store cannot be used.
pub(crate) fn drain(
    agent: &mut Reconcilers,
    who: &Requester,
    request: &NodeDrain,
) -> Result<NodeDrained, Problem> {
    let result = try_drain(agent, who, request);
    if !request.dry_run && !result.as_ref().is_ok_and(|done| done.unchanged) {
        let node = request.node.as_str();
        let what = match request.undrain {
            true => format!("undrain node {node}"),
            false => format!("drain node {node}"),
        };
        who.record(&agent.ctx, node, &what, &result);
    }
    result
}

fn try_drain(
    agent: &mut Reconcilers,
    who: &Requester,
    request: &NodeDrain,
) -> Result<NodeDrained, Problem> {
    let ctx = &agent.ctx;
    let node = request.node.as_str();
    let reports = ctx.reports.all()?;
    let report = reports.into_iter().find(|report| report.node == node);
    let Some(report) = report else {
        return Err(ctx.nodes.not_found(node));
    };
    let mut vms = report.vms;
    let drained = ctx.policies.read()?.drained(node).is_some();
    if !request.dry_run {
        set_drained(ctx, who, request)?;
        if ctx.node == *node {
            agent.reconcile_unreported()?;
            let own = agent.ctx.reports.newest();
            vms = own.map_or(vms, |own| own.vms);
        }
    }
    let here = vms.iter().filter(|vm| vm.node == node);
    Ok(NodeDrained {
        node: node.to_owned(),
        drained: !request.undrain,
        applied: !request.dry_run,
        unchanged: drained != request.undrain,
        vms: here.filter_map(movable).collect(),
    })
}

fn set_drained(ctx: &Context, who: &Requester, request: &NodeDrain) -> Result<(), Problem> {
    for _ in 0..ATTEMPTS {
        let policy = ctx.policies.read()?;
        let drained = (!request.undrain).then(|| Drained {
            by: who.name.clone(),
            at: ctx.now(),
            node: Some(ctx.node.to_string()),
        });
        if policy.drained(request.node.as_str()).is_some() == drained.is_some() {
            return Ok(());
        }
        let change = [Change::Drained(request.node.to_string(), drained)];
        if ctx.policies.change(&policy, &change, false)? {
            return Ok(());
        }
    }
    Err(change_conflict(&ctx.node))
}

/// Whether a running VM can be migrated; none of a VM that does not run.
fn movable(vm: &VmView) -> Option<DrainVm> {
    if vm.path == Path::NotRunning || vm.state == DomainState::ShutOff {
        return None;
    }
    let is_foreign = |vnic: &VnicView| vnic.model == "VF" && vnic.role.is_none();
    let has_vf = vm.vf.is_some();
    let (can_migrate, reason) = can_move(&Facts {
        state: vm.state,
        has_foreign_device: vm.vnics.iter().any(is_foreign),
        has_vf,
        phase: vm.phase,
        unmanaged: vm.acceleration == State::Unmanaged,
    });
    Some(DrainVm {
        name: vm.name.clone(),
        can_migrate,
        has_vf,
        reason: reason.to_owned(),
    })
}
