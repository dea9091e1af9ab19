//! One pass of an agent: brings the node to the policy, and tells what it found.

use std::collections::BTreeSet;

use accelnet_api::types::{EventKind, PlanAnswer, PlannedStep};
use accelnet_model::past::past;
use accelnet_model::vf::VfSettings;
use accelnet_model::vf_security::OnOff;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Adapter, Code, Domain, Problem, Uuid, Vf, VmSetting};
use accelnet_netlink::VfChange;
use accelnet_rules::pair::{self, Pair};

use super::vms::none_is_free;
use super::{Core, Seen};
use crate::cluster::Why;
use crate::policy::{Change, Policy};
use crate::view::find_vf;

impl Core {
    /// Looks, plans, acts, and leaves a picture. What cannot be done is told and stands in the
    /// statuses; the next pass tries again.
    ///
    /// # Errors
    ///
    /// The store cannot be read: then the node stays as it is.
    pub fn pass(&mut self) -> Result<(), Problem> {
        let policy = self.policies.read()?;
        let seen = self.look();
        self.settle(policy, seen)
    }

    /// The same when nothing but the policy is known to have changed, at `revision` the last time.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn pass_of_policy(&mut self, revision: u64) -> Result<(), Problem> {
        let policy = self.policies.read_since(revision)?;
        let seen = self.look_at_adapters();
        self.settle(policy, seen)
    }

    fn settle(&mut self, mut policy: Policy, mut seen: Seen) -> Result<(), Problem> {
        self.can_go_on(&seen)?;
        self.step_was_short = false;
        // Nothing can be decided without the store, and what is there may be meant. A node that
        // has just started has nothing yet, and is brought to what was read last.
        // One whose name another agent has is not the node that the policy means.
        let away = self.cut_off();
        let taken = away.as_ref().is_some_and(|away| away.why == Why::NameTaken);
        if taken || self.begun && away.is_some() {
            self.leave(seen, &policy);
            return Ok(());
        }
        let first = !std::mem::replace(&mut self.begun, true);
        // A guest whose VF has no link receives nothing until it is gone: that is before the intents.
        if !first && self.take_back_without_link(&policy, &seen) {
            seen = self.look();
        }
        if self.apply_intents(&policy, &mut seen) {
            policy = self.policies.read()?;
        }
        if policy.held.management {
            // Which VMs are managed, and how, is not known: they stay as they are.
            self.applied_revision = policy.revision;
            self.leave(seen, &policy);
            return Ok(());
        }
        self.learn_ways(&policy, &seen);
        // Before libvirt starts VMs at boot.
        self.settle_wishes(&policy, &seen);
        self.settle_pools(&policy, &seen);
        if self.take_over(&policy, &seen) {
            policy = self.policies.read()?;
        }
        if seen.node.domains.known().is_some() {
            self.watch_paths(&policy, &seen);
            if first {
                // What an agent before this one began is finished.
                self.settle_filter(&policy, &seen);
            }
            if self.settle_vms(&policy, &seen) {
                policy = self.policies.read()?;
                seen = self.look();
                self.learn_ways(&policy, &seen);
            }
            // What cannot be recorded now is recorded by the next pass.
            drop(self.end_request(&policy, &seen, false));
            self.settle_vfs(&policy, &seen);
        } else {
            // libvirt may start VMs before it answers.
            self.settle_bridging(&policy);
        }
        self.applied_revision = policy.revision;
        self.ask_guests(&policy, &seen);
        self.leave(seen, &policy);
        Ok(())
    }

    /// Brings the VMs of this node to their settings. Whether anything was done.
    fn settle_vms(&mut self, policy: &Policy, seen: &Seen) -> bool {
        self.forget_vnics(policy);
        let left_open = self.left_open();
        let mut ended = Vec::new();
        let mut acted = self.plug_in_again(seen);
        let without = seen.domains().iter();
        let without = without.filter(|domain| policy.has_no(&domain.uuid));
        for domain in without {
            acted |= self.end_ready(policy, domain);
        }
        for (setting, _) in &policy.vms {
            let domain = seen.domain(&setting.uuid);
            if setting.node != self.name {
                acted |= domain.is_some_and(|domain| self.keep_ready(policy, setting, domain));
                continue;
            }
            let Some(domain) = domain else {
                // A VM that is gone needs nothing taken away.
                if setting.phase == Phase::Disabling {
                    ended.push(Change::NoVm(setting.uuid.clone()));
                    acted = true;
                }
                continue;
            };
            acted |= match setting.phase {
                Phase::Enabling => {
                    ended.push(self.go_on_enabling(policy, seen, setting, domain, &left_open));
                    true
                }
                Phase::Disabling => {
                    ended.push(self.go_on_disabling(policy, setting, domain, &left_open));
                    true
                }
                Phase::Enabled if policy.drained(&self.name).is_some() => {
                    policy.management.enabled && self.take_for_drain(policy, setting, domain)
                }
                Phase::Enabled if policy.management.enabled => {
                    self.take_back(policy, seen, setting, domain)
                        || self.mend_vm(policy, seen, setting, domain)
                }
                Phase::Enabled => false,
            };
        }
        if !ended.is_empty() && !self.policies.change(policy, &ended, false).unwrap_or(false) {
            // Somebody changed one of them meanwhile.
            for change in ended {
                self.put(policy, change);
            }
        }
        acted
    }

    /// An agent died in the middle: it arrives where it was going, or where it was.
    fn go_on_enabling(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        setting: &VmSetting,
        domain: &Domain,
        left_open: &BTreeSet<Uuid>,
    ) -> Change {
        // It died between taking the vNIC out and putting it in again.
        let has_nic = domain
            .vnics
            .iter()
            .any(|vnic| vnic.mac == Some(setting.mac));
        let unplugged = domain.state.holds_devices() && !has_nic;
        let done = self.enable_one(policy, seen, setting, domain, None, unplugged);
        let change = match &done {
            Ok(_) => Change::Vm(settled(setting)),
            Err(_) => {
                let own = [setting.uuid.to_string()];
                let after = self.look_at_changed(policy, seen, &own);
                self.taken_back(policy, setting, &after)
            }
        };
        let name = &domain.name;
        let done = done.map(|_| format!("Completed the interrupted change of VM {name}."));
        self.went_on(left_open, setting, name, done);
        change
    }

    /// A setting whose change failed: what was before. A pair that could not be taken back, as
    /// when libvirt went away meanwhile, is taken back by the next pass.
    pub(crate) fn taken_back(&self, policy: &Policy, setting: &VmSetting, after: &Seen) -> Change {
        if let Some(before) = setting.before {
            return Change::Vm(VmSetting {
                performance: before,
                phase: Phase::Enabled,
                before: None,
                security: setting.security_before.unwrap_or(setting.security),
                security_before: None,
                ..setting.clone()
            });
        }
        let domain = after.domain(&setting.uuid);
        let left = match domain {
            Some(domain) => !self.has_nothing_of(policy, setting, domain),
            None => after.node.domains.known().is_none(),
        };
        match left {
            true => Change::Vm(VmSetting {
                phase: Phase::Disabling,
                ..setting.clone()
            }),
            false => Change::NoVm(setting.uuid.clone()),
        }
    }

    fn go_on_disabling(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        left_open: &BTreeSet<Uuid>,
    ) -> Change {
        let done = self.disable_one(policy, setting, domain);
        let change = match &done {
            Ok(()) => Change::NoVm(setting.uuid.clone()),
            Err(_) => Change::Vm(VmSetting {
                phase: Phase::Enabled,
                ..setting.clone()
            }),
        };
        let name = &domain.name;
        let done = done.map(|()| format!("VM {name} is back on its software path."));
        self.went_on(left_open, setting, name, done);
        change
    }

    /// Somebody else changed the VM: its pair is mended, its name is followed.
    fn mend_vm(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let mut acted = false;
        if setting.name != domain.name
            && let Ok(name) = domain.name.parse()
        {
            let message = format!("VM {} was renamed to {}.", setting.name, domain.name);
            self.tell(EventKind::Noticed, &domain.name, message);
            let renamed = VmSetting {
                name,
                ..setting.clone()
            };
            acted |= self.put(policy, Change::Vm(renamed));
        }
        let (plan, past) = match self.plan_to_mend(policy, setting, domain) {
            Ok(planned) => planned,
            Err(problem) => {
                self.blame(&setting.uuid, &problem);
                return acted;
            }
        };
        if let Some(problem) = past.live.as_ref().or(past.config.as_ref()) {
            return acted | self.hold_vm(policy, setting, domain, &plan, problem);
        }
        self.judge_vnic(setting, past.lost);
        let lost = plan
            .steps
            .iter()
            .any(|step| *step != pair::Step::WriteConfig);
        if !lost {
            match self.is_taken_back(&setting.uuid) {
                true => {
                    let problem = self.not_used(&setting.uuid, &domain.name);
                    self.blame(&setting.uuid, &problem);
                }
                false => self.forgive(&setting.uuid),
            }
            return acted;
        }
        let found = match plan.steps.contains(&pair::Step::AttachVf) {
            true => format!("VM {} runs without its VF.", domain.name),
            false => format!("The definition of VM {} has lost its VF.", domain.name),
        };
        let news = self.reason_of(&setting.uuid).is_none();
        if news {
            self.tell(EventKind::Drift, &domain.name, found);
        }
        if plan.steps.contains(&pair::Step::AttachVf) && self.free_vfs(policy, seen) == Some(0) {
            if plan.steps.contains(&pair::Step::DropStandIn) {
                // Its own guest has not seen it.
                acted |= self
                    .only(policy, setting, domain, pair::Step::DropStandIn)
                    .is_ok();
            }
            let problem = none_is_free(&domain.name);
            if news {
                self.tell_problem(EventKind::Failed, &domain.name, &problem);
            }
            self.blame(&setting.uuid, &problem);
            return acted;
        }
        match self.enable_one(policy, seen, setting, domain, None, false) {
            Ok(_) => {
                self.forgive(&setting.uuid);
                let message = format!("Repaired acceleration of VM {}.", domain.name);
                self.tell(EventKind::Repaired, &domain.name, message);
            }
            Err(problem) => {
                if news {
                    self.tell_problem(EventKind::Failed, &domain.name, &problem);
                }
                self.blame(&setting.uuid, &problem);
            }
        }
        true
    }

    /// A VF would go past what somebody set of the vNIC: the VM is kept from it. Whether anything was done.
    fn hold_vm(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        plan: &pair::Plan,
        problem: &Problem,
    ) -> bool {
        let news = self.judge_vnic(setting, Some(problem.clone()));
        self.blame(&setting.uuid, problem);
        if plan.steps.is_empty() {
            return false;
        }
        match self.keep_from_vf(policy, setting, domain, plan) {
            Ok(()) => {
                let message = format!(
                    "VM {} is kept on its software path: {}.",
                    domain.name, plan.why
                );
                self.tell(EventKind::Repaired, &domain.name, message);
            }
            Err(failure) if news => {
                self.tell_problem(EventKind::Failed, &domain.name, &failure);
            }
            Err(_) => {}
        }
        true
    }

    /// Brings the settings of VFs to what their VMs' say, and of VFs that nobody has to none.
    fn settle_vfs(&mut self, policy: &Policy, seen: &Seen) {
        let Some(intent) = policy
            .managed_intent()
            .filter(|_| policy.management.enabled)
        else {
            return;
        };
        let pool = intent.pool_network();
        let mut wanted: Vec<(&Adapter, &Vf, Vec<VfChange>, String)> = Vec::new();
        for (setting, _) in &policy.vms {
            let domain = seen.domain(&setting.uuid);
            let domain = domain.filter(|one| one.state.holds_devices());
            let Some(domain) = domain else { continue };
            let pair = Pair::of(&domain.vnics, setting.mac, &pool);
            let Some((adapter, vf)) = pair.vf.and_then(|vf| find_vf(seen, vf)) else {
                continue;
            };
            let vlan = self.vlan_of_live(domain, setting.mac);
            let changes = self.differences(policy, setting, adapter, vf, vlan);
            // On its way to another node it has given up the VF, which still has it by name.
            let leaves = |uuid| self.edge.vms().is_busy(uuid).unwrap_or(true);
            if !changes.is_empty() && leaves(&setting.uuid) {
                continue;
            }
            wanted.push((adapter, vf, changes, setting.name.to_string()));
        }
        let bound = self.policies.bound(&intent.name).ok().flatten();
        for bound in bound.unwrap_or_default() {
            let Some(adapter) = seen.adapter(&bound) else {
                continue;
            };
            for vf in &adapter.vfs {
                let free = vf.users.known().is_some_and(Vec::is_empty);
                let none = vf
                    .driver
                    .known()
                    .is_some_and(|driver| driver.as_deref() != Some("vfio-pci"));
                if let (true, true, Some(settings)) = (free, none, vf.settings.known()) {
                    wanted.push((adapter, vf, leftovers(settings), String::new()));
                }
            }
        }
        for (adapter, vf, changes, vm) in wanted {
            self.set_vf(adapter, vf, &changes, &vm);
        }
    }

    fn set_vf(&self, adapter: &Adapter, vf: &Vf, changes: &[VfChange], vm: &str) {
        let Some(interface) = adapter.interfaces.first() else {
            return;
        };
        let subject = match vm {
            "" => adapter.name(),
            vm => vm.to_owned(),
        };
        // `igb_ndo_set_vf_bw` refuses every rate without link: its turn comes when the link does.
        let has_link = interface.link.up && interface.link.carrier;
        let can_be = |change: &&VfChange| has_link || !matches!(change, VfChange::Rate { .. });
        for change in changes.iter().filter(can_be) {
            let what = match vm {
                "" => format!("VF {} of {} (not in use)", vf.index, adapter.name()),
                vm => format!("VF {} of {} (VM {vm})", vf.index, adapter.name()),
            };
            self.tell(
                EventKind::Drift,
                &subject,
                format!("Drift: {what} has other settings; repair: {change}."),
            );
            match self
                .edge
                .host()
                .links
                .set_vf(interface.link.index, vf.index, *change)
            {
                Ok(_) => self.tell(
                    EventKind::Repaired,
                    &subject,
                    format!("{} on {what}.", past(&change.to_string())),
                ),
                Err(error) => self.tell(
                    EventKind::Failed,
                    &subject,
                    format!("Failed to {error} on {what}."),
                ),
            }
        }
    }

    /// Sets what the guest of a VM may do with the VF that it has: at once, and without taking it away.
    ///
    /// # Errors
    ///
    /// The driver refuses it.
    pub(crate) fn set_security(
        &self,
        policy: &Policy,
        seen: &Seen,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<(), Problem> {
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pair = Pair::of(
            &domain.vnics,
            setting.mac,
            pool.as_deref().unwrap_or_default(),
        );
        let vf = pair.vf.filter(|_| domain.state.holds_devices());
        let Some((adapter, vf)) = vf.and_then(|vf| find_vf(seen, vf)) else {
            return Ok(());
        };
        let Some(interface) = adapter.interfaces.first() else {
            return Ok(());
        };
        for change in self.differences(policy, setting, adapter, vf, None) {
            let what = match change {
                VfChange::Trust(on) => format!("trust {}", OnOff(on)),
                VfChange::SpoofCheck(on) => format!("spoof check {}", OnOff(on)),
                _ => continue,
            };
            let links = self.edge.host().links;
            let set = links.set_vf(interface.link.index, vf.index, change);
            set.map_err(|error| {
                let found = format!(
                    "It was to have it for VF {}, of VM {}.",
                    vf.index, setting.name
                );
                Problem::new(Code::VfSettingUnsupported, &[&adapter.name(), &what], found)
                    .cause(error.to_string())
            })?;
        }
        Ok(())
    }

    /// What has to change for a VF to be as its VM's setting says.
    fn differences(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        adapter: &Adapter,
        vf: &Vf,
        vlan: Option<u16>,
    ) -> Vec<VfChange> {
        let Some(settings) = vf.settings.known() else {
            return Vec::new();
        };
        let wish = self.wish(policy, setting, &[adapter]);
        let mut changes = Vec::new();
        if settings.mac != wish.mac {
            changes.push(VfChange::Mac(wish.mac));
        }
        if let Some(vlan) = vlan.filter(|vlan| settings.vlan != *vlan) {
            changes.push(VfChange::Vlan {
                id: vlan,
                qos: 0,
                protocol: settings.vlan_protocol,
            });
        }
        // A rate needs link: without it, its turn comes when the link does.
        let rate = self.rate(policy, setting, adapter);
        if let Ok(max) = rate
            && settings.max_tx_rate != max
        {
            changes.push(VfChange::Rate {
                min: settings.min_tx_rate,
                max,
            });
        }
        if settings.spoof_check == Some(!wish.spoof_check) {
            changes.push(VfChange::SpoofCheck(wish.spoof_check));
        }
        if settings.trust == Some(!wish.trust) {
            changes.push(VfChange::Trust(wish.trust));
        }
        changes
    }

    /// Changes policy; whether it did.
    pub(crate) fn put(&self, policy: &Policy, change: Change) -> bool {
        // What another changed meanwhile is read by the next pass.
        self.policies
            .change(policy, &[change], false)
            .unwrap_or(false)
    }

    /// What would be done now.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn plan(&mut self) -> Result<PlanAnswer, Problem> {
        let policy = self.policies.read()?;
        let seen = self.look();
        self.learn_ways(&policy, &seen);
        let mut steps = Vec::new();
        let mut blocked = Vec::new();
        let mut warnings = Vec::new();
        for intent in &policy.plain_intents() {
            match self.needs_as_seen(intent, &seen) {
                Ok(needs) => {
                    warnings.extend(needs.warnings);
                    let planned = needs.steps.iter();
                    steps.extend(planned.flat_map(|step| step.planned(&self.name, &intent.name)));
                }
                Err(problem) => blocked.push(told(&problem)),
            }
        }
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == self.name) {
            let Some(domain) = seen.domain(&setting.uuid) else {
                continue;
            };
            let managed = policy.management.enabled || setting.phase != Phase::Enabled;
            if !managed {
                continue;
            }
            let plan = match setting.phase {
                Phase::Disabling => self.plan_back(&policy, setting, domain),
                Phase::Enabling => self.plan_for(&policy, setting, domain, false, false),
                Phase::Enabled => {
                    let planned = self.plan_to_mend(&policy, setting, domain);
                    planned.map(|(plan, _)| plan)
                }
            };
            match plan {
                Ok(plan) => steps.extend(planned(&self.name, domain, &plan)),
                Err(problem) => blocked.push(told(&problem)),
            }
        }
        Ok(PlanAnswer {
            observed_at: seen.node.observed_at.clone(),
            policy_revision: policy.revision,
            steps,
            blocked,
            warnings,
        })
    }
}

/// A VM's steps as they are shown before they are done: what is merely written down again is
/// no step.
pub(crate) fn planned(node: &str, domain: &Domain, plan: &pair::Plan) -> Vec<PlannedStep> {
    let quiet = |step: &pair::Step| matches!(step, pair::Step::WriteConfig | pair::Step::Forget);
    if plan.steps.iter().all(quiet) {
        return Vec::new();
    }
    let steps = plan.steps.iter().map(|step| PlannedStep {
        node: node.to_owned(),
        subject: domain.name.clone(),
        action: step.to_string(),
        reason: plan.why.clone(),
        affected_vms: match step.touches_running() {
            true => vec![domain.name.clone()],
            false => Vec::new(),
        },
        restarts: match step {
            pair::Step::ReplugNic => {
                Some("its vNIC is re-plugged, with a short loss of network".to_owned())
            }
            _ => None,
        },
    });
    steps.collect()
}

/// A problem as one line of a list.
pub(crate) fn told(problem: &Problem) -> String {
    format!("{} {}", problem.message, problem.found)
}

/// A setting that is done.
pub(crate) fn settled(setting: &VmSetting) -> VmSetting {
    VmSetting {
        phase: Phase::Enabled,
        before: None,
        security_before: None,
        ..setting.clone()
    }
}

/// What was left on a VF that nobody has.
fn leftovers(settings: &VfSettings) -> Vec<VfChange> {
    let mut changes = Vec::new();
    if settings.max_tx_rate != 0 || settings.min_tx_rate != 0 {
        changes.push(VfChange::Rate { min: 0, max: 0 });
    }
    if settings.vlan != 0 {
        changes.push(VfChange::Vlan {
            id: 0,
            qos: 0,
            protocol: settings.vlan_protocol,
        });
    }
    if settings.mac != accelnet_model::Mac::ZERO {
        changes.push(VfChange::Mac(accelnet_model::Mac::ZERO));
    }
    if settings.trust == Some(true) {
        changes.push(VfChange::Trust(false));
    }
    if settings.spoof_check == Some(false) {
        changes.push(VfChange::SpoofCheck(true));
    }
    changes
}

/// A VM that libvirt does not tell of.
pub(crate) fn vms_unknown(node: &str, reason: &str) -> Problem {
    Problem::new(Code::VmStateUnknown, &[node], format!("{reason}."))
}
