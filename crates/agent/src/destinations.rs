//! Where each accelerated VM of a node could move to, as the other nodes' reports have it.

use std::collections::BTreeSet;

use accelnet_api::types::{Destination, Path, VmView};
use accelnet_model::{Domain, Node};
use accelnet_rules::migration::{Arrival, Mover, Target, judge};
use accelnet_rules::pair::Pair;

use crate::policy::Policy;
use crate::reports::Report;

/// Tells of each VM of `node` that has a setting whether it can move to each of the other nodes.
/// `down` are the nodes that send no heartbeats.
pub fn tell(
    vms: &mut [VmView],
    node: &Node,
    policy: &Policy,
    reports: &[Report],
    down: &BTreeSet<String>,
) {
    let Some(intent) = policy.managed_intent() else {
        return;
    };
    let name = node.name.known().map_or("", String::as_str);
    let domains = node.domains.known().map_or(&[][..], Vec::as_slice);
    for vm in vms {
        let domain = domains.iter().find(|domain| domain.uuid == vm.uuid);
        let (Some(setting), Some(domain)) = (policy.vm(&vm.uuid), domain) else {
            continue;
        };
        let pair = Pair::of(&domain.vnics, setting.mac, &intent.pool_network());
        let figures = &policy.management.performance;
        let mover = mover(domain, pair, figures.of(setting.performance).queue_pairs);
        let others = reports.iter().filter(|report| report.node != name);
        vm.destinations = others
            .map(|report| {
                let away = (
                    down.contains(&report.node),
                    policy.drained(&report.node).is_some(),
                );
                destination(&mover, &intent.name, report, away)
            })
            .collect();
    }
}

fn mover(domain: &Domain, pair: Pair<'_>, queue_pairs: u32) -> Mover {
    let vfs = usize::from(pair.vf.is_some());
    let devices = domain.host_devices.len().saturating_sub(vfs);
    Mover {
        runs: domain.state.holds_devices(),
        has_vf: pair.vf.is_some(),
        can_fail_over: pair.can_fail_over(),
        may_arrive_without: pair.vf.is_some_and(|vf| vf.model.is_some()),
        other_devices: u32::try_from(devices).unwrap_or(u32::MAX),
        queue_pairs,
    }
}

fn destination(
    mover: &Mover,
    intent: &str,
    report: &Report,
    (down, drained): (bool, bool),
) -> Destination {
    let status = report.intents.iter().find(|one| one.intent == intent);
    let ours = |address| {
        status.is_none_or(|status| status.adapters.iter().any(|one| one.address == address))
    };
    let target = Target {
        up: !down,
        drained,
        intent,
        status,
        adapters: report
            .adapters
            .iter()
            .filter(|adapter| ours(adapter.address))
            .map(|adapter| {
                let free = adapter.vfs.saturating_sub(adapter.vfs_in_use);
                (free, adapter.queue_pairs_per_vf)
            })
            .collect(),
    };
    let (arrival, why) = judge(mover, &target);
    Destination {
        node: report.node.clone(),
        can_migrate: arrival != Arrival::Never,
        path: match arrival {
            Arrival::Vf => Some(Path::Vf),
            Arrival::Software => Some(Path::Software),
            Arrival::Never => None,
        },
        reason: why,
    }
}
