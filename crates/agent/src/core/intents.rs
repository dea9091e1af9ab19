//! Intents: declared, changed, removed.

mod elsewhere;

use accelnet_api::types::{
    EventKind, IntentAdd, IntentChanged, IntentSet, IntentView, PlannedStep,
};
use accelnet_model::intent::{BoundAdapter, Intent, IntentState, IntentStatus};
use accelnet_model::vf_plan::Ask;
use accelnet_model::{Code, IntentName, Problem, VfSecurity, VmSetting};
use accelnet_rules::pair::{Pair, Step as PairStep};
use accelnet_rules::{intent as rules, prereq, vf_count};

use elsewhere::{Elsewhere, in_words, policy_step, removal};

use super::{Core, Seen, VF_DEADLINE};
use crate::policy::{Change, Disruption, Policy};
use crate::problems::{change_conflict, libvirt_failed, one_line};
use crate::reports::Report;
use crate::vf_change::{self, Request};

impl Core {
    /// Declares an intent, and brings it about here. One that cannot be is not declared.
    ///
    /// # Errors
    ///
    /// It makes no sense, takes what another has, or the node cannot do it.
    pub fn add_intent(&mut self, who: &str, request: &IntentAdd) -> Result<IntentChanged, Problem> {
        let result = self.try_add(request);
        if !request.dry_run {
            let what = format!("add intent {}", request.name);
            self.tell_unless_unchanged(who, &request.name, &what, &result, |done| done.unchanged);
        }
        result
    }

    fn try_add(&mut self, request: &IntentAdd) -> Result<IntentChanged, Problem> {
        let intent = Intent {
            name: rules::name(&request.name)?,
            roles: sorted(request.roles.clone()),
            adapters: request.adapters.clone(),
            vfs: request.vfs,
            security: security(VfSecurity::default(), request.trust, request.spoof_check),
        };
        let policy = self.policies.read()?;
        let others = policy.plain_intents();
        rules::may_be_declared(&intent, &others)?;
        rules::has_vfs(&intent, request.vfs)?;
        rules::is_new(&intent, &others)?;
        let mut seen = self.look();
        self.can_be_judged(&seen)?;
        self.resolve(&intent, &seen)?;
        let (steps, warnings) = self.foreseen(&intent, &seen)?;
        if request.dry_run {
            let old = policy.intent(&intent.name);
            let action = format!("add the intent: {}", in_words(&intent));
            let first = old
                .is_none()
                .then(|| policy_step(&self.name, &intent, action));
            let steps = self.everywhere(first, steps, |others| others.apply(old, &intent))?;
            return Ok(IntentChanged {
                intent: None,
                applied: false,
                unchanged: old.is_some(),
                steps,
                warnings,
            });
        }
        let known = policy.intent(&intent.name).is_some();
        let change = [Change::Intent(intent.clone())];
        if !known && !self.policies.change(&policy, &change, true)? {
            return Err(change_conflict(&self.name));
        }
        self.edge.failpoint("decided");
        let policy = self.policies.read()?;
        if let Err(problem) = self.apply_intent(&intent, &policy, &mut seen) {
            if !known {
                self.policies
                    .change(&policy, &[Change::NoIntent(intent.name.clone())], false)?;
                self.withdraw(&intent, &mut seen);
            }
            self.refresh()?;
            return Err(problem);
        }
        self.edge.failpoint("applied");
        self.leave(seen, &policy);
        self.changed(&intent.name, known, steps, warnings)
    }

    /// Changes an intent; what is not given stays.
    ///
    /// # Errors
    ///
    /// As [`Core::add_intent`]; VFs in use stand in the way of another number of them, unless
    /// the change may be disruptive.
    pub fn set_intent(
        &mut self,
        who: &str,
        name: &str,
        request: &IntentSet,
    ) -> Result<IntentChanged, Problem> {
        let result = self.try_set_intent(name, request);
        if !request.dry_run {
            let what = format!("change intent {name}");
            self.tell_unless_unchanged(who, name, &what, &result, |done| done.unchanged);
        }
        result
    }

    fn try_set_intent(
        &mut self,
        name: &str,
        request: &IntentSet,
    ) -> Result<IntentChanged, Problem> {
        let policy = self.policies.read()?;
        let others = policy.plain_intents();
        let old = rules::find(name, &others)?.clone();
        let intent = Intent {
            name: old.name.clone(),
            roles: request.roles.clone().map_or(old.roles.clone(), sorted),
            adapters: request.adapters.clone().unwrap_or(old.adapters.clone()),
            vfs: match request.vfs {
                None => old.vfs,
                Some(0) => None,
                Some(vfs) => Some(vfs),
            },
            security: security(old.security, request.trust, request.spoof_check),
        };
        rules::may_be_declared(&intent, &others)?;
        rules::has_vfs(&intent, request.vfs)?;
        let managed = policy.management.intent.as_deref() == Some(name);
        let users = users_of(&policy, name);
        if managed && !intent.is_compute() {
            rules::is_unused(name, &users)?;
        }
        let mut seen = self.look();
        self.can_be_judged(&seen)?;
        let lost: Vec<&String> = old
            .adapters
            .iter()
            .filter(|adapter| !intent.adapters.contains(adapter))
            .collect();
        if !lost.is_empty() {
            rules::is_unused(name, &users)?;
        }
        if old.adapters != intent.adapters {
            self.resolve(&intent, &seen)?;
        }
        let displaced = self.displaced(&intent, &policy, &seen, request.disruptive)?;
        let (mut steps, warnings) = match displaced.is_empty() {
            true => self.foreseen(&intent, &seen)?,
            false => {
                let warning = self.software_path(&policy)?;
                let warnings = warning.iter().map(one_line).collect();
                (self.disruption_steps(&intent, &displaced), warnings)
            }
        };
        if intent == old {
            steps.clear();
        }
        if request.dry_run {
            let action = format!("change the intent to: {}", in_words(&intent));
            let first = (intent != old).then(|| policy_step(&self.name, &intent, action));
            let steps =
                self.everywhere(first, steps, |others| others.apply(Some(&old), &intent))?;
            return Ok(IntentChanged {
                intent: None,
                applied: false,
                unchanged: intent == old,
                steps,
                warnings,
            });
        }
        if !displaced.is_empty() {
            let disruption = Disruption {
                before: old.vfs,
                going_back: false,
            };
            self.policies.disrupt(name, Some(&disruption))?;
            self.edge.failpoint("disruption-decided");
        }
        if intent != old
            && !self
                .policies
                .change(&policy, &[Change::Intent(intent.clone())], true)?
        {
            self.policies.disrupt(name, None)?;
            return Err(change_conflict(&self.name));
        }
        self.edge.failpoint("decided");
        let policy = self.policies.read()?;
        let applied = match displaced.is_empty() {
            true => self.apply_intent(&intent, &policy, &mut seen),
            false => self.go_on_disrupting(&intent, &policy, &mut seen),
        };
        if let Err(problem) = applied {
            let policy = self.policies.read()?;
            if policy.intent(name) != Some(&old) {
                self.policies
                    .change(&policy, &[Change::Intent(old.clone())], false)?;
            }
            self.pass()?;
            return Err(problem);
        }
        self.pass()?;
        self.changed(name, intent == old, steps, warnings)
    }

    /// Removes an intent that nothing uses, and what it made here.
    ///
    /// # Errors
    ///
    /// It is not there, or something uses it.
    pub fn remove_intent(
        &mut self,
        who: &str,
        name: &str,
        dry_run: bool,
    ) -> Result<IntentChanged, Problem> {
        let result = self.try_remove(name, dry_run);
        if !dry_run {
            let what = format!("remove intent {name}");
            self.tell_asked(who, name, &what, &result);
        }
        result
    }

    fn try_remove(&mut self, name: &str, dry_run: bool) -> Result<IntentChanged, Problem> {
        let policy = self.policies.read()?;
        let intents = policy.plain_intents();
        let lost = self.lost_intents(&policy);
        let lost = lost.into_iter().find(|intent| intent.name == *name);
        let intent = match lost {
            Some(lost) => lost,
            None => rules::find(name, &intents)?.clone(),
        };
        let mut users = users_of(&policy, name);
        if policy.management.enabled && policy.management.intent.as_deref() == Some(name) {
            users.push("Accelerated Networking".to_owned());
        }
        rules::is_unused(name, &users)?;
        let mut seen = self.look();
        self.can_be_judged(&seen)?;
        let networks = [intent.switch_network(), intent.pool_network()];
        let connected: Vec<String> = seen
            .domains()
            .iter()
            .filter(|domain| {
                domain.vnics.iter().any(|vnic| {
                    vnic.kind != "bridge"
                        && vnic
                            .source
                            .as_ref()
                            .is_some_and(|name| networks.contains(name))
                })
            })
            .map(|domain| format!("VM {} (its definition names the network)", domain.name))
            .collect();
        rules::is_unused(name, &connected)?;
        let steps = vec![PlannedStep {
            node: self.name.clone(),
            subject: name.to_owned(),
            action: removal(&intent, self.status_of(name)),
            reason: "the intent is removed; addresses of its bridge move back to the adapter"
                .to_owned(),
            affected_vms: Vec::new(),
            restarts: None,
        }];
        let mut changed = IntentChanged {
            intent: None,
            applied: !dry_run,
            unchanged: false,
            steps,
            warnings: Vec::new(),
        };
        if dry_run {
            let action = "remove the intent".to_owned();
            let first = policy_step(&self.name, &intent, action);
            let here = changed.steps;
            changed.steps = self.everywhere(Some(first), here, |all| all.remove(&intent))?;
            return Ok(changed);
        }
        if !self
            .policies
            .change(&policy, &[Change::NoIntent(intent.name.clone())], true)?
        {
            return Err(change_conflict(&self.name));
        }
        self.edge.failpoint("decided");
        changed.warnings = self.withdraw(&intent, &mut seen);
        self.refresh()?;
        Ok(changed)
    }

    /// What a change does to the policy, then here, then on the other nodes.
    fn everywhere(
        &self,
        policy: Option<PlannedStep>,
        here: Vec<PlannedStep>,
        elsewhere: impl FnOnce(&Elsewhere<'_>) -> Vec<PlannedStep>,
    ) -> Result<Vec<PlannedStep>, Problem> {
        let (reports, down) = (self.reports.all()?, self.reports.nodes_down()?);
        let others = elsewhere(&Elsewhere::of(&reports, &self.name, &down));
        Ok(policy.into_iter().chain(here).chain(others).collect())
    }

    /// Intents that stand here, and that the store neither has nor had removed: it lost them.
    pub(crate) fn lost_intents(&self, policy: &Policy) -> Vec<Intent> {
        let bound = self.policies.all_bound().unwrap_or_default().into_iter();
        let lost = bound.filter_map(|(name, adapters)| {
            let name: IntentName = name.parse().ok()?;
            let known = policy.intent(&name).is_some() || policy.removed.contains(&name);
            (!known && !policy.has_unreadable_intent(&name)).then(|| bound_only(name, adapters))
        });
        lost.collect()
    }

    /// Takes away what removed intents made here.
    pub(crate) fn withdraw_removed(&mut self, policy: &Policy, seen: &mut Seen) {
        let bound = self.policies.all_bound().unwrap_or_default();
        for (name, adapters) in bound {
            // One that is merely missing may have been lost: what runs stays, and is named by a fault.
            if policy.intent(&name).is_none()
                && let Some(name) = policy.removed.get(name.as_str()).cloned()
            {
                self.withdraw(&bound_only(name, adapters), seen);
            }
        }
    }

    /// Takes away what `intent` made here; what cannot go is told.
    fn withdraw(&mut self, intent: &Intent, seen: &mut Seen) -> Vec<String> {
        let mut left = Vec::new();
        let bound = self.policies.bound(&intent.name).ok().flatten();
        let bound = bound.unwrap_or_default();
        if intent.is_compute() {
            for network in [intent.switch_network(), intent.pool_network()] {
                self.edge.failpoint("withdraw-network");
                let vms = self.edge.vms();
                let gone = vms
                    .stop_network(&network)
                    .and_then(|()| vms.remove_network(&network));
                if let Err(error) = gone {
                    left.push(format!("libvirt network {network} stays: {error}"));
                }
            }
            self.edge.failpoint("withdraw-switch");
            if let Err(problem) = self.hand_back(intent, &bound, seen) {
                left.push(format!(
                    "the bridge stays: {} {}",
                    problem.message, problem.found
                ));
            }
            for bound in &bound {
                let Some(adapter) = seen.adapter(bound) else {
                    continue;
                };
                if adapter.vfs.is_empty() {
                    continue;
                }
                self.edge.failpoint("withdraw-vfs");
                let name = adapter.address.to_string();
                let request = Request {
                    name: &name,
                    ask: Ask::Off,
                    within: VF_DEADLINE,
                    dry_run: false,
                };
                let host = self.edge.host();
                if let Err(problem) = vf_change::run(&host, request, None) {
                    left.push(format!("VFs stay: {} {}", problem.message, problem.found));
                }
            }
        }
        self.statuses.retain(|status| status.intent != intent.name);
        self.host_network.forget(&intent.name);
        self.change_begins(&intent.name);
        if let Err(problem) = self.policies.bind(&intent.name, None) {
            left.push(problem.message);
        }
        for words in &left {
            self.tell(EventKind::Noticed, &intent.name, format!("{words}."));
        }
        *seen = self.look();
        left
    }

    /// The accelerated VMs that would have to do without their VF for `intent` to be.
    ///
    /// # Errors
    ///
    /// VFs are in use, and the change may not be disruptive, or somebody else uses one.
    fn displaced(
        &self,
        intent: &Intent,
        policy: &Policy,
        seen: &Seen,
        disruptive: bool,
    ) -> Result<Vec<VmSetting>, Problem> {
        let mut displaced = Vec::new();
        if !intent.is_compute() {
            return Ok(displaced);
        }
        let bound = self.policies.bound(&intent.name)?.unwrap_or_default();
        let ask = intent.vfs.map_or(Ask::All, Ask::Exactly);
        for bound in &bound {
            let Some(adapter) = seen.adapter(bound) else {
                continue;
            };
            let Err(problem) = vf_count::plan(adapter, ask) else {
                continue;
            };
            if problem.code != Code::VfInUse {
                return Err(prereq::as_judged(problem, &seen.node, adapter));
            }
            if !disruptive {
                return Err(problem.resolution(
                    "Disable the VMs that are named, or run the same command with --disruptive: the VMs use their software path while the number of VFs changes, then get VFs again.",
                ));
            }
            for vf in adapter.vfs_in_use() {
                let domain = seen.domains().iter().find(|domain| {
                    domain.state.holds_devices() && domain.host_devices.contains(&vf.address)
                });
                let setting = domain.and_then(|domain| policy.vm(&domain.uuid));
                let able = domain.zip(setting).is_some_and(|(domain, setting)| {
                    Pair::of(&domain.vnics, setting.mac, &intent.pool_network()).can_fail_over()
                });
                match setting {
                    Some(setting) if able => displaced.push(setting.clone()),
                    // Somebody that cannot fall back stays, and so does everything.
                    _ => return Err(problem),
                }
            }
        }
        Ok(displaced)
    }

    /// An agent died in the middle of a disruptive change: it is gone on with, forwards or
    /// back.
    pub(crate) fn go_on_with(
        &mut self,
        disruption: &Disruption,
        intent: &Intent,
        policy: &Policy,
        seen: &mut Seen,
    ) {
        if !self.libvirt_may_be_asked {
            // VMs have to fall back first.
            self.enter(intent, policy, IntentState::Applying, |_| {});
            return;
        }
        // What failed stands in the status, or is tried again by the next pass.
        if disruption.going_back {
            drop(self.go_back(disruption, intent, seen));
        } else if intent.vfs == disruption.before {
            // It died before that was decided.
            drop(self.policies.disrupt(&intent.name, None));
            drop(self.apply_intent(intent, policy, seen));
        } else {
            drop(self.go_on_disrupting(intent, policy, seen));
        }
    }

    /// The number of VFs before a disruptive change comes back.
    fn go_back(
        &mut self,
        disruption: &Disruption,
        intent: &Intent,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        let before = Intent {
            vfs: disruption.before,
            ..intent.clone()
        };
        let policy = self.policies.read()?;
        if policy.intent(&before.name) != Some(&before) {
            self.policies
                .change(&policy, &[Change::Intent(before.clone())], false)?;
        }
        let policy = self.policies.read()?;
        *seen = self.look();
        // What cannot come back either stands in the status.
        drop(self.fall_back_and_change(&before, &policy, seen));
        self.edge.failpoint("gone-back");
        self.policies.disrupt(&intent.name, None)
    }

    /// VMs fall back, the number changes; their VFs come with the pass that follows.
    ///
    /// # Errors
    ///
    /// What stopped it: then the number before comes back, and the VMs get VFs of those.
    pub(crate) fn go_on_disrupting(
        &mut self,
        intent: &Intent,
        policy: &Policy,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        let result = self.fall_back_and_change(intent, policy, seen);
        if result.is_err()
            && let Ok(Some(disruption)) = self.policies.disruption(&intent.name)
            && !disruption.going_back
        {
            let back = Disruption {
                going_back: true,
                ..disruption.clone()
            };
            self.policies.disrupt(&intent.name, Some(&back))?;
            self.edge.failpoint("going-back");
            self.go_back(&back, intent, seen)?;
            return result;
        }
        self.edge.failpoint("disrupted");
        self.policies.disrupt(&intent.name, None)?;
        result
    }

    fn fall_back_and_change(
        &mut self,
        intent: &Intent,
        policy: &Policy,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        for setting in self.displaced(intent, policy, seen, true)? {
            let domain = seen.domain(&setting.uuid);
            let Some(domain) = domain.cloned() else {
                continue;
            };
            self.edge.failpoint("fall-back");
            let message = format!(
                "VM {} moves to its software path until the VFs are created again.",
                domain.name
            );
            self.tell(EventKind::Noticed, &domain.name, message);
            self.only(policy, &setting, &domain, PairStep::DetachVf)?;
        }
        self.edge.failpoint("stop-pool");
        self.change_begins(&intent.name);
        let pool = intent.pool_network();
        self.edge
            .vms()
            .stop_network(&pool)
            .map_err(|error| libvirt_failed(&format!("stop network {pool}"), &error.to_string()))?;
        *seen = self.look();
        self.apply_intent(intent, policy, seen)
    }

    /// What bringing `intent` about would take, as far as it can be foreseen, and what is worth
    /// knowing before.
    fn foreseen(
        &self,
        intent: &Intent,
        seen: &Seen,
    ) -> Result<(Vec<PlannedStep>, Vec<String>), Problem> {
        let mut needs = self.needs_unbound(intent, seen)?;
        let bridge = self.status_of(&intent.name).map(|status| &status.bridge);
        if let Some(new) = needs.bridge.as_deref()
            && bridge != Some(&needs.bridge)
        {
            let warning = self.forwards(new)?;
            needs.warnings.extend(warning.as_ref().map(one_line));
        }
        let mut steps: Vec<PlannedStep> = needs
            .steps
            .iter()
            .flat_map(|step| step.planned(&self.name, &intent.name))
            .collect();
        if !needs.steps.is_empty() && intent.is_compute() {
            for network in [intent.switch_network(), intent.pool_network()] {
                if !steps.iter().any(|step| step.subject == network) {
                    steps.push(PlannedStep {
                        node: self.name.clone(),
                        subject: network.clone(),
                        action: format!("define and start libvirt network {network}"),
                        reason: "definitions of VMs refer to it, so that they are the same on every node"
                            .to_owned(),
                        affected_vms: Vec::new(),
                        restarts: None,
                    });
                }
            }
        }
        Ok((steps, needs.warnings))
    }

    fn disruption_steps(&self, intent: &Intent, displaced: &[VmSetting]) -> Vec<PlannedStep> {
        let step = |subject: &str, action: String, why: &str, touches: bool| PlannedStep {
            node: self.name.clone(),
            subject: subject.to_owned(),
            action,
            reason: why.to_owned(),
            affected_vms: match touches {
                true => vec![subject.to_owned()],
                false => Vec::new(),
            },
            restarts: None,
        };
        let back = displaced.iter().map(|vm| {
            let action = PairStep::DetachVf.to_string();
            step(
                &vm.name,
                action,
                "its VF is removed while the number of VFs changes",
                true,
            )
        });
        let change = step(
            &intent.name,
            match intent.vfs {
                Some(vfs) => format!("change the number of VFs to {vfs}"),
                None => "change the number of VFs to all".to_owned(),
            },
            "no VF is in use then",
            false,
        );
        let again = displaced.iter().map(|vm| {
            let action = PairStep::AttachVf.to_string();
            step(&vm.name, action, "it gets a VF again", true)
        });
        back.chain([change]).chain(again).collect()
    }

    /// The answer to a change of the intent called `name`: what was warned of before holds as well
    /// as what is seen now.
    fn changed(
        &self,
        name: &str,
        unchanged: bool,
        steps: Vec<PlannedStep>,
        mut warnings: Vec<String>,
    ) -> Result<IntentChanged, Problem> {
        let policy = self.policies.read()?;
        let mut reports = self.reports.all()?;
        reports.sort_by(|a, b| a.node.cmp(&b.node));
        let views = views(&policy, &reports);
        let intent = views.into_iter().find(|view| view.intent.name == name);
        let status = self.status_of(name);
        for warning in status.into_iter().flat_map(|status| &status.warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        Ok(IntentChanged {
            intent,
            applied: true,
            unchanged,
            steps,
            warnings,
        })
    }
}

/// An intent of which only its adapters are known.
fn bound_only(name: IntentName, bound: Vec<BoundAdapter>) -> Intent {
    Intent {
        name,
        roles: vec![accelnet_model::intent::Role::Compute],
        adapters: bound.into_iter().map(|bound| bound.name).collect(),
        vfs: None,
        security: VfSecurity::default(),
    }
}

/// Every intent with its status on every node.
pub(crate) fn views(policy: &Policy, reports: &[Report]) -> Vec<IntentView> {
    let view = |(intent, revision): &(Intent, u64)| IntentView {
        revision: *revision,
        switch_network: intent.switch_network(),
        pool_network: intent.pool_network(),
        status: reports
            .iter()
            .map(|report| status_in(report, &intent.name, *revision))
            .collect(),
        intent: intent.clone(),
    };
    let mut views: Vec<IntentView> = policy.intents.iter().map(view).collect();
    views.sort_by(|a, b| a.intent.name.cmp(&b.intent.name));
    views
}

/// What a node said of an intent; pending when it has said nothing of it, or nothing since it was changed
/// at `revision`.
fn status_in(report: &Report, intent: &str, revision: u64) -> IntentStatus {
    let mut all = report.intents.iter();
    let said = all.find(|status| status.intent == intent).cloned();
    let mut status = said.unwrap_or_else(|| IntentStatus {
        intent: intent.to_owned(),
        node: report.node.clone(),
        state: IntentState::Pending,
        intent_revision: 0,
        since: report.observed_at.clone(),
        verified_at: None,
        adapters: Vec::new(),
        bridge: None,
        vfs: 0,
        problem: None,
        other_problems: Vec::new(),
        warnings: Vec::new(),
        last_report: None,
    });
    if status.intent_revision < revision && status.state != IntentState::Pending {
        status.state = IntentState::Pending;
        status.since.clone_from(&report.observed_at);
        status.problem = None;
        status.other_problems.clear();
    }
    status
}

/// Accelerated VMs whose VFs come from the intent called `name`.
fn users_of(policy: &Policy, name: &str) -> Vec<String> {
    match policy.management.intent.as_deref() == Some(name) {
        true => policy
            .vms
            .iter()
            .map(|(vm, _)| format!("VM {}", vm.name))
            .collect(),
        false => Vec::new(),
    }
}

/// What guests may do, where something is given.
fn security(before: VfSecurity, trust: Option<bool>, spoof_check: Option<bool>) -> VfSecurity {
    VfSecurity {
        trust: trust.unwrap_or(before.trust),
        spoof_check: spoof_check.unwrap_or(before.spoof_check),
    }
}

fn sorted(mut roles: Vec<accelnet_model::intent::Role>) -> Vec<accelnet_model::intent::Role> {
    roles.sort();
    roles.dedup();
    roles
}
