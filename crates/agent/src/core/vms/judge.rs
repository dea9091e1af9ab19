//! Whether VMs may have what was asked: one after the other, what is admitted counts for those after it.

use std::collections::BTreeMap;

use accelnet_api::types::VmResult;
use accelnet_host::vms::GuestAnswer;
use accelnet_model::domain::Teaming;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{
    Code, Domain, Intent, Mac, Performance, Problem, VfChoice, VmName, VmSetting,
};
use accelnet_rules::pair;
use accelnet_rules::vm::{self, FreeCapacity, Switch};

use super::fits::{self, Fit};
use super::{Begun, Defined};
use crate::core::room::{self, Place, Space};
use crate::core::standing::Kept;
use crate::core::{Core, Seen, nics};
use crate::policy::Policy;
use crate::view;

/// What was asked for each VM.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// None keeps what it has.
    pub performance: Option<Performance>,
    pub now: bool,
    pub add_nic: bool,
    /// The vNIC; the first that can be accelerated without.
    pub mac: Option<Mac>,
    pub trust: Option<VfChoice>,
    pub spoof_check: Option<VfChoice>,
    /// The VM has a setting, and keeps one.
    pub set: bool,
}

/// A VM that was judged and may have it.
pub(super) struct Admitted {
    /// The place of its result.
    pub place: usize,
    pub setting: VmSetting,
    pub domain: Domain,
    /// Its definition, as it was judged.
    pub defined: Option<Defined>,
    pub plan: pair::Plan,
    warnings: Vec<Problem>,
    /// Its other vNICs that could have been accelerated.
    others: Vec<Mac>,
    /// What its guest is, if it runs: asked at first, and answered while others work.
    guest: Option<GuestAnswer>,
}

impl Admitted {
    /// A sentence of the vNICs that were not chosen; empty without any.
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

    /// What is worth knowing; waits for the guest.
    pub fn warnings(&mut self) -> Vec<Problem> {
        let guest = self.guest.take();
        let warning = Core::guest_warning(&self.domain, guest);
        self.warnings.extend(warning);
        std::mem::take(&mut self.warnings)
    }

    /// Something else that is worth knowing.
    pub fn warn(&mut self, warning: Option<&Problem>) {
        self.warnings.extend(warning.cloned());
    }
}

/// What came of judging a VM that may have what was asked for.
struct Judged {
    setting: VmSetting,
    defined: Defined,
    plan: pair::Plan,
    fit: Fit,
    others: Vec<Mac>,
}

/// What judgements of one request rest on.
struct Judging<'a> {
    wanted: Wanted,
    policy: &'a Policy,
    intent: &'a Intent,
    seen: &'a Seen,
    switch: Switch,
    macs: BTreeMap<Mac, Vec<String>>,
    /// What the adapters here have to give, but for the VM that is judged.
    spaces: Vec<Space<'a>>,
    /// What the cluster promises, but for the VM that is judged.
    kept: Kept,
    /// What those that were admitted take of the node's memory.
    taken_mib: u64,
}

impl Judging<'_> {
    /// The VM gives up what it has and is promised; where that was.
    fn give_up(&mut self, vm: &Domain) -> Option<Place> {
        self.kept.standing.give_up(&vm.uuid);
        room::give_up(&mut self.spaces, &vm.uuid)
    }

    /// The VM is promised a VF, where it had one if it did.
    fn promise(&mut self, vm: &VmSetting, had: Option<Place>, node: &str) {
        let here = vm.node == *node || had.is_some();
        let place = here.then(|| room::promise(&mut self.spaces, vm, had));
        self.kept.standing.promise(vm, place.flatten());
    }
}

impl Core {
    /// Judges each VM, in the order of the request.
    pub(super) fn judge_all(
        &self,
        results: &mut [VmResult],
        wanted: Wanted,
        policy: &Policy,
        intent: &Intent,
        seen: &Seen,
    ) -> Result<Vec<Admitted>, Problem> {
        let mut judging = self.judging(wanted, policy, intent, seen)?;
        let mut admitted = Vec::new();
        for (place, result) in results.iter_mut().enumerate() {
            if result.problem.is_some() {
                continue;
            }
            let domain = result.vm.as_ref().and_then(|vm| seen.domain(&vm.uuid));
            let Some(domain) = domain else {
                let found = format!("libvirt on {} no longer has it.", self.name);
                result.refuse(Problem::new(Code::VmNotFound, &[&result.name], found));
                continue;
            };
            let had = judging.give_up(domain);
            match self.judge(&judging, domain) {
                Err(problem) => {
                    result.refuse(problem);
                    if let Some(known) = policy.vm(&domain.uuid) {
                        judging.promise(known, had, &self.name);
                    }
                }
                Ok(judged) => {
                    judging.promise(&judged.setting, had, &self.name);
                    judging.taken_mib += judged.fit.takes_mib;
                    let running = domain.state.holds_devices();
                    admitted.push(Admitted {
                        place,
                        setting: judged.setting,
                        domain: domain.clone(),
                        defined: Some(judged.defined),
                        plan: judged.plan,
                        warnings: judged.fit.costs,
                        others: judged.others,
                        guest: running.then(|| self.ask_what_it_is(domain)),
                    });
                }
            }
        }
        self.keep_standing(judging.kept);
        Ok(admitted)
    }

    fn judging<'a>(
        &self,
        wanted: Wanted,
        policy: &'a Policy,
        intent: &'a Intent,
        seen: &'a Seen,
    ) -> Result<Judging<'a>, Problem> {
        let switch = self.switch(policy, seen);
        let switch = switch.ok_or_else(|| {
            super::not_applied(&intent.name, &self.name, self.status_of(&intent.name))
        })?;
        let reports = self.reports.shared()?;
        let mut macs: BTreeMap<Mac, Vec<String>> = BTreeMap::new();
        let foreign = reports.iter().filter(|report| report.node != self.name);
        let foreign = foreign.flat_map(|report| report.macs.iter().cloned());
        for (mac, owner) in foreign.chain(view::macs(seen)) {
            macs.entry(mac).or_default().push(owner);
        }
        let promised: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
        let spaces = self.spaces(intent, seen, &promised);
        let kept = self.kept_standing(policy, &promised, &reports, &spaces)?;
        Ok(Judging {
            wanted,
            policy,
            intent,
            seen,
            switch,
            macs,
            spaces,
            kept,
            taken_mib: 0,
        })
    }

    /// Judges one VM: vNICs, the switch, vCPUs, the setting, room; then what else goes with a
    /// VF.
    fn judge(&self, judging: &Judging<'_>, domain: &Domain) -> Result<Judged, Problem> {
        let Judging {
            wanted,
            policy,
            intent,
            seen,
            switch,
            macs,
            ..
        } = judging;
        let known = policy.vm(&domain.uuid);
        if wanted.set && known.is_none() {
            return Err(super::has_no_setting(&domain.name));
        }
        let defined = self.defined(domain)?;
        let mut definition = defined.vm.clone();
        let mut domain = domain.clone();
        let nic = match wanted.add_nic && known.is_none() {
            true => {
                let taken: Vec<Mac> = macs.keys().copied().collect();
                nics::nic_to_add(&definition, switch, &taken)
            }
            false => None,
        };
        if let Some(nic) = &nic {
            definition.vnics.push(nic.clone());
            domain.vnics.push(nic.clone());
        }
        let domain = &domain;
        let known_mac = known.map(|known| known.mac);
        let candidates = match wanted.mac {
            Some(mac) => vm::vnic_called(&definition, switch, mac, known_mac)?,
            None => vm::vnic_on(&definition, switch, known_mac)?,
        };
        let vnic = candidates.chosen;
        let performance = wanted.performance.or(known.map(|known| known.performance));
        let performance = performance.unwrap_or(Performance::Low);
        let before = known.map(|known| known.security).unwrap_or_default();
        let security = before.with(wanted.trust, wanted.spoof_check);
        vm::enough_vcpus(domain, performance, seen.smt())?;
        self.has_room(judging, domain, performance, security)?;
        let mac = vnic.mac.unwrap_or(Mac::ZERO);
        vm::mac_is_its_own(&domain.name, mac, macs)?;
        let pool = intent.pool_network();
        pair::has_no_other_vf(&definition, mac, &pool)?;
        pair::has_no_other_vf(domain, mac, &pool)?;
        let (name, node) = (vm_name(&domain.name)?, self.node_name()?);
        let setting = VmSetting {
            uuid: domain.uuid.clone(),
            name,
            node,
            performance,
            mac: known.map_or(mac, |known| known.mac),
            phase: Phase::Enabling,
            nic_added: known.map_or(nic.is_some(), |known| known.nic_added),
            nic_teamed: known.map_or_else(
                || vnic.teaming == Some(Teaming::Persistent),
                |known| known.nic_teamed,
            ),
            before: known.and_then(before_the_change),
            security,
            security_before: known.map(|known| known.security_before.unwrap_or(known.security)),
        };
        let (plan, fit) = self.judge_plan(judging, &setting, &definition, domain)?;
        // Of one that was accelerated before, it is not asked again.
        let others = match known.is_none() && wanted.mac.is_none() {
            true => candidates.others,
            false => Vec::new(),
        };
        Ok(Judged {
            setting,
            defined,
            plan,
            fit,
            others,
        })
    }

    /// Whether the adapters here, and the cluster with its reserve, have room for a VM.
    fn has_room(
        &self,
        judging: &Judging<'_>,
        domain: &Domain,
        performance: Performance,
        security: accelnet_model::VfSecurityOfVm,
    ) -> Result<(), Problem> {
        let Judging { policy, spaces, .. } = judging;
        let figures = &policy.management.performance;
        let rooms: Vec<FreeCapacity> = spaces.iter().map(|space| space.room(policy)).collect();
        vm::provisionable(performance, figures, &rooms)?;
        self.rate_is_possible(policy, performance, spaces)?;
        let adapters = spaces.iter().map(|space| space.adapter);
        accelnet_rules::intent::is_settable(security.on(judging.intent.security), adapters)?;
        vm::place(&domain.name, performance, figures, &rooms)?;
        judging
            .kept
            .standing
            .admit(&domain.name, &self.name, performance)
    }

    /// The way to a setting, and whether the VM goes with it.
    fn judge_plan(
        &self,
        judging: &Judging<'_>,
        setting: &VmSetting,
        definition: &Domain,
        domain: &Domain,
    ) -> Result<(pair::Plan, Fit), Problem> {
        let (policy, seen, now) = (judging.policy, judging.seen, judging.wanted.now);
        let anew = self.needs_vf_anew(policy, seen, setting);
        let mut plan = self.plan_with(policy, setting, definition, domain, now, anew && now)?;
        let plugs =
            |step: &pair::Step| matches!(step, pair::Step::AttachVf | pair::Step::ReplugNic);
        let plugged = plan.steps.iter().any(plugs);
        let held = domain.state.holds_devices() && !domain.host_devices.is_empty();
        plan.waits_for_restart |= anew && !now && held;
        let saved = self.edge.vms().saved_state(&domain.uuid);
        let saved = saved.unwrap_or_default();
        let wanted = fits::Wanted {
            definition,
            domain,
            mac: setting.mac,
            steps: &plan.steps,
        };
        let mut fit = self.fits(seen, &wanted, &saved, judging.taken_mib)?;
        let unreached = self.filter_problems(Some(setting.mac)).into_iter();
        fit.costs.extend(unreached.map(|(_, problem)| problem));
        let carried = self.vnic_fits(definition, domain, setting.mac, plugged)?;
        fit.costs.extend(carried.costs);
        Ok((plan, fit))
    }
}

/// What a VM had before a change of it that is under way; none of one that had nothing.
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
