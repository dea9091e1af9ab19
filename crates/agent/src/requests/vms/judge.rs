//! Evaluates whether VMs may have what is requested, one after the other: what is admitted counts for those after it.

use std::collections::BTreeMap;

use accelnet_api::types::{VmChange, VmResult};
use accelnet_host::vms::{GuestAnswer, SavedState};
use accelnet_model::adapter::Support;
use accelnet_model::domain::{Teaming, Vnic};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{
    Code, Domain, Intent, Mac, Performance, Problem, VfChoice, VfSecurityOfVm, VmName, VmSetting,
};
use accelnet_rules::pair::{self, Step};
use accelnet_rules::vm::{self, FreeCapacity, Switch};

use super::answer::refuse;
use crate::capacity::adapters::{self, Place};
use crate::capacity::{AdapterCapacity, CachedCluster, Inputs, OwnAdapters};
use crate::context::Context;
use crate::problems::intent_not_applied;
use crate::reconcilers::Reconcilers;
use crate::views::vm::macs;
use crate::vms::change::Prepared;
use crate::vms::fitness::{self, Fit};
use crate::vms::plan::{self, Defined};
use crate::vms::{VmReconciler, added_nic, guest};
use crate::world::World;

/// What is requested for each VM.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// None keeps the setting.
    pub performance: Option<Performance>,
    pub now: bool,
    pub add_nic: bool,
    /// The vNIC; the first that can be accelerated without.
    pub mac: Option<Mac>,
    pub trust: Option<VfChoice>,
    pub spoof_check: Option<VfChoice>,
    /// The VM has a setting, which is changed.
    pub set: bool,
}

impl Wanted {
    /// What a change wants; none of one that disables VMs.
    pub fn of(change: &VmChange) -> Option<Self> {
        match change {
            VmChange::Enable(one) => Some(Wanted {
                performance: Some(one.performance),
                now: one.now,
                add_nic: one.add_nic,
                mac: one.mac,
                trust: one.trust,
                spoof_check: one.spoof_check,
                set: false,
            }),
            VmChange::Set(one) => Some(Wanted {
                performance: one.performance,
                now: one.now,
                add_nic: false,
                mac: None,
                trust: one.trust,
                spoof_check: one.spoof_check,
                set: true,
            }),
            VmChange::Disable(_) => None,
        }
    }
}

/// A VM that may have it.
pub(super) struct Admitted {
    /// The place of its result.
    pub place: usize,
    pub setting: VmSetting,
    pub domain: Domain,
    plan: pair::Plan,
    /// The definition that the plan is based on.
    definition: Option<Defined>,
    warnings: Vec<Problem>,
    /// Its other vNICs that could have been accelerated.
    others: Vec<Mac>,
    /// The operating system of its guest, if it runs: queried first, and answered while others are changed.
    guest: Option<GuestAnswer>,
}

impl Admitted {
    /// The steps.
    pub fn plan(&self) -> &pair::Plan {
        &self.plan
    }

    /// The plan with the definition that it is based on, once.
    pub fn take_prepared(&mut self) -> Option<Prepared> {
        Some(Prepared {
            definition: Some(self.definition.take()?),
            plan: self.plan.clone(),
        })
    }

    /// A sentence about the vNICs that were not chosen; empty without any.
    pub fn others(&self) -> String {
        let macs: Vec<String> = self.others.iter().map(Mac::to_string).collect();
        match macs.as_slice() {
            [] => String::new(),
            [only] => format!(" Its vNIC {only} is on that switch, too; --mac chooses."),
            more => format!(
                " Its vNICs {} are on that switch, too; --mac chooses.",
                more.join(" and ")
            ),
        }
    }

    /// The warnings; waits for the guest.
    pub fn warnings(&mut self) -> Vec<Problem> {
        let warning = guest::warning(&self.domain, self.guest.take());
        self.warnings.extend(warning);
        std::mem::take(&mut self.warnings)
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Option<&Problem>) {
        self.warnings.extend(warning.cloned());
    }
}

/// What an evaluation found of a VM that may have what is requested.
struct Judged {
    setting: VmSetting,
    defined: Defined,
    plan: pair::Plan,
    fit: Fit,
    others: Vec<Mac>,
}

/// What a VM is evaluated by, read before.
struct Facts {
    defined: Defined,
    saved: SavedState,
}

impl Facts {
    fn read(ctx: &Context, domain: &Domain) -> Result<Self, Problem> {
        Ok(Facts {
            defined: plan::lasting_definition(ctx, domain)?,
            saved: ctx.edge.vms().saved_state(&domain.uuid).unwrap_or_default(),
        })
    }
}

/// What the evaluations of one request are based on.
struct Judge<'a> {
    ctx: &'a Context,
    vms: &'a VmReconciler,
    wanted: Wanted,
    world: &'a World,
    intent: &'a Intent,
    switch: Switch,
    macs: BTreeMap<Mac, Vec<String>>,
    /// The capacity of the adapters here, without the VM that is evaluated.
    adapters: Vec<AdapterCapacity<'a>>,
    /// The cluster, without the VM that is evaluated.
    cluster: CachedCluster,
    /// MiB of the node's memory for those that were admitted.
    reserved_mib: u64,
}

/// Evaluates each VM, in the order of the request.
pub(super) fn judge_all(
    agent: &mut Reconcilers,
    results: &mut [VmResult],
    wanted: Wanted,
    world: &World,
    intent: &Intent,
) -> Result<Vec<Admitted>, Problem> {
    let mut judge = Judge::new(agent, wanted, world, intent)?;
    let ctx = judge.ctx;
    let mut admitted = Vec::new();
    for (place, result) in results.iter_mut().enumerate() {
        if result.problem.is_some() {
            continue;
        }
        let uuid = result.vm.as_ref().map(|vm| &vm.uuid);
        let domain = uuid.and_then(|uuid| world.snapshot.domain(uuid));
        let Some(domain) = domain else {
            let found = format!("libvirt on {} no longer has it.", ctx.node);
            let problem = Problem::new(Code::VmNotFound, &[&result.name], found);
            refuse(result, problem);
            continue;
        };
        let had = judge.release(domain);
        match judge.judge(domain) {
            Err(problem) => {
                refuse(result, problem);
                if let Some(known) = world.policy.vm(&domain.uuid) {
                    judge.reserve(known, had);
                }
            }
            Ok(judged) => {
                judge.reserve(&judged.setting, had);
                judge.reserved_mib += judged.fit.takes_mib;
                let running = domain.state.holds_devices();
                admitted.push(Admitted {
                    place,
                    setting: judged.setting,
                    domain: domain.clone(),
                    plan: judged.plan,
                    definition: Some(judged.defined),
                    warnings: judged.fit.costs,
                    others: judged.others,
                    guest: running.then(|| guest::query_system(ctx, domain)),
                });
            }
        }
    }
    let cluster = judge.cluster;
    agent.cluster = Some(cluster);
    Ok(admitted)
}

impl<'a> Judge<'a> {
    fn new(
        agent: &'a mut Reconcilers,
        wanted: Wanted,
        world: &'a World,
        intent: &'a Intent,
    ) -> Result<Self, Problem> {
        let cached = agent.cluster.take();
        let ctx = &agent.ctx;
        let switch = world.switch().ok_or_else(|| {
            let status = agent.intents.statuses.of(&intent.name);
            intent_not_applied(&intent.name, &ctx.node, status)
        })?;
        let reports = ctx.reports.shared()?;
        let mut macs_of: BTreeMap<Mac, Vec<String>> = BTreeMap::new();
        let foreign = reports.iter().filter(|report| report.node != *ctx.node);
        let foreign = foreign.flat_map(|report| report.macs.iter().cloned());
        for (mac, owner) in foreign.chain(macs(&world.snapshot)) {
            macs_of.entry(mac).or_default().push(owner);
        }
        let settings: Vec<VmSetting> = world.settings().cloned().collect();
        let adapters = adapters::of(world, intent, &settings);
        let cluster = CachedCluster::follow(
            cached,
            &Inputs {
                policy: &world.policy,
                management: &world.policy.management,
                settings: &settings,
                reports: &reports,
                down: &ctx.reports.nodes_down()?,
                own: Some(OwnAdapters {
                    node: &ctx.node,
                    adapters: &adapters,
                }),
            },
        );
        Ok(Judge {
            ctx,
            vms: &agent.vms,
            wanted,
            world,
            intent,
            switch,
            macs: macs_of,
            adapters,
            cluster,
            reserved_mib: 0,
        })
    }

    /// Releases what a VM has or has reserved; its place.
    fn release(&mut self, vm: &Domain) -> Option<Place> {
        self.cluster.state.release(&vm.uuid);
        adapters::release(&mut self.adapters, &vm.uuid)
    }

    /// Reserves a VF for a VM, where it had one if it did.
    fn reserve(&mut self, vm: &VmSetting, had: Option<Place>) {
        let here = vm.node == self.world.node || had.is_some();
        let place = here.then(|| adapters::reserve(&mut self.adapters, vm, had));
        self.cluster.state.reserve(vm, place.flatten());
    }

    /// Evaluates one VM: vNICs, the switch, vCPUs, the setting, capacity; then whether it is fit for a VF.
    fn judge(&self, domain: &Domain) -> Result<Judged, Problem> {
        let wanted = self.wanted;
        let known = self.world.policy.vm(&domain.uuid);
        if wanted.set && known.is_none() {
            let found = "It has no performance setting.";
            return Err(Problem::new(Code::VmNotAccelerated, &[&domain.name], found));
        }
        let Facts { defined, saved } = Facts::read(self.ctx, domain)?;
        let mut definition = defined.vm.clone();
        let mut domain = domain.clone();
        let taken: Vec<Mac> = self.macs.keys().copied().collect();
        let nic = match wanted.add_nic && known.is_none() {
            true => added_nic::to_add(&definition, &self.switch, &taken),
            false => None,
        };
        definition.vnics.extend(nic.clone());
        domain.vnics.extend(nic.clone());
        let known_mac = known.map(|known| known.mac);
        let candidates = match wanted.mac {
            Some(mac) => vm::vnic_called(&definition, &self.switch, mac, known_mac)?,
            None => vm::vnic_on(&definition, &self.switch, known_mac)?,
        };
        let vnic = candidates.chosen;
        let performance = wanted.performance.or(known.map(|known| known.performance));
        let performance = performance.unwrap_or(Performance::Low);
        let before = known.map(|known| known.security).unwrap_or_default();
        let security = before.with(wanted.trust, wanted.spoof_check);
        vm::enough_vcpus(&domain, performance, self.world.snapshot.smt())?;
        self.has_capacity(&domain, performance, security)?;
        let mac = vnic.mac.unwrap_or(Mac::ZERO);
        vm::mac_is_its_own(&domain.name, mac, &self.macs)?;
        pair::has_no_other_vf(&definition, mac, &self.world.pool)?;
        pair::has_no_other_vf(&domain, mac, &self.world.pool)?;
        let setting = self.setting(&domain, vnic, nic.is_some(), (performance, security))?;
        // The vNIC of a VM that was accelerated before is not chosen again.
        let others = match known.is_none() && wanted.mac.is_none() {
            true => candidates.others,
            false => Vec::new(),
        };
        let judged = Defined {
            vm: definition,
            xml: defined.xml,
        };
        let (plan, fit) = self.judge_plan(&setting, &judged, &domain, &saved)?;
        Ok(Judged {
            setting,
            defined: Defined {
                vm: defined.vm,
                ..judged
            },
            plan,
            fit,
            others,
        })
    }

    /// The setting of a VM with that vNIC, which is added if `is_added`.
    fn setting(
        &self,
        domain: &Domain,
        vnic: &Vnic,
        is_added: bool,
        (performance, security): (Performance, VfSecurityOfVm),
    ) -> Result<VmSetting, Problem> {
        let known = self.world.policy.vm(&domain.uuid);
        let is_teamed = vnic.teaming == Some(Teaming::Persistent);
        let mac = vnic.mac.unwrap_or(Mac::ZERO);
        Ok(VmSetting {
            uuid: domain.uuid.clone(),
            name: vm_name(&domain.name)?,
            node: self.world.node.clone(),
            performance,
            mac: known.map_or(mac, |known| known.mac),
            phase: Phase::Enabling,
            nic_added: known.map_or(is_added, |known| known.nic_added),
            nic_teamed: known.map_or(is_teamed, |known| known.nic_teamed),
            before: known.and_then(before_the_change),
            security,
            security_before: known.map(|known| known.security_before.unwrap_or(known.security)),
        })
    }

    /// Whether the adapters here, and the cluster with its reserve, have capacity for a VM.
    fn has_capacity(
        &self,
        domain: &Domain,
        performance: Performance,
        security: VfSecurityOfVm,
    ) -> Result<(), Problem> {
        let policy = &self.world.policy;
        let figures = &policy.management.performance;
        let adapters = self.adapters.iter();
        let free: Vec<FreeCapacity> = adapters.clone().map(|one| one.free(policy)).collect();
        vm::provisionable(performance, figures, &free)?;
        self.can_limit_rate(performance)?;
        let adapters = adapters.map(|one| one.adapter);
        accelnet_rules::intent::is_settable(security.on(self.intent.security), adapters)?;
        vm::place(&domain.name, performance, figures, &free)?;
        let node = &self.world.node;
        self.cluster.state.admit(&domain.name, node, performance)
    }

    /// A rate limit requires an adapter that can limit a rate.
    fn can_limit_rate(&self, setting: Performance) -> Result<(), Problem> {
        let figures = &self.world.policy.management.performance;
        let percent = figures.of(setting).rate_limit_percent;
        let mut adapters = self.adapters.iter().filter(|_| percent < 100);
        let refusal = adapters.find_map(|one| match one.adapter.features.max_tx_rate.known()? {
            Support::Yes => None,
            Support::No { reason } => Some((one.adapter.name(), reason)),
        });
        refusal.map_or(Ok(()), |(adapter, reason)| {
            let found = format!("Adapter {adapter} cannot limit the transmit rate of a VF.");
            let code = Code::CannotProvisionPerformance;
            Err(Problem::new(code, &[&setting.to_string()], found)
                .needed(format!("A transmit rate of {percent} % of the adapter's."))
                .cause(reason.clone()))
        })
    }

    /// The plan of a setting, and whether the VM is fit for it.
    fn judge_plan(
        &self,
        setting: &VmSetting,
        defined: &Defined,
        domain: &Domain,
        saved: &SavedState,
    ) -> Result<(pair::Plan, Fit), Problem> {
        let (vms, now) = (self.vms, self.wanted.now);
        let plan = vms.plan_to_vf(self.world, setting, domain, Some(defined), now)?;
        let plugs = |step: &Step| matches!(step, Step::AttachVf | Step::ReplugNic);
        let plugged = plan.steps.iter().any(plugs);
        let subject = fitness::Subject {
            definition: &defined.vm,
            domain,
            mac: setting.mac,
            steps: &plan.steps,
        };
        let snapshot = &self.world.snapshot;
        let mut fit = fitness::check(self.ctx, snapshot, &subject, saved, self.reserved_mib)?;
        let unreached = vms.bridge.filter.problems(Some(setting.mac)).into_iter();
        fit.costs.extend(unreached.map(|(_, problem)| problem));
        let carried = vms
            .vnics
            .carried(&defined.vm, domain, setting.mac, plugged)?;
        fit.costs.extend(carried.costs);
        Ok((plan, fit))
    }
}

/// The setting of a VM before a change that is under way; none of a VM that had none.
fn before_the_change(known: &VmSetting) -> Option<Performance> {
    let begun = known.phase == Phase::Enabling && known.before.is_none();
    (!begun).then(|| known.before.unwrap_or(known.performance))
}

/// The name of a VM as its setting has it.
fn vm_name(name: &str) -> Result<VmName, Problem> {
    name.parse().map_err(|error: accelnet_model::id::NotAnId| {
        Problem::new(Code::VmUnfit, &[name], format!("{error}."))
    })
}
