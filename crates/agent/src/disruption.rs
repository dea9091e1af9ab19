//! A disruptive change of the number of VFs: VMs move to their software path, the number changes, and the reconcile
//! that follows gives them VFs again. It is recorded first, and resumed or reverted after an interruption.

use accelnet_api::types::{EventKind, PlannedStep};
use accelnet_model::intent::IntentState;
use accelnet_model::vf_plan::Ask;
use accelnet_model::{Code, Intent, Problem, VmSetting};
use accelnet_rules::pair::{Pair, Step};
use accelnet_rules::{prereq, vf_count};

use crate::context::Context;
use crate::intents::IntentReconciler;
use crate::observed::observer;
use crate::policy::{Change, Disruption};
use crate::problems::libvirt_failed;
use crate::vms::VmReconciler;
use crate::world::World;

/// The reconcilers of intents and of VMs.
type Both<'a> = (&'a mut IntentReconciler, &'a mut VmReconciler);

/// The accelerated VMs that must release their VFs for `intent`.
///
/// # Errors
///
/// VFs are in use, and the change may not be disruptive, or a VF has another user.
pub(crate) fn displaced(
    world: &World,
    intent: &Intent,
    disruptive: bool,
) -> Result<Vec<VmSetting>, Problem> {
    let mut displaced = Vec::new();
    if !intent.is_compute() {
        return Ok(displaced);
    }
    let ask = intent.vfs.map_or(Ask::All, Ask::Exactly);
    let bound = world.bindings.of(&intent.name).iter();
    for adapter in bound.filter_map(|bound| world.snapshot.adapter(bound)) {
        let Err(problem) = vf_count::plan(adapter, ask) else {
            continue;
        };
        if problem.code != Code::VfInUse {
            return Err(prereq::as_judged(problem, &world.snapshot.node, adapter));
        }
        if !disruptive {
            return Err(problem.resolution(
                "Disable the VMs that are named, or run the same command with --disruptive: the VMs use their software path while the number of VFs changes, then get VFs again.",
            ));
        }
        for vf in adapter.vfs_in_use() {
            let mut domains = world.snapshot.domains().iter();
            let domain = domains.find(|domain| {
                domain.state.holds_devices() && domain.host_devices.contains(&vf.address)
            });
            let setting = domain.and_then(|domain| world.policy.vm(&domain.uuid));
            let can_fail_over = domain.zip(setting).is_some_and(|(domain, setting)| {
                let pool = intent.pool_network();
                Pair::of(&domain.vnics, setting.mac, &pool).can_fail_over()
            });
            match setting {
                Some(setting) if can_fail_over => displaced.push(setting.clone()),
                // A user that cannot fail over keeps its VF, and so do all.
                _ => return Err(problem),
            }
        }
    }
    Ok(displaced)
}

/// The steps of the change, as they are shown before it.
pub(crate) fn planned(node: &str, intent: &Intent, displaced: &[VmSetting]) -> Vec<PlannedStep> {
    let of_vm = |vm: &VmSetting, step: Step, reason| PlannedStep {
        affected_vms: vec![vm.name.to_string()],
        ..PlannedStep::new(node, &vm.name, step.to_string(), reason)
    };
    let reason = "its VF is removed while the number of VFs changes";
    let back = displaced.iter().map(|vm| of_vm(vm, Step::DetachVf, reason));
    let vfs = intent.vfs.map_or("all".to_owned(), |vfs| vfs.to_string());
    let action = format!("change the number of VFs to {vfs}");
    let change = PlannedStep::new(node, &intent.name, action, "no VF is in use then");
    let again = displaced
        .iter()
        .map(|vm| of_vm(vm, Step::AttachVf, "it gets a VF again"));
    back.chain([change]).chain(again).collect()
}

/// Resumes a change that an agent was interrupted in. What fails is kept in the status, or tried again by the next
/// reconcile.
pub(crate) fn resume(
    ctx: &Context,
    (intents, vms): Both<'_>,
    world: &mut World,
    intent: &Intent,
    disruption: &Disruption,
) {
    if !ctx.libvirt_is_ready {
        // VMs have to fail over first.
        intents.enter(ctx, world, intent, IntentState::Applying);
    } else if disruption.going_back {
        drop(revert(ctx, (intents, vms), world, intent, disruption));
    } else if intent.vfs == disruption.before {
        // It was interrupted before that was decided.
        drop(ctx.policies.disrupt(&intent.name, None));
        drop(intents.apply(ctx, world, intent));
    } else {
        drop(run(ctx, (intents, vms), world, intent));
    }
}

/// Runs the change.
///
/// # Errors
///
/// What stopped it: then the number before is restored, and the VMs get VFs of those.
pub(crate) fn run(
    ctx: &Context,
    (intents, vms): Both<'_>,
    world: &mut World,
    intent: &Intent,
) -> Result<(), Problem> {
    let result = change(ctx, (intents, vms), world, intent);
    if result.is_err()
        && let Ok(Some(disruption)) = ctx.policies.disruption(&intent.name)
        && !disruption.going_back
    {
        let back = Disruption {
            going_back: true,
            ..disruption
        };
        ctx.policies.disrupt(&intent.name, Some(&back))?;
        ctx.failpoint("going-back");
        revert(ctx, (intents, vms), world, intent, &back)?;
        return result;
    }
    ctx.failpoint("disrupted");
    ctx.policies.disrupt(&intent.name, None)?;
    result
}

/// Restores the number of VFs before the change.
fn revert(
    ctx: &Context,
    (intents, vms): Both<'_>,
    world: &mut World,
    intent: &Intent,
    disruption: &Disruption,
) -> Result<(), Problem> {
    let before = Intent {
        vfs: disruption.before,
        ..intent.clone()
    };
    world.read_policy(ctx, &intents.statuses)?;
    if world.policy.intent(&before.name) != Some(&before) {
        let change = [Change::Intent(before.clone())];
        ctx.policies.change(&world.policy, &change, false)?;
    }
    world.read_policy(ctx, &intents.statuses)?;
    world.snapshot = observer::all(ctx);
    // What cannot be restored is kept in the status.
    drop(change(ctx, (intents, vms), world, &before));
    ctx.failpoint("gone-back");
    ctx.policies.disrupt(&intent.name, None)
}

fn change(
    ctx: &Context,
    (intents, vms): Both<'_>,
    world: &mut World,
    intent: &Intent,
) -> Result<(), Problem> {
    for setting in displaced(world, intent, true)? {
        let Some(domain) = world.snapshot.domain(&setting.uuid) else {
            continue;
        };
        ctx.failpoint("fall-back");
        let name = &domain.name;
        let message =
            format!("VM {name} moves to its software path until the VFs are created again.");
        ctx.record(EventKind::Noticed, name, message);
        vms.run_step(ctx, world, &setting, domain, Step::DetachVf)?;
    }
    ctx.failpoint("stop-pool");
    intents.last_applied.forget(&intent.name);
    let pool = intent.pool_network();
    let stopped = ctx.edge.vms().stop_network(&pool);
    stopped.map_err(|error| libvirt_failed(&format!("stop network {pool}"), &error.to_string()))?;
    world.snapshot = observer::all(ctx);
    intents.apply(ctx, world, intent)
}
