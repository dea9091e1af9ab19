//! Accelerated Networking in the cluster: enabled, changed, disabled; and its prerequisites.

use std::collections::BTreeSet;

use accelnet_api::types::{Enable, ManagementChanged, PlannedStep, PrereqAnswer, Set};
use accelnet_model::check::{CheckName, Outcome};
use accelnet_model::intent::{IntentState, IntentStatus};
use accelnet_model::{Check, Code, Management, Performance, Problem, VmSetting};
use accelnet_rules::prereq::{self, Peer, Scope};
use accelnet_rules::{management, vm};

use crate::capacity::{ClusterState, Inputs, OwnAdapters, adapters};
use crate::context::Context;
use crate::policy::{Change, Policy};
use crate::problems::{change_conflict, intent_not_applied};
use crate::reconcilers::Reconcilers;
use crate::reports::Report;
use crate::requester::Requester;
use crate::vms::request::ATTEMPTS;
use crate::world::World;

/// Enables Accelerated Networking.
///
/// # Errors
///
/// A prerequisite that fails, in its own words, or invalid settings.
pub(crate) fn enable(
    agent: &mut Reconcilers,
    who: &Requester,
    request: &Enable,
) -> Result<ManagementChanged, Problem> {
    let reserve = reserve_of(request.node_reserve_percentage);
    let result = reserve.and_then(|reserve| {
        decide(agent, request.dry_run, |policy| {
            let before = &policy.management;
            let wanted = Management {
                enabled: true,
                intent: Some(request.intent.clone()),
                node_reserve_percentage: reserve.unwrap_or(before.node_reserve_percentage),
                performance: request.performance.unwrap_or(before.performance),
            };
            Ok((wanted, "VMs can then be accelerated, and are monitored"))
        })
    });
    let what = format!("enable Accelerated Networking on intent {}", request.intent);
    record(agent, who, &what, &result, request.dry_run);
    result
}

/// Changes its settings; those that are not given remain unchanged.
///
/// # Errors
///
/// As [`enable`]; or Accelerated Networking is not enabled.
pub(crate) fn set(
    agent: &mut Reconcilers,
    who: &Requester,
    request: &Set,
) -> Result<ManagementChanged, Problem> {
    let result = decide(agent, request.dry_run, |policy| {
        let before = &policy.management;
        if !before.enabled {
            let found = "Its settings can be changed only while it is enabled.";
            return Err(Problem::new(Code::ManagementDisabled, &[], found));
        }
        let reserve = reserve_of(request.node_reserve_percentage)?;
        let wanted = Management {
            enabled: true,
            intent: request.intent.clone().or_else(|| before.intent.clone()),
            node_reserve_percentage: reserve.unwrap_or(before.node_reserve_percentage),
            performance: request.performance.unwrap_or(before.performance),
        };
        Ok((wanted, "the settings are changed"))
    });
    let what = "change the settings of Accelerated Networking";
    record(agent, who, what, &result, request.dry_run);
    result
}

/// Records a request, unless it changed nothing.
fn record(
    agent: &Reconcilers,
    who: &Requester,
    what: &str,
    result: &Result<ManagementChanged, Problem>,
    dry_run: bool,
) {
    let is_unchanged =
        |changed: &ManagementChanged| changed.previous.as_ref() == Some(&changed.management);
    if !dry_run && !result.as_ref().is_ok_and(is_unchanged) {
        who.record(&agent.ctx, "cluster", what, result);
    }
}

/// Decides on the settings that `wanted` makes of a policy, again while others change the policy.
fn decide(
    agent: &mut Reconcilers,
    dry_run: bool,
    wanted: impl Fn(&Policy) -> Result<(Management, &'static str), Problem>,
) -> Result<ManagementChanged, Problem> {
    for _ in 0..ATTEMPTS {
        let policy = agent.ctx.policies.read()?;
        let (wanted, why) = wanted(&policy)?;
        if let Some(changed) = manage(agent, policy, wanted, dry_run, why)? {
            return Ok(changed);
        }
    }
    Err(change_conflict(&agent.ctx.node))
}

/// Disables Accelerated Networking: VMs remain unchanged.
///
/// # Errors
///
/// The store cannot be written.
pub(crate) fn disable(
    agent: &mut Reconcilers,
    who: &Requester,
    dry_run: bool,
) -> Result<ManagementChanged, Problem> {
    let result = try_disable(agent, who, dry_run);
    if let (Err(problem), false) = (&result, dry_run) {
        who.record_refusal(&agent.ctx, "disable Accelerated Networking", problem);
    }
    result
}

fn try_disable(
    agent: &mut Reconcilers,
    who: &Requester,
    dry_run: bool,
) -> Result<ManagementChanged, Problem> {
    for _ in 0..ATTEMPTS {
        let ctx = &agent.ctx;
        let policy = ctx.policies.read()?;
        let before = &policy.management;
        let wanted = Management {
            enabled: false,
            ..before.clone()
        };
        let warnings = match policy.vms.len() {
            0 => Vec::new(),
            1 => vec![
                "1 accelerated VM remains unchanged and is no longer managed or monitored"
                    .to_owned(),
            ],
            many => vec![format!(
                "{many} accelerated VMs keep their VFs and are no longer managed or monitored"
            )],
        };
        let steps = steps(&ctx.node, before, &wanted, "VMs keep their VFs");
        if !dry_run && wanted != *before {
            let change = [Change::Management(wanted.clone())];
            ctx.failpoint("judged");
            if !ctx.policies.change(&policy, &change, true)? {
                continue;
            }
            ctx.failpoint("decided");
            let done: Result<(), Problem> = Ok(());
            who.record(ctx, "cluster", "disable Accelerated Networking", &done);
            agent.refresh()?;
        }
        return Ok(ManagementChanged {
            management: wanted,
            applied: !dry_run,
            steps,
            warnings,
            previous: Some(policy.management),
        });
    }
    Err(change_conflict(&agent.ctx.node))
}

/// Evaluates `wanted`, and sets it. None when another changed the policy meanwhile.
fn manage(
    agent: &mut Reconcilers,
    policy: Policy,
    wanted: Management,
    dry_run: bool,
    why: &str,
) -> Result<Option<ManagementChanged>, Problem> {
    management::judge_performance_settings(&wanted.performance)?;
    let name = wanted.intent.clone().unwrap_or_default();
    let world = agent.evaluated(policy)?;
    let ctx = &agent.ctx;
    let before = &world.policy.management;
    let checks = checks(ctx, &world, Some(&name));
    // Settings can be changed while a node is down; Accelerated Networking is not enabled then.
    let is_obstacle = |check: &&Check| {
        let waits = before.enabled && check.name == CheckName::Node;
        !check.passed && !waits
    };
    if let Some(check) = checks.iter().find(is_obstacle) {
        return Err(as_problem(check, &checks));
    }
    is_applied_everywhere(ctx, &name, agent.intents.statuses.of(&name))?;
    still_fits(ctx, &world, &wanted)?;
    let steps = steps(&ctx.node, before, &wanted, why);
    let warned = checks
        .iter()
        .filter(|check| check.outcome == Outcome::Warning);
    let warnings = warned.map(|check| format!("{}: {}", check.subject, check.message));
    let warnings = warnings.collect();
    let previous = Some(before.clone());
    if !dry_run && wanted != *before {
        let change = [Change::Management(wanted.clone())];
        ctx.failpoint("judged");
        if !ctx.policies.change(&world.policy, &change, true)? {
            return Ok(None);
        }
        ctx.failpoint("decided");
        agent.refresh()?;
    }
    Ok(Some(ManagementChanged {
        management: wanted,
        applied: !dry_run,
        steps,
        warnings,
        previous,
    }))
}

/// The intent must be completed on every node: on this one as it is now, on others as they reported.
fn is_applied_everywhere(
    ctx: &Context,
    intent: &str,
    own: Option<&IntentStatus>,
) -> Result<(), Problem> {
    let mut reports = ctx.reports.all()?;
    reports.retain(|report| report.node != *ctx.node);
    let others = reports.iter().map(|report| {
        let mut statuses = report.intents.iter();
        let status = statuses.find(|status| status.intent == intent);
        (report.node.as_str(), status)
    });
    let mut all: Vec<(&str, Option<&IntentStatus>)> = others.collect();
    all.push((&ctx.node, own));
    all.sort_by_key(|(node, _)| *node);
    let is_applied = |status: &IntentStatus| status.state == IntentState::Completed;
    match all
        .iter()
        .find(|(_, status)| !status.is_some_and(is_applied))
    {
        Some((node, status)) => Err(intent_not_applied(intent, node, *status)),
        None => Ok(()),
    }
}

/// The VMs with settings must still get what they have under `wanted`.
fn still_fits(ctx: &Context, world: &World, wanted: &Management) -> Result<(), Problem> {
    let settings: Vec<VmSetting> = world.settings().cloned().collect();
    let Some(last) = settings.last() else {
        return Ok(());
    };
    let policy = &world.policy;
    let name = wanted.intent.as_deref().unwrap_or_default();
    if policy.management.intent.as_deref() != Some(name) {
        let old = policy.management.intent.clone().unwrap_or_default();
        let users = settings.iter().map(|vm| format!("VM {}", vm.name));
        let users: Vec<String> = users.collect();
        return accelnet_rules::intent::is_unused(&old, &users);
    }
    let Some(intent) = policy.intent(name) else {
        return Ok(());
    };
    let future = Policy {
        management: wanted.clone(),
        ..policy.clone()
    };
    let own = adapters::of(world, intent, &settings);
    let free: Vec<vm::FreeCapacity> = own.iter().map(|adapter| adapter.free(&future)).collect();
    for setting in world.own_settings() {
        let given = vm::provisionable(setting.performance, &wanted.performance, &free);
        given.map_err(|problem| {
            let (name, performance) = (&setting.name, setting.performance);
            let found = format!("VM {name} has {performance}. {}", problem.found);
            Problem { found, ..problem }
        })?;
    }
    let cluster = ClusterState::of(&Inputs {
        policy,
        management: wanted,
        settings: &settings,
        reports: &ctx.reports.shared()?,
        down: &ctx.reports.nodes_down()?,
        own: Some(OwnAdapters {
            node: &ctx.node,
            adapters: &own,
        }),
    });
    let Some(unmet) = cluster.failover_problem() else {
        return Ok(());
    };
    let code = Code::ClusterNotEnoughResources;
    let mut problem = Problem::new(code, &[&last.name], unmet.found);
    // The document's sentence is about a VM that is enabled.
    problem.message = does_not_fit(&policy.management, wanted);
    Err(problem.needed(unmet.needed).resolution(unmet.resolution))
}

/// Every prerequisite check, on a fresh observation.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn prereq(
    agent: &mut Reconcilers,
    intent: Option<&str>,
) -> Result<PrereqAnswer, Problem> {
    let world = agent.evaluated(agent.ctx.policies.read()?)?;
    let checks = checks(&agent.ctx, &world, intent);
    Ok(PrereqAnswer {
        passed: checks.iter().all(|check| check.passed),
        observed_at: world.snapshot.node.observed_at.clone(),
        checks,
    })
}

fn checks(ctx: &Context, world: &World, intent: Option<&str>) -> Vec<Check> {
    let scope = match intent {
        Some(intent) => Scope::Intent(intent.to_owned()),
        None => Scope::All,
    };
    // An adapter may have another name today: it is evaluated where it is bound.
    let mut intents = world.policy.plain_intents();
    for intent in &mut intents {
        let bound = world.bindings.of(&intent.name).iter();
        let names = bound.map(|bound| match world.snapshot.adapter(bound) {
            Some(adapter) => adapter.address.to_string(),
            None => bound.name.clone(),
        });
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            intent.adapters = names;
        }
    }
    let figures = &world.policy.management.performance;
    let pairs = world
        .settings()
        .map(|vm| figures.of(vm.performance).queue_pairs);
    prereq::judge_cluster(
        &world.snapshot.node,
        &adapters::hardware(world),
        &peers(ctx),
        &intents,
        &scope,
        pairs.max().unwrap_or(0),
    )
}

/// The other nodes, as they reported.
fn peers(ctx: &Context) -> Vec<Peer> {
    let reports = ctx.reports.all().unwrap_or_default();
    let nodes = ctx.nodes.all().unwrap_or_default();
    let known = nodes.iter().map(|node| node.name.as_str());
    let reporting = reports.iter().map(|report| report.node.as_str());
    let names: BTreeSet<&str> = known.chain(reporting).collect();
    let others = names.into_iter().filter(|name| ctx.node != **name);
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

/// The message that the accelerated VMs do not fit a change of the settings.
fn does_not_fit(from: &Management, to: &Management) -> String {
    let mut changes = Vec::new();
    if from.node_reserve_percentage != to.node_reserve_percentage {
        let reserve = to.node_reserve_percentage;
        changes.push(format!("a node reserve of {reserve} %"));
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
        false => {
            let changes = changes.join(" and ");
            format!("The accelerated VMs do not fit with {changes}.")
        }
    }
}

/// A reserve that was given must be an integer of 0..=99.
fn reserve_of(given: Option<i64>) -> Result<Option<u8>, Problem> {
    given.map(management::reserve_number).transpose()
}

/// The first check that failed, in its own words, with the number of failed checks.
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
            "{} {failed} checks fail in all; 'accelnet prereq' shows them.",
            problem.resolution
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
    let steps = actions.into_iter();
    steps
        .map(|action| PlannedStep::new(node, "cluster", action, why))
        .collect()
}
