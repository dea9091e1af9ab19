//! VMs: enabled, changed, and taken back, each whole or not at all.

mod fits;
mod pairs;

use std::collections::BTreeMap;

use accelnet_api::types::{VmChange, VmChanged, VmDisable, VmEnable, VmResult, VmSet};
use accelnet_host::vms::GuestAnswer;
use accelnet_model::domain::Teaming;
use accelnet_model::intent::IntentState;
use accelnet_model::vf_security::OnOff;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{
    Code, Domain, Intent, Mac, Performance, Problem, VfChoice, VfSecurityOfVm, VmName, VmSetting,
};
use accelnet_rules::pair::{self, Pair};
use accelnet_rules::vm::{self, Room, Switch};
use accelnet_rules::vm_names::{meant, not_found};

use fits::Fit;
pub(crate) use pairs::{AskedOut, Defined, none_is_free, undefine_ports};

use super::asked::Came;
use super::drain::is_drained;
use super::settle::{planned, settled, vms_unknown};
use super::{Core, Seen, nics};
use crate::journal::Word;
use crate::policy::{Change, Policy};
use crate::view;

/// How often a decision is taken anew because another took one meanwhile.
const TURNS: u32 = 16;

/// What was asked for one VM.
#[derive(Clone, Copy)]
struct Wanted {
    /// None keeps what it has.
    performance: Option<Performance>,
    now: bool,
    add_nic: bool,
    /// The vNIC; the first that can be accelerated without.
    mac: Option<Mac>,
    trust: Option<VfChoice>,
    spoof_check: Option<VfChoice>,
    /// The VM has a setting, and keeps one.
    set: bool,
}

/// A VM that was judged and may have it.
struct Admitted {
    place: usize,
    setting: VmSetting,
    domain: Domain,
    /// Its definition, as it was judged.
    defined: Option<Defined>,
    plan: pair::Plan,
    warnings: Vec<Problem>,
    /// Its other vNICs that could have been accelerated.
    others: Vec<Mac>,
    /// What its guest is, if it runs: asked at first, and answered while others work.
    guest: Option<GuestAnswer>,
}

impl Admitted {
    /// A sentence of the vNICs that were not chosen; empty without any.
    fn others(&self) -> String {
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
    fn warnings(&mut self) -> Vec<Problem> {
        let guest = self.guest.take();
        let warning = Core::guest_warning(&self.domain, guest);
        self.warnings.extend(warning);
        std::mem::take(&mut self.warnings)
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

impl Core {
    /// Changes VMs.
    ///
    /// # Errors
    ///
    /// What stands in the way of all of them; what stands in the way of one is its result.
    pub fn change_vms(&mut self, who: &str, change: &VmChange) -> Result<VmChanged, Problem> {
        let changed = match change {
            VmChange::Enable(VmEnable {
                names,
                performance,
                now,
                add_nic,
                mac,
                trust,
                spoof_check,
                dry_run,
            }) => {
                let wanted = Wanted {
                    performance: Some(*performance),
                    now: *now,
                    add_nic: *add_nic,
                    mac: *mac,
                    trust: *trust,
                    spoof_check: *spoof_check,
                    set: false,
                };
                self.give(who, names, wanted, *dry_run)
            }
            VmChange::Set(VmSet {
                names,
                performance,
                trust,
                spoof_check,
                now,
                dry_run,
            }) => {
                let wanted = Wanted {
                    performance: *performance,
                    now: *now,
                    add_nic: false,
                    mac: None,
                    trust: *trust,
                    spoof_check: *spoof_check,
                    set: true,
                };
                self.give(who, names, wanted, *dry_run)
            }
            VmChange::Disable(VmDisable { names, dry_run }) => self.take(who, names, *dry_run),
        };
        if let (Err(problem), false) = (&changed, is_dry_run(change)) {
            let refused: Result<(), Problem> = Err(problem.clone());
            self.tell_asked(who, "cluster", &in_words(change), &refused);
        }
        changed
    }

    /// Enables VMs, or changes their settings.
    fn give(
        &mut self,
        who: &str,
        names: &[String],
        wanted: Wanted,
        dry_run: bool,
    ) -> Result<VmChanged, Problem> {
        for _ in 0..TURNS {
            let mut policy = self.policies.read()?;
            let intent = self.managed(&policy)?;
            // What gets a VF falls back to the software path.
            let path = match wanted.set {
                true => None,
                false => self.software_path(&policy)?,
            };
            let seen = self.look_at_vms(&intent, names);
            self.can_be_judged(&seen)?;
            self.learn_ways(&policy, &seen);
            let mut results = self.named_vms(names, &seen, &policy)?;
            let mut admitted = self.judge_all(&mut results, wanted, &policy, &intent, &seen)?;
            for one in &mut admitted {
                one.warnings.extend(path.clone());
            }
            if dry_run {
                for one in &mut admitted {
                    results[one.place].would(&self.name, one);
                    results[one.place].warnings = one.warnings();
                }
                return Ok(answer(results));
            }
            let changes: Vec<Change> = admitted
                .iter()
                .map(|one| Change::Vm(one.setting.clone()))
                .collect();
            // Another admitted a VM meanwhile: what was judged may no longer hold.
            if !changes.is_empty() && !self.policies.change(&policy, &changes, true)? {
                continue;
            }
            policy = self.policies.read()?;
            self.edge.passing("decided");
            self.carry_out(who, &policy, &seen, admitted, wanted, &mut results)?;
            return Ok(answer(results));
        }
        Err(crowded(&self.name))
    }

    /// Does what was decided, then looks once and tells what is so.
    fn carry_out(
        &mut self,
        who: &str,
        policy: &Policy,
        seen: &Seen,
        admitted: Vec<Admitted>,
        wanted: Wanted,
        results: &mut [VmResult],
    ) -> Result<(), Problem> {
        let mut outcomes = Vec::new();
        for mut one in admitted {
            // Those after the first may have been changed by others since they were judged.
            let defined = one.defined.take().filter(|_| outcomes.is_empty());
            let (setting, domain) = (&one.setting, &one.domain);
            let done = self.enable_one(policy, seen, setting, domain, defined, wanted.now);
            let done = done.and_then(|plan| {
                self.set_security(policy, seen, setting, domain)?;
                Ok(plan)
            });
            outcomes.push((one, done));
        }
        self.edge.passing("acted");
        let acted: Vec<String> = outcomes
            .iter()
            .map(|(one, _)| one.setting.uuid.to_string())
            .collect();
        let mut after = match acted.is_empty() {
            true => None,
            false => Some(self.look_at_changed(policy, seen, &acted)),
        };
        let mut changes = Vec::new();
        for (one, done) in &mut outcomes {
            // What was done counts when it was seen.
            let verified = match (&*done, &after) {
                (Ok(plan), Some(after)) => self.verify(policy, &one.setting, plan, after),
                _ => Ok(()),
            };
            if let Err(problem) = verified {
                self.undo_unverified(policy, &one.setting);
                after = Some(self.look_at_managed(policy, &[]));
                *done = Err(problem);
            }
            changes.push(match done {
                Ok(_) => Change::Vm(settled(&one.setting)),
                Err(_) => self.taken_back(policy, &one.setting, after.as_ref().unwrap_or(seen)),
            });
        }
        self.edge.passing("verified");
        let words = self.words_about(who, wanted, &outcomes, results);
        self.record(policy, changes, &words)?;
        self.edge.passing("recorded");
        let policy = self.policies.read()?;
        let after = after.unwrap_or_else(|| self.look_at_managed(&policy, &[]));
        self.watch_paths(&policy, &after);
        for (mut one, done) in outcomes {
            let result = &mut results[one.place];
            let what = format!(
                "VM {} {} {} on its vNIC {}.{}",
                one.domain.name,
                if wanted.set {
                    "is set to"
                } else {
                    "is accelerated with"
                },
                one.setting.performance,
                one.setting.mac,
                one.others(),
            );
            result.warnings = one.warnings();
            match done {
                Ok(plan) => {
                    result.ok = true;
                    result.waits_for_restart = plan.waits_for_restart;
                    result.steps = planned(&self.name, &one.domain, &plan);
                    let held = !one.domain.host_devices.is_empty();
                    result.message = match (plan.waits_for_restart, held) {
                        (true, true) => {
                            let found = "It runs with its VF, whose queue pairs can only change while no guest has it; --now gives it another.";
                            result.warnings.push(next_start(&one.domain.name, found));
                            format!("{what} Its queue pairs change at its next start.")
                        }
                        (true, false) => {
                            let found =
                                "Its running vNIC was plugged without the failover feature.";
                            let mut warning = next_start(&one.domain.name, found);
                            if stays_plugged(&one.domain, one.setting.mac) {
                                warning = warning.resolution(STOP_AND_START);
                            }
                            result.warnings.push(warning);
                            format!("{what} The running VM gets its VF at its next start.")
                        }
                        (false, _) if !attaches(&plan) => what,
                        (false, _) => {
                            format!("{what} {}", self.path_in_words(&one.setting.uuid))
                        }
                    };
                }
                Err(problem) => {
                    result.message = problem.message.clone();
                    result.problem = Some(problem);
                }
            }
            if let Some(domain) = after
                .domains()
                .iter()
                .find(|vm| vm.uuid == one.setting.uuid)
            {
                result.vm = Some(view::vm(self, &after, &policy, domain));
            }
        }
        self.leave(after, &policy);
        Ok(())
    }

    /// What is told of a change of VMs: what came of each that was tried, then why others were not.
    fn words_about(
        &self,
        who: &str,
        wanted: Wanted,
        outcomes: &[(Admitted, Result<pair::Plan, Problem>)],
        results: &[VmResult],
    ) -> Vec<Word> {
        let (verb, to) = match wanted.set {
            true => ("set", "to"),
            false => ("accelerate", "with"),
        };
        let tried = outcomes.iter().map(|(one, done)| Came {
            subject: one.domain.name.clone(),
            what: format!(
                "{verb} VM {} {to} {} on its vNIC {}{}",
                one.domain.name,
                one.setting.performance,
                one.setting.mac,
                in_words_of(one.setting.security)
            ),
            problem: done.as_ref().err().cloned(),
        });
        let refused = results.iter().filter_map(|result| {
            Some(Came {
                subject: result.name.clone(),
                what: format!("{verb} VM {}", result.name),
                problem: Some(result.problem.clone()?),
            })
        });
        let all: Vec<Came> = tried.chain(refused).collect();
        let word = self.asked_for_all(who, &format!("{verb} VMs"), &all);
        word.into_iter().collect()
    }

    /// Records what came of changes of VMs, together with what is told of them.
    fn record(
        &mut self,
        policy: &Policy,
        changes: Vec<Change>,
        words: &[Word],
    ) -> Result<(), Problem> {
        if changes.is_empty() && words.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let together = self.journal.tell_with(&now, words, changes.len(), |told| {
            self.policies.change_with(policy, &changes, false, told)
        })?;
        if !together {
            // More than goes at once, or somebody changed one of them meanwhile: then each for itself, and
            // what is not recorded now is gone on with by the next pass.
            if !self.policies.change(policy, &changes, false)? {
                for change in changes {
                    self.put(policy, change);
                }
            }
            self.journal.tell_all(&now, words);
        }
        Ok(())
    }

    /// Takes VMs back to their software path.
    fn take(&mut self, who: &str, names: &[String], dry_run: bool) -> Result<VmChanged, Problem> {
        let policy = self.policies.read()?;
        let seen = self.look_at_managed(&policy, names);
        self.can_be_judged(&seen)?;
        let mut results = self.named_vms(names, &seen, &policy)?;
        let path = self.software_path(&policy);
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pool = pool.unwrap_or_default();
        let mut decided = Vec::new();
        for result in results.iter_mut().filter(|result| result.problem.is_none()) {
            let uuid = result.vm.as_ref().map(|vm| vm.uuid.clone());
            let setting = uuid.as_deref().and_then(|uuid| policy.vm(uuid));
            let Some(setting) = setting else {
                let found = format!("VM {} has no performance setting.", result.name);
                result.refuse(Problem::new(Code::VmNotAccelerated, &[&result.name], found));
                continue;
            };
            let domain = seen.domains().iter().find(|one| one.uuid == setting.uuid);
            let plan = match domain {
                Some(domain) => self.plan_back(&policy, setting, domain),
                None => Ok(pair::Plan {
                    steps: Vec::new(),
                    waits_for_restart: false,
                    why: "libvirt no longer has it".to_owned(),
                }),
            };
            let loses_vf = domain.is_some_and(|domain| {
                let pair = Pair::of(&domain.vnics, setting.mac, &pool);
                domain.state.holds_devices() && pair.vf.is_some()
            });
            match (plan, &path) {
                (Err(problem), _) => result.refuse(problem),
                (Ok(_), Err(problem)) if loses_vf => result.refuse(problem.clone()),
                (Ok(plan), path) => {
                    let warning = path
                        .as_ref()
                        .map_or_else(|problem| Some(problem.clone()), Clone::clone);
                    result.warnings.extend(warning.filter(|_| domain.is_some()));
                    result.steps =
                        domain.map_or(Vec::new(), |domain| planned(&self.name, domain, &plan));
                    result.ok = true;
                    result.message = format!(
                        "VM {} {} back on its software path, its vNIC {}.",
                        result.name,
                        if dry_run { "would be" } else { "is" },
                        setting.mac
                    );
                    decided.push((setting.clone(), domain.cloned()));
                }
            }
        }
        if dry_run {
            return Ok(answer(results));
        }
        let refused = results.iter().filter_map(|result| {
            Some(Came {
                subject: result.name.clone(),
                what: format!("take VM {} back to its software path", result.name),
                problem: Some(result.problem.clone()?),
            })
        });
        let refused: Vec<Came> = refused.collect();
        let mut came = Vec::new();
        if decided.is_empty() {
            self.tell_taken(who, came, refused);
            return Ok(answer(results));
        }
        let marks: Vec<Change> = decided
            .iter()
            .map(|(setting, _)| {
                Change::Vm(VmSetting {
                    phase: Phase::Disabling,
                    ..setting.clone()
                })
            })
            .collect();
        let mut policy = policy;
        let mut turns = 0..TURNS;
        // What was marked by an earlier turn is marked once more.
        while !self.policies.change(&policy, &marks, false)? {
            if turns.next().is_none() {
                return Err(crowded(&self.name));
            }
            policy = self.policies.read()?;
        }
        let policy = self.policies.read()?;
        self.edge.passing("decided");
        let acted: Vec<String> = decided
            .iter()
            .map(|(one, _)| one.uuid.to_string())
            .collect();
        for (setting, domain) in decided {
            let done = match &domain {
                Some(domain) => self.disable_one(&policy, &setting, domain),
                None => {
                    drop(self.drop_wish(&setting.uuid));
                    Ok(())
                }
            };
            self.edge.passing("acted");
            let change = match &done {
                Ok(()) => Change::NoVm(setting.uuid.clone()),
                Err(_) => Change::Vm(VmSetting {
                    phase: Phase::Enabled,
                    ..setting.clone()
                }),
            };
            self.put(&policy, change);
            let what = format!(
                "take VM {} back to its software path, its vNIC {}",
                setting.name, setting.mac
            );
            came.push(Came {
                subject: setting.name.to_string(),
                what,
                problem: done.as_ref().err().cloned(),
            });
            let result = results
                .iter_mut()
                .find(|result| result.vm.as_ref().is_some_and(|vm| vm.uuid == setting.uuid));
            if let (Err(problem), Some(result)) = (done, result) {
                result.refuse(problem);
            }
        }
        self.tell_taken(who, came, refused);
        let policy = self.policies.read()?;
        let after = self.look_at_changed(&policy, &seen, &acted);
        self.watch_paths(&policy, &after);
        for result in &mut results {
            let uuid = result.vm.as_ref().map(|vm| vm.uuid.clone());
            let domain = after
                .domains()
                .iter()
                .find(|one| Some(&one.uuid) == uuid.as_ref());
            result.vm = domain.map(|domain| view::vm(self, &after, &policy, domain));
        }
        self.leave(after, &policy);
        Ok(answer(results))
    }

    /// Tells what came of taking VMs back: of those that were tried, then of those that were refused.
    fn tell_taken(&self, who: &str, mut came: Vec<Came>, refused: Vec<Came>) {
        came.extend(refused);
        let what = "take VMs back to their software path";
        if let Some(word) = self.asked_for_all(who, what, &came) {
            self.journal.tell(&self.now(), word);
        }
    }

    /// The intent that VMs get their VFs from: enabled, and completed here.
    fn managed(&self, policy: &Policy) -> Result<Intent, Problem> {
        let intent = policy
            .managed_intent()
            .filter(|_| policy.management.enabled);
        let Some(intent) = intent else {
            if let Some(unreadable) = policy.unreadable_of_management() {
                return Err(crate::unread::problem(unreadable));
            }
            let found = match policy.management.intent.as_deref() {
                Some(intent) => format!("Management is disabled; it was set to intent {intent}."),
                None => "Management was never enabled.".to_owned(),
            };
            return Err(Problem::new(Code::ManagementDisabled, &[], found));
        };
        if let Some(drained) = policy.drained(&self.name) {
            return Err(is_drained(&self.name, drained));
        }
        match self.status_of(&intent.name) {
            Some(status) if status.state == IntentState::Completed => Ok(intent.clone()),
            status => Err(not_applied(&intent.name, &self.name, status)),
        }
    }

    /// A result for each VM that is meant, and for each name that means none.
    fn named_vms(
        &self,
        names: &[String],
        seen: &Seen,
        policy: &Policy,
    ) -> Result<Vec<VmResult>, Problem> {
        let Some(domains) = seen.node.domains.known() else {
            let reason = seen.node.domains.reason().unwrap_or_default();
            return Err(vms_unknown(&self.name, reason));
        };
        let gone = policy
            .vms
            .iter()
            .map(|(setting, _)| setting)
            .filter(|setting| {
                setting.node == self.name && !domains.iter().any(|one| one.uuid == setting.uuid)
            });
        let gone: Vec<&VmSetting> = gone.collect();
        let mut results: Vec<VmResult> = Vec::new();
        for name in names {
            let here = domains
                .iter()
                .map(|one| (one.name.as_str(), &one.uuid, true));
            let gone = gone.iter().map(|one| (one.name.as_str(), &one.uuid, false));
            let found = meant(name, here.chain(gone), |one| (one.0, one.1));
            for (called, uuid, is_here) in &found {
                let vm = match *is_here {
                    true => domains.iter().find(|one| one.uuid == **uuid),
                    false => None,
                };
                let vm = match vm {
                    Some(domain) => Some(view::vm(self, seen, policy, domain)),
                    None => {
                        let views = view::vms(self, seen, policy);
                        views.into_iter().find(|vm| vm.uuid == **uuid)
                    }
                };
                let mut known = results.iter().filter_map(|result| result.vm.as_ref());
                if !known.any(|other| other.uuid == **uuid) {
                    results.push(VmResult::begun(called, vm));
                }
            }
            if found.is_empty() {
                let all: Vec<String> = domains.iter().map(|one| one.name.clone()).collect();
                let mut result = VmResult::begun(name, None);
                result.refuse(not_found(name, &all));
                results.push(result);
            }
        }
        Ok(results)
    }

    /// Judges each VM, in the order of the request: what is admitted counts for those after it.
    fn judge_all(
        &self,
        results: &mut [VmResult],
        wanted: Wanted,
        policy: &Policy,
        intent: &Intent,
        seen: &Seen,
    ) -> Result<Vec<Admitted>, Problem> {
        let switch = self
            .switch(policy, seen)
            .ok_or_else(|| not_applied(&intent.name, &self.name, self.status_of(&intent.name)))?;
        let reports = self.reports.all()?;
        let mut macs: BTreeMap<Mac, Vec<String>> = BTreeMap::new();
        let foreign = reports
            .into_iter()
            .filter(|report| report.node != self.name);
        let foreign = foreign.flat_map(|report| report.macs);
        for (mac, owner) in foreign.chain(view::macs(seen)) {
            macs.entry(mac).or_default().push(owner);
        }
        let mut promised: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
        let mut admitted = Vec::new();
        let mut promised_mib = 0;
        for (place, result) in results.iter_mut().enumerate() {
            if result.problem.is_some() {
                continue;
            }
            let uuid = result.vm.as_ref().map(|vm| vm.uuid.clone());
            let domain = seen
                .domains()
                .iter()
                .find(|one| Some(&one.uuid) == uuid.as_ref());
            let Some(domain) = domain else {
                result.refuse(Problem::new(
                    Code::VmNotFound,
                    &[&result.name],
                    format!("libvirt on {} no longer has it.", self.name),
                ));
                continue;
            };
            let judged = self.judge(
                wanted,
                policy,
                intent,
                seen,
                &switch,
                &macs,
                &promised,
                domain,
                promised_mib,
            );
            match judged {
                Err(problem) => result.refuse(problem),
                Ok(Judged {
                    setting,
                    defined,
                    plan,
                    fit,
                    others,
                }) => {
                    promised_mib += fit.takes_mib;
                    let running = domain.state.holds_devices();
                    let guest = running.then(|| self.ask_what_it_is(domain));
                    promised.retain(|vm| vm.uuid != setting.uuid);
                    promised.push(setting.clone());
                    admitted.push(Admitted {
                        place,
                        setting,
                        domain: domain.clone(),
                        defined: Some(defined),
                        plan,
                        warnings: fit.costs,
                        others,
                        guest,
                    });
                }
            }
        }
        Ok(admitted)
    }

    /// Judges one VM: vNICs, the switch, vCPUs, the setting, room; then what else goes with a
    /// VF.
    #[expect(clippy::too_many_arguments, reason = "all that a decision rests on")]
    fn judge(
        &self,
        wanted: Wanted,
        policy: &Policy,
        intent: &Intent,
        seen: &Seen,
        switch: &Switch,
        macs: &BTreeMap<Mac, Vec<String>>,
        promised: &[VmSetting],
        domain: &Domain,
        promised_mib: u64,
    ) -> Result<Judged, Problem> {
        let known = policy.vm(&domain.uuid);
        if wanted.set && known.is_none() {
            let found = format!("VM {} has no performance setting.", domain.name);
            return Err(Problem::new(Code::VmNotAccelerated, &[&domain.name], found));
        }
        let defined = self.defined(domain)?;
        let mut definition = defined.vm.clone();
        let mut domain = domain.clone();
        let taken: Vec<Mac> = macs.keys().copied().collect();
        let nic = match wanted.add_nic && known.is_none() {
            true => nics::nic_to_add(&definition, switch, &taken),
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
        let figures = &policy.management.performance;
        vm::enough_vcpus(domain, performance, seen.smt())?;
        let besides: Vec<VmSetting> = promised
            .iter()
            .filter(|vm| vm.uuid != domain.uuid)
            .cloned()
            .collect();
        let spaces = self.spaces(intent, seen, &besides);
        let rooms: Vec<Room> = spaces.iter().map(|space| space.room(policy)).collect();
        vm::provisionable(performance, figures, &rooms)?;
        self.rate_is_possible(policy, performance, &spaces)?;
        let adapters = spaces.iter().map(|space| space.adapter);
        accelnet_rules::intent::is_settable(security.on(intent.security), adapters)?;
        vm::place(&domain.name, performance, figures, &rooms)?;
        self.reserve_holds(policy, &domain.name, performance, &besides, &spaces)?;
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
        let anew = self.needs_vf_anew(policy, seen, &setting);
        let again = anew && wanted.now;
        let mut plan = self.plan_with(policy, &setting, &definition, domain, wanted.now, again)?;
        let plugs =
            |step: &pair::Step| matches!(step, pair::Step::AttachVf | pair::Step::ReplugNic);
        let plugged = plan.steps.iter().any(plugs);
        let held = domain.state.holds_devices() && !domain.host_devices.is_empty();
        plan.waits_for_restart |= anew && !wanted.now && held;
        // Of one that was accelerated before, it is not asked again.
        let others = match known.is_none() && wanted.mac.is_none() {
            true => candidates.others,
            false => Vec::new(),
        };
        let saved = self.edge.vms().saved_state(&domain.uuid);
        let saved = saved.unwrap_or_default();
        let wanted = fits::Wanted {
            definition: &definition,
            domain,
            mac: setting.mac,
            steps: &plan.steps,
        };
        let mut fit = self.fits(seen, &wanted, &saved, promised_mib)?;
        let unreached = self.filter_problems(Some(setting.mac)).into_iter();
        fit.costs.extend(unreached.map(|(_, problem)| problem));
        let carried = self.vnic_fits(&definition, domain, setting.mac, plugged)?;
        fit.costs.extend(carried.costs);
        Ok(Judged {
            setting,
            defined,
            plan,
            fit,
            others,
        })
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

/// Whether a VF's MSI-X vectors can be set.
pub(crate) fn shares_vectors(adapter: &accelnet_model::Adapter) -> bool {
    let sriov = adapter.sriov.present();
    sriov.is_some_and(|sriov| {
        sriov
            .vf_total_msix
            .present()
            .is_some_and(|total| *total > 0)
    })
}

/// An intent that is not completed on a node.
pub(crate) fn not_applied(
    intent: &str,
    node: &str,
    status: Option<&accelnet_model::intent::IntentStatus>,
) -> Problem {
    let found = match status {
        None => "The node has not begun.".to_owned(),
        Some(status) => match &status.problem {
            Some(problem) => format!(
                "It is {}: {} {}",
                status.state, problem.message, problem.found
            ),
            None => format!("It is {}.", status.state),
        },
    };
    Problem::new(Code::IntentNotApplied, &[intent, node], found)
}

/// Others change the same all the time.
pub(crate) fn crowded(node: &str) -> Problem {
    Problem::new(
        Code::ChangeInProgress,
        &[node],
        "Others change the same settings at this moment.",
    )
}

/// Whether a running VM is given a VF.
fn attaches(plan: &pair::Plan) -> bool {
    plan.steps.contains(&pair::Step::AttachVf)
}

/// For a vNIC that --now could not re-plug.
const STOP_AND_START: &str =
    "Stop and start the VM when it suits (a reboot from within is not enough).";

/// Whether the running vNIC cannot be unplugged.
fn stays_plugged(vm: &Domain, mac: Mac) -> bool {
    let mut vnics = vm.vnics.iter();
    vnics.any(|vnic| {
        let place = vnic.place.as_ref();
        vnic.mac == Some(mac) && place.is_some_and(|place| place.fixed.is_some())
    })
}

/// What a VM has other than its intent, behind a setting; empty where it has nothing.
fn in_words_of(security: VfSecurityOfVm) -> String {
    let one = |what: &str, on: Option<bool>| {
        on.map_or(String::new(), |on| format!(", {what} {}", OnOff(on)))
    };
    one("trust", security.trust) + &one("spoof check", security.spoof_check)
}

fn next_start(vm: &str, found: &str) -> Problem {
    Problem::new(Code::NextStart, &[vm], found)
}

fn answer(results: Vec<VmResult>) -> VmChanged {
    VmChanged {
        ok: results.iter().all(|result| result.ok),
        results,
    }
}

fn is_dry_run(change: &VmChange) -> bool {
    match change {
        VmChange::Enable(one) => one.dry_run,
        VmChange::Set(one) => one.dry_run,
        VmChange::Disable(one) => one.dry_run,
    }
}

fn in_words(change: &VmChange) -> String {
    match change {
        VmChange::Enable(one) => format!("accelerate VMs {}", one.names.join(", ")),
        VmChange::Set(one) => format!("set VMs {}", one.names.join(", ")),
        VmChange::Disable(one) => format!(
            "take VMs {} back to their software path",
            one.names.join(", ")
        ),
    }
}

/// A result while it is being made.
trait Begun {
    fn begun(name: &str, vm: Option<accelnet_api::types::VmView>) -> Self;
    fn refuse(&mut self, problem: Problem);
    fn would(&mut self, node: &str, one: &Admitted);
}

impl Begun for VmResult {
    fn begun(name: &str, vm: Option<accelnet_api::types::VmView>) -> Self {
        VmResult {
            name: name.to_owned(),
            ok: false,
            message: String::new(),
            waits_for_restart: false,
            vm,
            problem: None,
            warnings: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn refuse(&mut self, problem: Problem) {
        self.ok = false;
        self.message = problem.message.clone();
        self.problem = Some(problem);
    }

    fn would(&mut self, node: &str, one: &Admitted) {
        let (domain, plan, setting) = (&one.domain, &one.plan, &one.setting);
        self.ok = true;
        self.waits_for_restart = plan.waits_for_restart;
        self.steps = planned(node, domain, plan);
        self.message = format!(
            "VM {} would be accelerated with {} on its vNIC {}: {}.{}",
            domain.name,
            setting.performance,
            setting.mac,
            plan.why,
            one.others()
        );
    }
}
