//! Management of the cluster: enabled, changed, disabled, and how it stands.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use accelnet_api::types::{
    AdapterUse, AgentInfo, Enable, Fault, ManagementChanged, PlannedStep, PrereqAnswer, Set, Status,
};
use accelnet_model::check::CheckName;
use accelnet_model::intent::IntentState;
use accelnet_model::{Capacity, Check, Code, Management, Performance, Problem, VmSetting};
use accelnet_rules::prereq::{self, IntentAdapter, Peer, Scope};
use accelnet_rules::{admission, management, vm};

use super::room::Space;
use super::standing::{self, Kept, Own, Parts, Standing};
use super::vms::{crowded, not_applied};
use super::{Core, Seen};
use crate::cluster::last_reports::Standpoint;
use crate::policy::{Change, Policy};
use crate::report::{Report, Reports};
use crate::view::Picture;

const TURNS: u32 = 16;

/// Whether the settings were so before.
fn is_unchanged(changed: &ManagementChanged) -> bool {
    changed.previous.as_ref() == Some(&changed.management)
}

impl Core {
    /// Enables Accelerated Networking.
    ///
    /// # Errors
    ///
    /// A prerequisite that fails, in its own words, or settings that make no sense.
    pub fn enable(&mut self, who: &str, request: &Enable) -> Result<ManagementChanged, Problem> {
        let result = self.try_enable(request);
        let what = format!("enable Accelerated Networking on intent {}", request.intent);
        if !request.dry_run {
            self.tell_unless_unchanged(who, "cluster", &what, &result, is_unchanged);
        }
        result
    }

    fn try_enable(&mut self, request: &Enable) -> Result<ManagementChanged, Problem> {
        for _ in 0..TURNS {
            let policy = self.policies.read()?;
            let wanted = Management {
                enabled: true,
                intent: Some(request.intent.clone()),
                node_reserve_percentage: reserve_of(request.node_reserve_percentage)?
                    .unwrap_or(policy.management.node_reserve_percentage),
                performance: request.performance.unwrap_or(policy.management.performance),
            };
            let why = "VMs can then be accelerated, and are monitored";
            if let Some(changed) = self.manage(&policy, wanted, request.dry_run, why)? {
                return Ok(changed);
            }
        }
        Err(crowded(&self.name))
    }

    /// Changes its settings; those that are not given remain unchanged.
    ///
    /// # Errors
    ///
    /// As [`Core::enable`]; or Accelerated Networking is not enabled.
    pub fn set(&mut self, who: &str, request: &Set) -> Result<ManagementChanged, Problem> {
        let result = self.try_set(request);
        if !request.dry_run {
            let what = "change the settings of Accelerated Networking";
            self.tell_unless_unchanged(who, "cluster", what, &result, is_unchanged);
        }
        result
    }

    fn try_set(&mut self, request: &Set) -> Result<ManagementChanged, Problem> {
        for _ in 0..TURNS {
            let policy = self.policies.read()?;
            if !policy.management.enabled {
                return Err(Problem::new(
                    Code::ManagementDisabled,
                    &[],
                    "Its settings can be changed only while it is enabled.",
                ));
            }
            let wanted = Management {
                enabled: true,
                intent: request
                    .intent
                    .clone()
                    .or_else(|| policy.management.intent.clone()),
                node_reserve_percentage: reserve_of(request.node_reserve_percentage)?
                    .unwrap_or(policy.management.node_reserve_percentage),
                performance: request.performance.unwrap_or(policy.management.performance),
            };
            let why = "the settings are changed";
            if let Some(changed) = self.manage(&policy, wanted, request.dry_run, why)? {
                return Ok(changed);
            }
        }
        Err(crowded(&self.name))
    }

    /// Disables Accelerated Networking: VMs remain unchanged.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn disable(&mut self, who: &str, dry_run: bool) -> Result<ManagementChanged, Problem> {
        let result = self.try_disable(who, dry_run);
        if result.is_err() && !dry_run {
            self.tell_asked(who, "cluster", "disable Accelerated Networking", &result);
        }
        result
    }

    fn try_disable(&mut self, who: &str, dry_run: bool) -> Result<ManagementChanged, Problem> {
        for _ in 0..TURNS {
            let policy = self.policies.read()?;
            let wanted = Management {
                enabled: false,
                ..policy.management.clone()
            };
            let mut warnings = Vec::new();
            if !policy.vms.is_empty() {
                warnings.push(match policy.vms.len() {
                    1 => "1 accelerated VM remains unchanged and is no longer managed or monitored".to_owned(),
                    many => format!(
                        "{many} accelerated VMs keep their VFs and are no longer managed or monitored"
                    ),
                });
            }
            let steps = steps(
                &self.name,
                &policy.management,
                &wanted,
                "VMs keep their VFs",
            );
            if !dry_run && wanted != policy.management {
                let change = [Change::Management(wanted.clone())];
                self.edge.passing("judged");
                if !self.policies.change(&policy, &change, true)? {
                    continue;
                }
                self.edge.passing("decided");
                let done: Result<(), Problem> = Ok(());
                self.tell_asked(who, "cluster", "disable Accelerated Networking", &done);
                self.refresh()?;
            }
            return Ok(ManagementChanged {
                management: wanted,
                applied: !dry_run,
                steps,
                warnings,
                previous: Some(policy.management.clone()),
            });
        }
        Err(crowded(&self.name))
    }

    /// Judges `wanted`, and sets it. None when another changed the policy meanwhile.
    fn manage(
        &mut self,
        policy: &Policy,
        wanted: Management,
        dry_run: bool,
        why: &str,
    ) -> Result<Option<ManagementChanged>, Problem> {
        management::judge_performance_settings(&wanted.performance)?;
        let name = wanted.intent.clone().unwrap_or_default();
        let seen = self.look();
        self.can_be_judged(&seen)?;
        let checks = self.checks(policy, &seen, Some(&name));
        // Settings can be changed while a node is down; management is not enabled then.
        let stands_in_the_way = |check: &&Check| {
            let waits = policy.management.enabled && check.name == CheckName::Node;
            !check.passed && !waits
        };
        if let Some(check) = checks.iter().find(stands_in_the_way) {
            return Err(as_problem(check, &checks));
        }
        for report in self.everyone(&seen)? {
            let status = report.intents.iter().find(|status| status.intent == name);
            if status.is_none_or(|status| status.state != IntentState::Completed) {
                return Err(not_applied(&name, &report.node, status));
            }
        }
        self.still_fits(policy, &wanted, &seen)?;
        let steps = steps(&self.name, &policy.management, &wanted, why);
        let warnings = checks
            .iter()
            .filter(|check| check.outcome == accelnet_model::check::Outcome::Warning)
            .map(|check| format!("{}: {}", check.subject, check.message))
            .collect();
        if !dry_run && wanted != policy.management {
            let change = [Change::Management(wanted.clone())];
            self.edge.passing("judged");
            if !self.policies.change(policy, &change, true)? {
                return Ok(None);
            }
            self.edge.passing("decided");
            self.refresh()?;
        }
        Ok(Some(ManagementChanged {
            management: wanted,
            applied: !dry_run,
            steps,
            warnings,
            previous: Some(policy.management.clone()),
        }))
    }

    /// The VMs that are promised something must still get it under `wanted`.
    fn still_fits(&self, policy: &Policy, wanted: &Management, seen: &Seen) -> Result<(), Problem> {
        let promised: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
        if promised.is_empty() {
            return Ok(());
        }
        let name = wanted.intent.as_deref().unwrap_or_default();
        if policy.management.intent.as_deref() != Some(name) {
            let old = policy.management.intent.clone().unwrap_or_default();
            let users: Vec<String> = promised
                .iter()
                .map(|vm| format!("VM {}", vm.name))
                .collect();
            return accelnet_rules::intent::is_unused(&old, &users);
        }
        let Some(intent) = policy.intent(name) else {
            return Ok(());
        };
        let future = Policy {
            management: wanted.clone(),
            ..policy.clone()
        };
        let spaces = self.spaces(intent, seen, &promised);
        let rooms: Vec<vm::FreeCapacity> = spaces.iter().map(|space| space.room(&future)).collect();
        for setting in promised.iter().filter(|vm| vm.node == self.name) {
            let given = vm::provisionable(setting.performance, &wanted.performance, &rooms);
            given.map_err(|problem| Problem {
                found: format!(
                    "VM {} has {}. {}",
                    setting.name, setting.performance, problem.found
                ),
                ..problem
            })?;
        }
        let Some(last) = promised.last() else {
            return Ok(());
        };
        let standing = self.standing(policy, wanted, &promised, &spaces)?;
        match standing.failover_shortage() {
            None => Ok(()),
            Some(broken) => {
                let code = Code::ClusterNotEnoughResources;
                let mut problem = Problem::new(code, &[&last.name], broken.found);
                // The document's sentence is about a VM that is enabled.
                problem.message = does_not_fit(&policy.management, wanted);
                Err(problem.needed(broken.needed).resolution(broken.resolution))
            }
        }
    }

    /// The cluster with `promised`: this node as it is seen now, others as they reported.
    pub(crate) fn standing(
        &self,
        policy: &Policy,
        management: &Management,
        promised: &[VmSetting],
        spaces: &[Space<'_>],
    ) -> Result<Standing, Problem> {
        Ok(Standing::of(&Parts {
            policy,
            management,
            promised,
            reports: &self.reports.shared()?,
            down: &self.reports.nodes_down()?,
            own: Some(Own {
                node: &self.name,
                spaces,
            }),
        }))
    }

    /// The same with the policy's settings and `reports`, from what the last admission kept.
    pub(crate) fn kept_standing(
        &self,
        policy: &Policy,
        promised: &[VmSetting],
        reports: &[Arc<Report>],
        spaces: &[Space<'_>],
    ) -> Result<Kept, Problem> {
        let down = self.reports.nodes_down()?;
        let before = self.kept.lock();
        let before = before.unwrap_or_else(PoisonError::into_inner).take();
        Ok(Kept::follow(
            before,
            &Parts {
                policy,
                management: &policy.management,
                promised,
                reports,
                down: &down,
                own: Some(Own {
                    node: &self.name,
                    spaces,
                }),
            },
        ))
    }

    /// Keeps the sums for the next admission.
    pub(crate) fn keep_standing(&self, kept: Kept) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }

    /// Every node's report: this one's as it is now.
    fn everyone(&self, seen: &Seen) -> Result<Vec<Report>, Problem> {
        let mut reports = self.reports.all()?;
        reports.retain(|report| report.node != self.name);
        let mut own = Report::empty(&self.name, &seen.node.observed_at);
        own.intents = self.statuses.clone();
        reports.push(own);
        reports.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(reports)
    }

    /// Every prerequisite check, on a fresh look.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn prereq(&mut self, intent: Option<&str>) -> Result<PrereqAnswer, Problem> {
        let policy = self.policies.read()?;
        let seen = self.look();
        self.can_be_judged(&seen)?;
        let checks = self.checks(&policy, &seen, intent);
        Ok(PrereqAnswer {
            passed: checks.iter().all(|check| check.passed),
            observed_at: seen.node.observed_at,
            checks,
        })
    }

    fn checks(&self, policy: &Policy, seen: &Seen, intent: Option<&str>) -> Vec<Check> {
        let scope = match intent {
            Some(intent) => Scope::Intent(intent.to_owned()),
            None => Scope::All,
        };
        // An adapter may have another name today: it is judged where it was bound.
        let intents: Vec<_> = policy
            .plain_intents()
            .into_iter()
            .map(|mut intent| {
                if let Ok(Some(bound)) = self.policies.bound(&intent.name) {
                    let names = bound.iter().map(|bound| match seen.adapter(bound) {
                        Some(adapter) => adapter.address.to_string(),
                        None => bound.name.clone(),
                    });
                    intent.adapters = names.collect();
                }
                intent
            })
            .collect();
        let figures = &policy.management.performance;
        let promised = policy.vms.iter().map(|(vm, _)| figures.of(vm.performance));
        let needed = promised.map(|figure| figure.queue_pairs).max().unwrap_or(0);
        prereq::judge_cluster(
            &seen.node,
            &self.intent_adapters(seen, policy),
            &self.peers(),
            &intents,
            &scope,
            needed,
        )
    }

    /// The other nodes, as they reported.
    fn peers(&self) -> Vec<Peer> {
        let reports = self.reports.all().unwrap_or_default();
        let nodes = self.nodes.all().unwrap_or_default();
        let known = nodes.iter().map(|node| node.name.as_str());
        let reporting = reports.iter().map(|report| report.node.as_str());
        let names: BTreeSet<&str> = known.chain(reporting).collect();
        let others = names.into_iter().filter(|name| *name != self.name);
        let peer = |name: &str| Peer {
            node: name.to_owned(),
            down_since: nodes
                .iter()
                .find(|node| node.name == name)
                .and_then(|node| node.down_since.clone()),
            report: reports
                .iter()
                .find(|report| report.node == name)
                .map(Report::as_peer),
        };
        others.map(peer).collect()
    }

    /// The adapters of every intent here, as other nodes compare them with theirs.
    pub(crate) fn intent_adapters(&self, seen: &Seen, policy: &Policy) -> Vec<IntentAdapter> {
        let mut all = Vec::new();
        for (intent, _) in &policy.intents {
            for space in self.spaces(intent, seen, &[]) {
                let most = match space.room(policy).most_queue_pairs {
                    0 => None,
                    most => Some(most),
                };
                all.push(IntentAdapter::of(&intent.name, space.adapter, most));
            }
        }
        all
    }

    /// Looks anew and leaves a picture, without bringing anything about.
    pub(crate) fn refresh(&mut self) -> Result<(), Problem> {
        let policy = self.policies.read()?;
        let seen = self.look();
        self.can_be_judged(&seen)?;
        self.applied_revision = policy.revision;
        self.leave(seen, &policy);
        Ok(())
    }
}

/// How things stand, from the policy, the reports of all nodes, and this node's picture.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn status(
    policy: &Policy,
    reports: &Reports,
    picture: &Picture,
    from: &Standpoint<'_>,
) -> Result<Status, Problem> {
    let all = reports.shared()?;
    let last_reports = from.all(all.iter().map(|report| &**report));
    let promised: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
    let management = &policy.management;
    let standing = Standing::of(&Parts {
        policy,
        management,
        promised: &promised,
        reports: &all,
        down: &reports.nodes_down()?,
        own: None,
    });
    let broken = standing.failover_shortage();
    let mut faults: Vec<Fault> = all.iter().flat_map(|one| one.faults.clone()).collect();
    for fault in &mut faults {
        fault.last_report = last_reports.get(&fault.node).cloned();
    }
    if management.enabled {
        let since = reports.unmet_since(broken.is_some(), &from.clock.now());
        let unmet = broken.as_ref().zip(since);
        let node = &picture.report.node;
        faults.extend(unmet.map(|(broken, since)| standing::fault(broken, node, since)));
    }
    let survives = standing.ledger.survives().unwrap_or(0);
    let cluster = standing.ledger.cluster();
    let count = cluster.nodes.len().max(1);
    let reserved = admission::reserved_nodes(count, management.node_reserve_percentage);
    let of = |performance| {
        let mut number = 0;
        for (vm, _) in &policy.vms {
            number += u32::from(vm.performance == performance);
        }
        (performance, number)
    };
    Ok(Status {
        enabled: management.enabled,
        intent: management.intent.clone(),
        node_reserve_percentage: management.node_reserve_percentage,
        performance: management.performance,
        nodes: number(count),
        reserved_nodes: number(reserved),
        node_failures_survived: standing.promises().then(|| number(survives)),
        failover_capacity_ok: broken.is_none(),
        adapters: all
            .iter()
            .flat_map(|one| managed_adapters(one, policy).cloned())
            .collect(),
        accelerated_vms: Performance::ALL.into_iter().map(of).collect(),
        faults,
        agent: AgentInfo {
            node: picture.report.node.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            simulated: picture.simulated,
            observed_at: picture.node.observed_at.clone(),
            observed_seconds_ago: from
                .clock
                .uptime()
                .saturating_sub(picture.seen_at)
                .as_secs(),
            policy_revision: policy.revision,
            applied_revision: picture.applied_revision,
            cut_off_since: None,
            cut_off_reason: None,
        },
        nodes_down: Vec::new(),
        nodes_drained: Vec::new(),
    })
}

/// The capacity of the cluster, from the policy and the reports of all nodes.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn capacity(policy: &Policy, reports: &Reports) -> Result<Capacity, Problem> {
    let promised: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
    let standing = Standing::of(&Parts {
        policy,
        management: &policy.management,
        promised: &promised,
        reports: &reports.shared()?,
        down: &reports.nodes_down()?,
        own: None,
    });
    Ok(standing.capacity())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The adapters of a report that are the managed intent's.
pub(crate) fn managed_adapters<'a>(
    report: &'a Report,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a AdapterUse> {
    let managed = policy.management.intent.as_deref();
    let mut intents = report.intents.iter();
    let status = intents.find(|status| Some(status.intent.as_str()) == managed);
    report.adapters.iter().filter(move |one| {
        status.is_some_and(|status| {
            let mut bound = status.adapters.iter();
            bound.any(|bound| {
                bound.address == one.address || (bound.mac.is_some() && bound.mac == one.mac)
            })
        })
    })
}

/// That the accelerated VMs do not fit a change of management.
fn does_not_fit(from: &Management, to: &Management) -> String {
    let mut changes = Vec::new();
    if from.node_reserve_percentage != to.node_reserve_percentage {
        changes.push(format!(
            "a node reserve of {} %",
            to.node_reserve_percentage
        ));
    }
    for setting in Performance::ALL {
        let pairs = to.performance.of(setting).queue_pairs;
        if from.performance.of(setting).queue_pairs != pairs {
            let plural = if pairs == 1 { "" } else { "s" };
            changes.push(format!("{pairs} queue pair{plural} for {setting}"));
        }
    }
    match changes.is_empty() {
        true => "The accelerated VMs do not fit.".to_owned(),
        false => format!(
            "The accelerated VMs do not fit with {}.",
            changes.join(" and ")
        ),
    }
}

/// A reserve that was given must be an integer of 0..=99.
fn reserve_of(given: Option<i64>) -> Result<Option<u8>, Problem> {
    given.map(management::reserve_number).transpose()
}

/// The first check that failed, in its own words; the others are counted.
fn as_problem(first: &Check, checks: &[Check]) -> Problem {
    let failed = checks.iter().filter(|check| !check.passed).count();
    let code = first.code.unwrap_or(Code::EnableAccelNetFailed);
    let mut problem = Problem::new(code, &[&first.subject], first.found.clone());
    problem.document_code = first.document_code;
    problem.message = first.message.clone();
    problem.needed = first.needed.clone();
    problem.resolution = first.resolution.clone();
    problem.cause = first.cause.clone();
    if failed > 1 {
        problem.resolution = format!(
            "{} {} checks fail in all; 'accelnet prereq' shows them.",
            problem.resolution, failed
        );
    }
    problem
}

/// The steps of a change of the settings.
fn steps(node: &str, from: &Management, to: &Management, why: &str) -> Vec<PlannedStep> {
    let mut actions = Vec::new();
    if from.enabled != to.enabled {
        actions.push(match to.enabled {
            true => "enable Accelerated Networking".to_owned(),
            false => "disable Accelerated Networking".to_owned(),
        });
    }
    if from.intent != to.intent {
        let intent = to.intent.as_deref().unwrap_or("none");
        actions.push(format!("use VFs of intent {intent}"));
    }
    if from.node_reserve_percentage != to.node_reserve_percentage {
        actions.push(format!(
            "change the node reserve from {} % to {} %",
            from.node_reserve_percentage, to.node_reserve_percentage
        ));
    }
    if from.performance != to.performance {
        actions.push("set the performance settings Low, Medium and High".to_owned());
    }
    actions
        .into_iter()
        .map(|action| PlannedStep {
            node: node.to_owned(),
            subject: "cluster".to_owned(),
            action,
            reason: why.to_owned(),
            affected_vms: Vec::new(),
            restarts: None,
        })
        .collect()
}
