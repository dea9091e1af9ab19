//! Runs the steps of an intent, and undoes what they created.

use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_libvirt::xml::{self, PoolOf};
use accelnet_model::intent::BoundAdapter;
use accelnet_model::vf_plan::Ask;
use accelnet_model::{Intent, Problem};
use accelnet_rules::intent_plan::{Step, Target};

use super::switch;
use crate::context::Context;
use crate::problems::libvirt_failed;
use crate::vf_change::{self, Request};
use crate::world::World;

/// How long a change of the number of VFs may take.
pub(crate) const VF_DEADLINE: Duration = Duration::from_secs(180);
/// Runs one step.
pub(crate) fn run(ctx: &Context, step: &Step, intent: &Intent) -> Result<(), Problem> {
    let vms = ctx.edge.vms();
    let failed = |what: String| {
        move |error: accelnet_libvirt::LibvirtError| libvirt_failed(&what, &error.to_string())
    };
    match step {
        Step::Vfs { address, ask, .. } => {
            let changed = change_vfs(ctx, &address.to_string(), *ask)?;
            for warning in &changed.warnings {
                ctx.record(EventKind::Noticed, &changed.adapter, format!("{warning}."));
            }
            Ok(())
        }
        Step::Switch(plan) => switch::run(ctx, plan, intent),
        Step::Port { bridge, port, .. } => switch::add_port(ctx, bridge, port),
        Step::Network {
            name,
            target,
            restart,
            ..
        } => {
            let stopped = match restart {
                true => vms.stop_network(name),
                false => Ok(()),
            };
            let definition = definition(name, target);
            stopped
                .and_then(|()| vms.define_network(&definition, true))
                .and_then(|()| vms.start_network(name))
                .map_err(failed(format!("create network {name}")))
        }
        Step::StartNetwork { name } => vms
            .start_network(name)
            .map_err(failed(format!("start network {name}"))),
    }
}

fn definition(name: &str, target: &Target) -> String {
    match target {
        Target::Bridge(bridge) => xml::bridge_network(name, bridge),
        Target::Pf(pf) => xml::hostdev_network(name, PoolOf::Pf(pf)),
        Target::Vfs(vfs) => xml::hostdev_network(name, PoolOf::Vfs(vfs)),
    }
}

fn change_vfs(ctx: &Context, adapter: &str, ask: Ask) -> Result<vf_change::Changed, Problem> {
    let request = Request {
        name: adapter,
        ask,
        within: VF_DEADLINE,
        dry_run: false,
    };
    vf_change::run(&ctx.edge.host(), request, None)
}

/// Removes networks, bridge and VFs of an intent; what stays, as fragments.
pub(crate) fn undo(
    ctx: &Context,
    world: &World,
    intent: &Intent,
    bound: &[BoundAdapter],
) -> Vec<String> {
    let mut left = Vec::new();
    for network in [intent.switch_network(), intent.pool_network()] {
        ctx.failpoint("withdraw-network");
        let vms = ctx.edge.vms();
        let stopped = vms.stop_network(&network);
        if let Err(error) = stopped.and_then(|()| vms.remove_network(&network)) {
            left.push(format!("libvirt network {network} stays: {error}"));
        }
    }
    ctx.failpoint("withdraw-switch");
    if let Err(problem) = switch::hand_back(ctx, intent, bound, &world.snapshot) {
        let Problem { message, found, .. } = &problem;
        left.push(format!("the bridge stays: {message} {found}"));
    }
    let adapters = bound
        .iter()
        .filter_map(|bound| world.snapshot.adapter(bound));
    for adapter in adapters.filter(|adapter| !adapter.vfs.is_empty()) {
        ctx.failpoint("withdraw-vfs");
        if let Err(problem) = change_vfs(ctx, &adapter.address.to_string(), Ask::Off) {
            left.push(format!("VFs stay: {} {}", problem.message, problem.found));
        }
    }
    left
}
