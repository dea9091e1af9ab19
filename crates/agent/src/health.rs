//! The faults of a node.

use std::collections::HashSet;

use accelnet_api::types::{Fault, Severity, State, VmView};
use accelnet_model::domain::{VF_ALIAS, Vnic};
use accelnet_model::intent::IntentState;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, Problem};
use accelnet_rules::conditions::{Conditions, Hysteresis, Moment};
use accelnet_rules::software_path;

use crate::context::Context;
use crate::intents::{IntentReconciler, reconciler};
use crate::vms::paths::Watched;
use crate::vms::{VmReconciler, fitness, hook_outcome};
use crate::world::World;

/// What faults are found in.
pub(crate) struct Subject<'a> {
    pub world: &'a World,
    pub intents: &'a IntentReconciler,
    pub vms: &'a VmReconciler,
    /// The VMs as they are shown.
    pub views: &'a [VmView],
}

/// A fault before its time is known.
type Finding = (Severity, String, Problem);

/// Faults by subject and code.
type Faults = Conditions<(String, Code), Fault>;

/// The faults of this node.
#[derive(Default)]
pub(crate) struct Health {
    /// None before the first report of this agent.
    faults: Option<Faults>,
}

impl Health {
    /// Looks for faults; one that was found before keeps its time, also that of an earlier agent.
    pub fn faults(&mut self, ctx: &Context, subject: &Subject<'_>) -> Vec<Fault> {
        let conditions = self.faults.get_or_insert_with(|| reported(ctx));
        let world = subject.world;
        let now = Moment {
            time: &world.snapshot.node.observed_at,
            uptime: ctx.uptime(),
        };
        let found = findings(ctx, subject).into_iter();
        let found = found.map(|((severity, name, problem), hysteresis)| {
            let names = (&*world.node, &*name);
            let fault = Fault::new(severity, names, &problem, now.time.to_owned());
            (key(&fault), fault, hysteresis)
        });
        let found: Vec<_> = found.collect();
        conditions.update(found.iter().cloned(), now);
        // Several findings can have one key.
        let keys: HashSet<_> = found.iter().map(|(key, ..)| key).collect();
        let kept = conditions.raised().filter(|(key, ..)| !keys.contains(key));
        let kept = kept.map(|(key, fault, _)| (key, fault));
        let faults = found.iter().map(|(key, fault, _)| (key, fault)).chain(kept);
        let raised = faults.filter_map(|(key, fault)| {
            let since = conditions.since(key)?.to_owned();
            Some(Fault {
                since,
                ..fault.clone()
            })
        });
        raised.collect()
    }
}

fn key(fault: &Fault) -> (String, Code) {
    (fault.subject.clone(), fault.code)
}

/// The faults that an earlier agent of this node reported.
fn reported(ctx: &Context) -> Faults {
    let report = ctx.reports.stored();
    let faults = report.into_iter().flat_map(|report| report.faults);
    Conditions::restored(faults.map(|fault| (key(&fault), fault.clone(), fault.since)))
}

/// What is found now. While Accelerated Networking is disabled only the addresses of the node's bridges and lost
/// intents are watched.
fn findings(ctx: &Context, subject: &Subject<'_>) -> Vec<(Finding, Hysteresis)> {
    let world = subject.world;
    let mut found = leases(ctx, subject);
    found.extend(lost_intents(world));
    if world.policy.management.enabled {
        found.extend(lost_vms(world));
        found.extend(failed_intents(subject));
        found.extend(unknown_vms(ctx, world));
        found.extend(firewall(world));
        found.extend(wrong_count(world));
        let filters = subject.vms.bridge.filter.problems(None).into_iter();
        found.extend(filters.map(|(adapter, problem)| (Severity::Error, adapter, problem)));
        found.extend(vms(ctx, subject));
        found.extend(running_vms(ctx, world));
    }
    let found = found.into_iter();
    found.map(|found| (found, Hysteresis::NONE)).collect()
}

/// Addresses of bridges that are not renewed.
fn leases(ctx: &Context, subject: &Subject<'_>) -> Vec<Finding> {
    let leases = subject.intents.unrenewed(ctx.uptime()).into_iter();
    let finding = |(intent, is_over, problem)| match is_over {
        true => (Severity::Error, intent, problem),
        false => (Severity::Warning, intent, problem),
    };
    leases.map(finding).collect()
}

/// Intents that exist here, and which the store lost.
fn lost_intents(world: &World) -> Vec<Finding> {
    let lost = reconciler::lost(world).into_iter();
    let finding = |intent: accelnet_model::Intent| {
        let name = &intent.name;
        let found =
            format!("The store has no intent {name}, whose VFs and networks exist on this node.");
        let problem = Problem::new(Code::StoreForeign, &[], found).resolution(format!(
            "Adapters, VFs and networks remain unchanged. Restore a newer backup with 'accelnet store restore FILE', add the intent again with 'accelnet intent add', or remove its VFs and networks with 'accelnet intent remove {name}'.",
        ));
        (Severity::Error, name.to_string(), problem)
    };
    lost.map(finding).collect()
}

/// VMs that run with a VF that accelnet attached, and whose settings the store lost.
fn lost_vms(world: &World) -> Vec<Finding> {
    let is_given = |vnic: &Vnic| {
        let alias = vnic.alias.as_deref();
        vnic.host_device.is_some() && alias.is_some_and(|alias| alias.starts_with(VF_ALIAS))
    };
    let running = world.snapshot.domains().iter();
    let lost = running.filter(|domain| {
        domain.state.holds_devices()
            && domain.vnics.iter().any(is_given)
            && world.policy.has_no(&domain.uuid)
    });
    let finding = |domain: &Domain| {
        let name = &domain.name;
        let found = format!("The store has no setting of VM {name}, which runs with a VF.");
        let problem = Problem::new(Code::StoreForeign, &[], found).resolution(format!(
            "The VM keeps its VF. Restore a newer backup with 'accelnet store restore FILE', or enable the VM again with 'accelnet vm enable {name}'; 'accelnet vm disable {name}' then detaches the VF.",
        ));
        (Severity::Warning, name.clone(), problem)
    };
    lost.map(finding).collect()
}

fn failed_intents(subject: &Subject<'_>) -> Vec<Finding> {
    let statuses = subject.intents.statuses.all().iter();
    let failed = statuses.filter(|status| status.state == IntentState::Failed);
    let problems = failed.flat_map(|status| {
        let problems = status.problems();
        problems.map(|problem| (Severity::Error, status.intent.clone(), problem.clone()))
    });
    problems.collect()
}

fn unknown_vms(ctx: &Context, world: &World) -> Option<Finding> {
    let reason = world.snapshot.node.domains.reason();
    let reason = reason.filter(|_| ctx.libvirt_is_ready)?;
    let problem = Problem::new(Code::VmStateUnknown, &[&world.node], format!("{reason}."));
    Some((Severity::Error, world.node.to_string(), problem))
}

/// The host's firewall drops what the managed bridge forwards.
fn firewall(world: &World) -> Option<Finding> {
    let filter = world.snapshot.node.platform.bridge_filter.known()?;
    let bridge = world.bridge.as_deref()?;
    let forwarding = software_path::judge(filter, bridge);
    let problem = forwarding.must_pass(&world.node, Some(bridge)).err()?;
    Some((Severity::Error, bridge.to_owned(), problem))
}

/// The managed pool counts fewer VFs in use than there are, because it was restarted meanwhile.
fn wrong_count(world: &World) -> Option<Finding> {
    let pool = &world.pool;
    let mut networks = world.snapshot.networks.known()?.iter();
    networks.find(|network| network.name == *pool && network.active)?;
    let mut facts = world.snapshot.network_facts().iter();
    let (_, facts) = facts.find(|(name, _)| name == pool)?;
    // A running VM names its VF, and no longer the pool that it is from.
    let taken = world.settings().filter(|setting| {
        let domain = world.snapshot.running(&setting.uuid);
        let mut vnics = domain.into_iter().flat_map(|domain| &domain.vnics);
        vnics.any(|vnic| {
            let vf = vnic.host_device.filter(|vf| facts.vfs.contains(vf));
            vnic.mac == Some(setting.mac) && vf.is_some()
        })
    });
    let (counted, taken) = (facts.connections, taken.count());
    if u32::try_from(taken).unwrap_or(u32::MAX) <= counted {
        return None;
    }
    let found = format!("Running VMs use {taken} of its VFs; libvirt counts {counted}.");
    let problem = Problem::new(Code::PoolForgot, &[pool], found);
    Some((Severity::Warning, pool.clone(), problem))
}

/// VMs that are on their software path, or would bypass settings of their vNICs.
fn vms(ctx: &Context, subject: &Subject<'_>) -> Vec<Finding> {
    let (world, vms) = (subject.world, subject.vms);
    let drained = world.policy.drained(&world.node).is_some();
    let finding = |vm: &VmView| {
        let unfit = vms.conditions.unfit(&vm.uuid);
        if let Some(problem) = unfit.filter(|_| vm.performance.is_some()) {
            return Some((Severity::Error, vm.name.clone(), problem.clone()));
        }
        if vm.acceleration != State::Degraded || drained {
            return None;
        }
        let is_late = vms.paths.of(&vm.uuid).is_some_and(Watched::is_late);
        let problem = match is_late || vms.detached.of(&vm.uuid).is_some() {
            true => vms.not_used(ctx, &vm.uuid, &vm.name),
            false => {
                let found = match vm.conditions.first() {
                    Some(condition) => format!("{condition}."),
                    None => "It has no VF.".to_owned(),
                };
                Problem::new(Code::VmOnSoftwarePath, &[&vm.name], found)
            }
        };
        Some((Severity::Warning, vm.name.clone(), problem))
    };
    subject.views.iter().filter_map(finding).collect()
}

/// Running VMs for whose VFs the hook did not run, and the node's memory beside VMs with VFs.
fn running_vms(ctx: &Context, world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut with_vfs = Vec::new();
    let own = world.own_settings();
    for setting in own.filter(|setting| setting.phase == Phase::Enabled) {
        let domain = world.snapshot.running(&setting.uuid);
        let vnics = domain.into_iter().flat_map(|domain| &domain.vnics);
        let mut vnics = vnics.filter(|vnic| vnic.mac == Some(setting.mac));
        let vf = vnics.find_map(|vnic| vnic.host_device);
        if let (Some(domain), Some(vf)) = (domain, vf) {
            with_vfs.push(domain);
            let problem = hook_outcome::missing(ctx, domain, vf);
            found.extend(problem.map(|one| (Severity::Warning, domain.name.clone(), one)));
        }
    }
    if !with_vfs.is_empty()
        && let Some(problem) = fitness::memory_problem(ctx, &with_vfs)
    {
        found.push((Severity::Error, world.node.to_string(), problem));
    }
    found
}
