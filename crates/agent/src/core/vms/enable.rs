//! VMs are enabled, or their settings changed: each whole or not at all.

use accelnet_api::types::{State, VmChanged, VmResult};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, Mac, Problem, Uuid};
use accelnet_rules::pair;

use super::judge::{Admitted, Wanted};
use super::request::{self, Done};
use super::{Begun, Core, Seen, TURNS, answer, crowded};
use crate::core::settle::{planned, settled};
use crate::policy::{Asked, Change, Policy, Request};
use crate::view::Views;

/// For a vNIC that --now could not re-plug.
const STOP_AND_START: &str =
    "Stop and start the VM when it suits (a reboot from within is not enough).";

/// What came of a VM that was admitted.
type Outcome = (Admitted, Result<pair::Plan, Problem>);

impl Core {
    /// Enables VMs, or changes their settings.
    pub(super) fn give(
        &mut self,
        who: &str,
        names: &[String],
        wanted: Wanted,
        dry_run: bool,
    ) -> Result<VmChanged, Problem> {
        // What was decided by an earlier turn.
        let mut decided: Vec<Uuid> = Vec::new();
        for _ in 0..TURNS {
            let policy = self.policies.read()?;
            let intent = self.managed_for(names, &policy)?;
            // What gets a VF falls back to the software path.
            let path = match wanted.set {
                true => None,
                false => self.software_path(&policy)?,
            };
            let seen = self.look_at_vms(&intent, names);
            self.can_be_judged(&seen)?;
            self.learn_ways(&policy, &seen);
            let mut results = self.named_vms(names, &seen, &policy)?;
            let admitted = self.judge_all(&mut results, wanted, &policy, &intent, &seen)?;
            let mut admitted = without_unchanged(admitted, &policy, &mut results);
            for one in &mut admitted {
                one.warn(path.as_ref());
            }
            if dry_run {
                for one in &mut admitted {
                    results[one.place].would(&self.name, one);
                    results[one.place].warnings = one.warnings();
                }
                return Ok(answer(results));
            }
            if results.iter().all(|result| result.unchanged) {
                return Ok(answer(results));
            }
            if decided.is_empty() {
                self.end_request(&policy, &seen, true)?;
            }
            self.requests.decided = true;
            let request = self.request_of(who, wanted, &admitted, &results);
            let changes = admitted.iter().map(|one| Change::Vm(one.setting.clone()));
            let mut changes: Vec<Change> = changes.collect();
            changes.extend(self.withdrawn(&policy, &seen, &decided, &request));
            // Another admitted a VM meanwhile: what was judged may no longer hold.
            if !changes.is_empty() && !self.policies.decide(&policy, &changes, true, &request)? {
                decided.extend(request.vms);
                continue;
            }
            self.edge.passing("decided");
            let policy = self.policies.read()?;
            self.carry_out(&policy, &seen, admitted, wanted, &request, &mut results)?;
            return Ok(answer(results));
        }
        Err(crowded(&self.name))
    }

    fn request_of(
        &self,
        who: &str,
        wanted: Wanted,
        admitted: &[Admitted],
        results: &[VmResult],
    ) -> Request {
        let asked = match wanted.set {
            true => Asked::Set,
            false => Asked::Enable,
        };
        let vms = admitted.iter().map(|one| one.setting.uuid.clone());
        let refused = request::refused(asked, results);
        Request {
            performance: wanted.performance,
            trust: wanted.trust,
            spoof_check: wanted.spoof_check,
            ..self.request(who, asked, vms.collect(), &refused)
        }
    }

    /// Takes back what an earlier turn decided for VMs that are refused now: nothing was done yet.
    fn withdrawn(
        &self,
        policy: &Policy,
        seen: &Seen,
        decided: &[Uuid],
        request: &Request,
    ) -> Vec<Change> {
        let left = decided.iter().filter(|uuid| !request.vms.contains(uuid));
        let settings = left.filter_map(|uuid| policy.vm(uuid));
        let own =
            settings.filter(|vm| vm.phase == Phase::Enabling && vm.node == *self.name.as_str());
        own.map(|setting| self.taken_back(policy, setting, seen))
            .collect()
    }

    /// Does what was decided, then looks once, and records and answers what is so.
    fn carry_out(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        admitted: Vec<Admitted>,
        wanted: Wanted,
        request: &Request,
        results: &mut [VmResult],
    ) -> Result<(), Problem> {
        let refused = request::refused(request.asked, results);
        let mut outcomes = self.act_on_all(policy, seen, admitted, wanted);
        self.edge.passing("acted");
        let after = self.verify_all(policy, seen, &mut outcomes);
        self.edge.passing("verified");
        let done: Vec<Done> = outcomes
            .iter()
            .map(|(one, done)| Done {
                decided: one.setting.clone(),
                change: match done {
                    Ok(_) => Change::Vm(settled(&one.setting)),
                    Err(_) => self.taken_back(policy, &one.setting, &after),
                },
            })
            .collect();
        let tried = outcomes.iter().map(|(one, done)| {
            let problem = done.as_ref().err();
            request::tried(request.asked, &one.domain.name, &one.setting, problem)
        });
        let all = tried.chain(refused).collect();
        let word = self.asked_for_all(&request.who, request.asked.of_all(), all, 0);
        self.conclude(policy, &done, word, request.order.as_ref())?;
        self.edge.passing("recorded");
        let policy = self.policies.read()?;
        self.watch_paths(&policy, &after);
        let views = Views::of(self, &after, &policy);
        for (one, done) in outcomes {
            let result = &mut results[one.place];
            let domain = after.domain(&one.setting.uuid);
            result.vm = domain
                .map(|domain| views.vm(domain))
                .or_else(|| result.vm.take());
            self.answer_for(one, done, wanted, result);
        }
        self.leave(after, &policy);
        Ok(())
    }

    fn act_on_all(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        admitted: Vec<Admitted>,
        wanted: Wanted,
    ) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(admitted.len());
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
        outcomes
    }

    /// What was done counts when it was seen; what was not is undone. The last look.
    fn verify_all(&mut self, policy: &Policy, seen: &Seen, outcomes: &mut [Outcome]) -> Seen {
        let acted: Vec<String> = outcomes
            .iter()
            .map(|(one, _)| one.setting.uuid.to_string())
            .collect();
        let after = self.look_at_changed(policy, seen, &acted);
        let mut undone = false;
        for (one, done) in outcomes {
            let Ok(plan) = done else { continue };
            if let Err(problem) = self.verify(policy, &one.setting, plan, &after) {
                self.undo_unverified(policy, &one.setting, &after);
                *done = Err(problem);
                undone = true;
            }
        }
        match undone {
            true => self.look_at_changed(policy, &after, &acted),
            false => after,
        }
    }

    /// The answer for one VM.
    fn answer_for(
        &self,
        mut one: Admitted,
        done: Result<pair::Plan, Problem>,
        wanted: Wanted,
        result: &mut VmResult,
    ) {
        result.warnings = one.warnings();
        let plan = match done {
            Ok(plan) => plan,
            Err(problem) => return result.refuse(problem),
        };
        let running = one.domain.state.holds_devices();
        let verb = match (wanted.set, running) {
            (true, _) => "is set to",
            (false, true) => "is accelerated with",
            (false, false) => "is enabled with",
        };
        let name = &one.domain.name;
        let end = match running {
            true => ".",
            false => "; it gets its VF at its next start.",
        };
        let what = format!(
            "VM {name} {verb} {} on its vNIC {}{end}{}",
            one.setting.performance,
            one.setting.mac,
            one.others(),
        );
        result.ok = true;
        result.waits_for_restart = plan.waits_for_restart;
        result.steps = planned(&self.name, &one.domain, &plan);
        let held = !one.domain.host_devices.is_empty();
        result.message = match (plan.waits_for_restart, held) {
            (true, true) => {
                let found = "It runs with its VF, whose queue pairs can only change while no guest uses it; --now replaces the VF.";
                result.warnings.push(next_start(name, found));
                format!("{what} Its queue pairs change at its next start.")
            }
            (true, false) => {
                let found = "Its running vNIC was plugged without the failover feature.";
                let mut warning = next_start(name, found);
                if stays_plugged(&one.domain, one.setting.mac) {
                    warning = warning.resolution(STOP_AND_START);
                }
                result.warnings.push(warning);
                format!("{what} The running VM gets its VF at its next start.")
            }
            (false, _) if !plan.steps.contains(&pair::Step::AttachVf) => what,
            (false, _) => format!("{what} {}", self.path_in_words(&one.setting.uuid)),
        };
    }
}

/// Answers for the VMs that already are as the request wants them; returns the others.
fn without_unchanged(
    admitted: Vec<Admitted>,
    policy: &Policy,
    results: &mut [VmResult],
) -> Vec<Admitted> {
    let (unchanged, others): (Vec<Admitted>, Vec<Admitted>) =
        admitted.into_iter().partition(|one| {
            let view = results.get(one.place).and_then(|result| result.vm.as_ref());
            view.is_some_and(|view| view.acceleration == State::Accelerated)
                && policy.vm(&one.setting.uuid) == Some(&settled(&one.setting))
                && one
                    .plan
                    .steps
                    .iter()
                    .all(|step| *step == pair::Step::WriteConfig)
                && !one.plan.waits_for_restart
        });
    for one in unchanged {
        let (name, setting) = (&one.domain.name, &one.setting);
        let (what, end) = match one.domain.state.holds_devices() {
            true => ("accelerated", ""),
            false => ("enabled", "; it gets its VF at its next start"),
        };
        results[one.place].stays(format!(
            "VM {name} is already {what} with {} on its vNIC {}{end}.",
            setting.performance, setting.mac
        ));
    }
    others
}

/// Whether the running vNIC cannot be unplugged.
fn stays_plugged(vm: &Domain, mac: Mac) -> bool {
    let mut vnics = vm.vnics.iter();
    vnics.any(|vnic| {
        let place = vnic.guest_address.as_ref();
        vnic.mac == Some(mac) && place.is_some_and(|place| place.no_unplug_reason.is_some())
    })
}

fn next_start(vm: &str, found: &str) -> Problem {
    Problem::new(Code::NextStart, &[vm], found)
}
