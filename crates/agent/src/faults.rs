//! What is wrong on a node now.

use std::collections::HashMap;

use accelnet_api::types::{Fault, Severity, State, VmView};
use accelnet_model::domain::{VF_ALIAS, Vnic};
use accelnet_model::intent::IntentState;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, Problem};
use accelnet_rules::software_path;

use crate::core::{Core, Seen};
use crate::policy::Policy;
use crate::reports::Report;

/// The faults of a node; one that was there before keeps its time. While management is disabled
/// only the node's own addresses are watched, which its bridges have all the same.
pub(crate) fn of(
    core: &Core,
    seen: &Seen,
    policy: &Policy,
    vms: &[VmView],
    before: Option<&Report>,
) -> Vec<Fault> {
    let old = before
        .into_iter()
        .flat_map(|report| report.faults.iter().rev());
    let old: HashMap<(&str, Code), &str> = old
        .map(|old| ((&*old.subject, old.code), &*old.since))
        .collect();
    let mut faults = Vec::new();
    let mut raise = |severity, subject: &str, problem: &Problem| {
        let since = old.get(&(subject, problem.code)).copied();
        let since = since.unwrap_or(&seen.node.observed_at);
        faults.push(Fault::new(severity, (&core.name, subject), problem, since));
    };
    for (intent, over, problem) in core.unrenewed() {
        let severity = if over {
            Severity::Error
        } else {
            Severity::Warning
        };
        raise(severity, &intent, &problem);
    }
    for lost in core.lost_intents(policy) {
        let name = &lost.name;
        let found =
            format!("The store has no intent {name}, whose VFs and networks exist on this node.");
        let problem = Problem::new(Code::StoreForeign, &[], found).resolution(format!(
            "Adapters, VFs and networks remain unchanged. Restore a newer backup with 'accelnet store restore FILE', add the intent again with 'accelnet intent add', or remove its VFs and networks with 'accelnet intent remove {name}'.",
        ));
        raise(Severity::Error, name, &problem);
    }
    if !policy.management.enabled {
        return faults;
    }
    for domain in lost_vms(seen, policy) {
        let name = &domain.name;
        let found = format!("The store has no setting of VM {name}, which runs with a VF.");
        let problem = Problem::new(Code::StoreForeign, &[], found).resolution(format!(
            "The VM keeps its VF. Restore a newer backup with 'accelnet store restore FILE', or enable the VM again with 'accelnet vm enable {name}'; 'accelnet vm disable {name}' then detaches the VF.",
        ));
        raise(Severity::Warning, name, &problem);
    }
    for status in &core.statuses {
        let failed = status.state == IntentState::Failed;
        for problem in status.problems().filter(|_| failed) {
            raise(Severity::Error, &status.intent, problem);
        }
    }
    if let Some(reason) = seen.node.domains.reason()
        && core.libvirt_may_be_asked
    {
        let problem = Problem::new(Code::VmStateUnknown, &[&core.name], format!("{reason}."));
        raise(Severity::Error, &core.name, &problem);
    }
    let filter = seen.node.platform.bridge_filter.known();
    if let Some((bridge, filter)) = core.managed_bridge(policy).zip(filter) {
        let forwarding = software_path::judge(filter, &bridge);
        if let Err(problem) = forwarding.must_pass(&core.name, Some(&bridge)) {
            raise(Severity::Error, &bridge, &problem);
        }
    }
    if let Some((pool, counted, taken)) = forgetful(seen, policy) {
        let found = format!("Running VMs use {taken} of its VFs; libvirt counts {counted}.");
        let problem = Problem::new(Code::PoolForgot, &[&pool], found);
        raise(Severity::Warning, &pool, &problem);
    }
    for (adapter, problem) in core.filter_problems(None) {
        raise(Severity::Error, &adapter, &problem);
    }
    for vm in vms {
        let unfit = core.unfit_of(&vm.uuid).filter(|_| vm.performance.is_some());
        if let Some(problem) = unfit {
            raise(Severity::Error, &vm.name, problem);
            continue;
        }
        if vm.acceleration == State::Degraded && policy.drained(&core.name).is_none() {
            let problem = core.vf_not_used(vm).unwrap_or_else(|| {
                let found = match vm.conditions.first() {
                    Some(remark) => format!("{remark}."),
                    None => "It has no VF.".to_owned(),
                };
                Problem::new(Code::VmOnSoftwarePath, &[&vm.name], found)
            });
            raise(Severity::Warning, &vm.name, &problem);
        }
    }
    let own = policy.vms.iter().map(|(setting, _)| setting);
    let own = own.filter(|setting| setting.node == core.name && setting.phase == Phase::Enabled);
    let mut locked = Vec::new();
    for setting in own {
        let domain = seen.domain(&setting.uuid);
        let Some(domain) = domain.filter(|one| one.state.holds_devices()) else {
            continue;
        };
        let mut vnics = domain.vnics.iter();
        let vf = vnics.find_map(|vnic| vnic.host_device.filter(|_| vnic.mac == Some(setting.mac)));
        let Some(vf) = vf else { continue };
        locked.push(domain);
        if let Some(problem) = core.silent_hook(domain, vf) {
            raise(Severity::Warning, &domain.name, &problem);
        }
    }
    if !locked.is_empty()
        && let Some(problem) = core.memory_short(&locked)
    {
        raise(Severity::Error, &core.name, &problem);
    }
    faults
}

/// VMs that run with a VF that accelnet gave them, and whose settings the store has lost.
fn lost_vms<'a>(seen: &'a Seen, policy: &Policy) -> Vec<&'a Domain> {
    let running = seen.domains().iter();
    let lost = running.filter(|domain| {
        let given = |vnic: &Vnic| {
            let alias = vnic.alias.as_deref();
            vnic.host_device.is_some() && alias.is_some_and(|alias| alias.starts_with(VF_ALIAS))
        };
        domain.state.holds_devices()
            && domain.vnics.iter().any(given)
            && policy.has_no(&domain.uuid)
    });
    lost.collect()
}

/// The managed intent's pool, how many VFs it counts as taken, and how many are; if it counts
/// too few, because it was restarted meanwhile.
fn forgetful(seen: &Seen, policy: &Policy) -> Option<(String, u32, u32)> {
    let pool = policy.managed_intent()?.pool_network();
    let mut networks = seen.networks.known()?.iter();
    let network = networks.find(|network| network.name == pool && network.active)?;
    let facts = accelnet_libvirt::xml::network(&network.xml)?;
    // What runs names its VF, and no longer the pool that it is from.
    let taken = policy.vms.iter().filter(|(setting, _)| {
        let domain = seen.domain(&setting.uuid);
        let domain = domain.filter(|one| one.state.holds_devices());
        let mut vnics = domain.into_iter().flat_map(|domain| &domain.vnics);
        vnics.any(|vnic| {
            let vf = vnic.host_device.filter(|vf| facts.vfs.contains(vf));
            vnic.mac == Some(setting.mac) && vf.is_some()
        })
    });
    let taken = u32::try_from(taken.count()).unwrap_or(u32::MAX);
    (facts.connections < taken).then_some((pool, facts.connections, taken))
}
