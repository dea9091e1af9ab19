//! VMs are taken back to their software path.

use accelnet_api::types::{VmChanged, VmResult};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Problem, VmSetting};
use accelnet_rules::pair::{self, Pair};

use super::request::{self, Done};
use super::{Begun, Core, Seen, TURNS, answer};
use crate::core::settle::planned;
use crate::policy::{Action, Change, Policy, Request};
use crate::problems::change_conflict;
use crate::view::Views;

/// A VM that is taken back.
struct Taken {
    /// The place of its result.
    place: usize,
    setting: VmSetting,
    /// None of one that libvirt no longer has.
    domain: Option<Domain>,
}

impl Core {
    /// Takes VMs back to their software path.
    pub(super) fn take(
        &mut self,
        who: &str,
        names: &[String],
        dry_run: bool,
    ) -> Result<VmChanged, Problem> {
        let policy = self.policies.read()?;
        let seen = self.look_at_managed(&policy, names);
        self.can_be_judged(&seen)?;
        let mut results = self.named_vms(names, &seen, &policy)?;
        let taken = self.judge_back(&mut results, &policy, &seen, dry_run);
        if dry_run || results.iter().all(|result| result.unchanged) {
            return Ok(answer(results));
        }
        self.end_request(&policy, &seen, true)?;
        self.requests.decided = true;
        let refused = request::refused(Action::Disable, &results);
        let vms = taken.iter().map(|one| one.setting.uuid.clone());
        let request = self.request(who, Action::Disable, vms.collect(), &refused);
        let policy = match taken.is_empty() {
            true => policy,
            false => self.mark(policy, &taken, &request)?,
        };
        self.edge.failpoint("decided");
        let mut outcomes = Vec::new();
        let mut done = Vec::new();
        for one in &taken {
            // As it was decided; another node may have taken the VM over since it was judged.
            let setting = policy.vm(&one.setting.uuid).unwrap_or(&one.setting);
            let result = match &one.domain {
                Some(domain) => self.disable_one(&policy, setting, domain),
                None => {
                    drop(self.drop_wish(&setting.uuid));
                    Ok(())
                }
            };
            self.edge.failpoint("acted");
            done.push(Done {
                decided: setting.clone(),
                change: match &result {
                    Ok(()) => Change::NoVm(setting.uuid.clone()),
                    Err(_) => with_phase(setting, Phase::Enabled),
                },
            });
            let (name, problem) = (&setting.name, result.as_ref().err());
            outcomes.push(request::tried(Action::Disable, name, setting, problem));
            if let Err(problem) = result {
                results[one.place].refuse(problem);
            }
        }
        outcomes.extend(refused);
        let word = self.asked_for_all(who, Action::Disable.of_all(), outcomes, 0);
        self.conclude(&policy, &done, word, request.order.as_ref())?;
        self.edge.failpoint("recorded");
        if !taken.is_empty() {
            self.look_back(&seen, &taken, &mut results)?;
        }
        Ok(answer(results))
    }

    /// Judges each VM that is named, and answers what is so when it is back.
    fn judge_back(
        &self,
        results: &mut [VmResult],
        policy: &Policy,
        seen: &Seen,
        dry_run: bool,
    ) -> Vec<Taken> {
        let path = self.software_path(policy);
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pool = pool.unwrap_or_default();
        let mut taken = Vec::new();
        for (place, result) in results.iter_mut().enumerate() {
            if result.problem.is_some() {
                continue;
            }
            let uuid = result.vm.as_ref().map(|vm| &vm.uuid);
            let Some(setting) = uuid.and_then(|uuid| policy.vm(uuid)) else {
                result.stays(format!("VM {} is not accelerated.", result.name));
                continue;
            };
            let domain = seen.domain(&setting.uuid);
            let plan = match domain {
                Some(domain) => self.plan_back(policy, setting, domain),
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
                    taken.push(Taken {
                        place,
                        setting: setting.clone(),
                        domain: domain.cloned(),
                    });
                }
            }
        }
        taken
    }

    /// Decides that VMs are taken back; the policy then.
    fn mark(
        &self,
        mut policy: Policy,
        taken: &[Taken],
        request: &Request,
    ) -> Result<Policy, Problem> {
        for _ in 0..TURNS {
            // What was marked by an earlier turn is marked once more.
            let settings = taken.iter().filter_map(|one| policy.vm(&one.setting.uuid));
            let marks = settings.map(|setting| with_phase(setting, Phase::Disabling));
            let marks: Vec<Change> = marks.collect();
            let decided = self.policies.decide(&policy, &marks, false, request)?;
            policy = self.policies.read()?;
            if decided {
                return Ok(policy);
            }
        }
        Err(change_conflict(&self.name))
    }

    /// Looks at what was taken back.
    fn look_back(
        &mut self,
        seen: &Seen,
        taken: &[Taken],
        results: &mut [VmResult],
    ) -> Result<(), Problem> {
        let policy = self.policies.read()?;
        let acted = taken.iter().map(|one| one.setting.uuid.to_string());
        let acted: Vec<String> = acted.collect();
        let after = self.look_at_changed(&policy, seen, &acted);
        self.watch_paths(&policy, &after);
        let views = Views::of(self, &after, &policy);
        for result in results {
            let domain = result.vm.as_ref().and_then(|vm| after.domain(&vm.uuid));
            result.vm = domain.map(|domain| views.vm(domain));
        }
        self.leave(after, &policy);
        Ok(())
    }
}

fn with_phase(setting: &VmSetting, phase: Phase) -> Change {
    Change::Vm(VmSetting {
        phase,
        ..setting.clone()
    })
}
