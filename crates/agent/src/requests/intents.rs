//! Intents: declared, changed, removed.

use accelnet_api::types::{IntentAdd, IntentChanged, IntentSet, PlannedStep};
use accelnet_model::intent::{Intent, Role};
use accelnet_model::{Problem, VfSecurity, VmSetting};
use accelnet_rules::intent as rules;

use crate::disruption;
use crate::intents::elsewhere::{Elsewhere, in_words, policy_step, removal};
use crate::intents::reconciler;
use crate::observed::observer;
use crate::policy::{Change, Disruption, Policy};
use crate::problems::{change_conflict, one_line};
use crate::reconcilers::Reconcilers;
use crate::requester::Requester;
use crate::shortage;
use crate::views::intents::intents;
use crate::vms::software_path;
use crate::world::World;

/// Declares an intent, and applies it here. One that cannot be applied is not declared.
///
/// # Errors
///
/// It is invalid, uses what another has, or the node cannot apply it.
pub(crate) fn add(
    agent: &mut Reconcilers,
    who: &Requester,
    request: &IntentAdd,
) -> Result<IntentChanged, Problem> {
    let result = try_add(agent, request);
    if !request.dry_run && !result.as_ref().is_ok_and(|done| done.unchanged) {
        let what = format!("add intent {}", request.name);
        who.record(&agent.ctx, &request.name, &what, &result);
    }
    result
}

fn try_add(agent: &mut Reconcilers, request: &IntentAdd) -> Result<IntentChanged, Problem> {
    let intent = Intent {
        name: rules::name(&request.name)?,
        roles: sorted(request.roles.clone()),
        adapters: request.adapters.clone(),
        vfs: request.vfs,
        security: security(VfSecurity::default(), request.trust, request.spoof_check),
    };
    let policy = agent.ctx.policies.read()?;
    let others = policy.plain_intents();
    rules::may_be_declared(&intent, &others)?;
    rules::has_vfs(&intent, request.vfs)?;
    rules::is_new(&intent, &others)?;
    let mut world = agent.evaluated(policy)?;
    world.bindings.resolve(&intent, &world.snapshot)?;
    let (steps, warnings) = foreseen(agent, &world, &intent)?;
    let old = world.policy.intent(&intent.name);
    let known = old.is_some();
    if request.dry_run {
        let action = format!("add the intent: {}", in_words(&intent));
        let first = (!known).then(|| policy_step(&agent.ctx.node, &intent, action));
        let steps = everywhere(agent, first, steps, |others| others.apply(old, &intent))?;
        return Ok(dry(known, steps, warnings));
    }
    let ctx = &agent.ctx;
    let change = [Change::Intent(intent.clone())];
    if !known && !ctx.policies.change(&world.policy, &change, true)? {
        return Err(change_conflict(&ctx.node));
    }
    ctx.failpoint("decided");
    world.read_policy(ctx, &agent.intents.statuses)?;
    if let Err(problem) = agent.intents.apply(ctx, &mut world, &intent) {
        if !known {
            let change = [Change::NoIntent(intent.name.clone())];
            ctx.policies.change(&world.policy, &change, false)?;
            agent.intents.withdraw(ctx, &mut world, &intent);
        }
        agent.refresh()?;
        return Err(problem);
    }
    ctx.failpoint("applied");
    world.update(&agent.intents.statuses);
    agent.publish(world);
    changed(agent, &intent.name, known, steps, warnings)
}

/// Changes an intent; what is not given stays.
///
/// # Errors
///
/// As [`add`]; VFs in use prevent another number of them, unless the change may be disruptive.
pub(crate) fn set(
    agent: &mut Reconcilers,
    who: &Requester,
    name: &str,
    request: &IntentSet,
) -> Result<IntentChanged, Problem> {
    let result = try_set(agent, name, request);
    if !request.dry_run && !result.as_ref().is_ok_and(|done| done.unchanged) {
        let what = format!("change intent {name}");
        who.record(&agent.ctx, name, &what, &result);
    }
    result
}

/// A change of an intent that was evaluated.
struct Evaluated {
    old: Intent,
    intent: Intent,
    /// VMs that release their VFs.
    displaced: Vec<VmSetting>,
    steps: Vec<PlannedStep>,
    warnings: Vec<String>,
}

fn try_set(
    agent: &mut Reconcilers,
    name: &str,
    request: &IntentSet,
) -> Result<IntentChanged, Problem> {
    let policy = agent.ctx.policies.read()?;
    let (old, intent) = declared(&policy, name, request)?;
    let mut world = agent.evaluated(policy)?;
    let Evaluated {
        old,
        intent,
        displaced,
        steps,
        warnings,
    } = evaluate(agent, &world, (old, intent), request.disruptive)?;
    let unchanged = intent == old;
    if request.dry_run {
        let action = format!("change the intent to: {}", in_words(&intent));
        let first = (!unchanged).then(|| policy_step(&agent.ctx.node, &intent, action));
        let apply = |others: &Elsewhere<'_>| others.apply(Some(&old), &intent);
        let steps = everywhere(agent, first, steps, apply)?;
        return Ok(dry(unchanged, steps, warnings));
    }
    let ctx = &agent.ctx;
    if !displaced.is_empty() {
        let disruption = Disruption {
            before: old.vfs,
            going_back: false,
        };
        ctx.policies.disrupt(name, Some(&disruption))?;
        ctx.failpoint("disruption-decided");
    }
    let change = [Change::Intent(intent.clone())];
    if !unchanged && !ctx.policies.change(&world.policy, &change, true)? {
        ctx.policies.disrupt(name, None)?;
        return Err(change_conflict(&ctx.node));
    }
    ctx.failpoint("decided");
    world.read_policy(ctx, &agent.intents.statuses)?;
    let (intents, vms) = (&mut agent.intents, &mut agent.vms);
    let applied = match displaced.is_empty() {
        true => intents.apply(ctx, &mut world, &intent),
        false => disruption::run(ctx, (intents, vms), &mut world, &intent),
    };
    if applied.is_err() {
        let policy = ctx.policies.read()?;
        if policy.intent(name) != Some(&old) {
            let change = [Change::Intent(old)];
            ctx.policies.change(&policy, &change, false)?;
        }
    }
    agent.reconcile_unreported()?;
    applied?;
    changed(agent, name, unchanged, steps, warnings)
}

/// The intent before and after a change.
fn declared(policy: &Policy, name: &str, request: &IntentSet) -> Result<(Intent, Intent), Problem> {
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
    if managed && !intent.is_compute() {
        rules::is_unused(name, &users_of(policy, name))?;
    }
    Ok((old, intent))
}

fn evaluate(
    agent: &mut Reconcilers,
    world: &World,
    (old, intent): (Intent, Intent),
    disruptive: bool,
) -> Result<Evaluated, Problem> {
    let is_kept = |adapter: &String| intent.adapters.contains(adapter);
    if !old.adapters.iter().all(is_kept) {
        rules::is_unused(&intent.name, &users_of(&world.policy, &intent.name))?;
    }
    if old.adapters != intent.adapters {
        world.bindings.resolve(&intent, &world.snapshot)?;
    }
    let displaced = disruption::displaced(world, &intent, disruptive)?;
    let (mut steps, warnings) = match displaced.is_empty() {
        true => foreseen(agent, world, &intent)?,
        false => {
            let warning = software_path::check(&agent.ctx, world.bridge.as_deref())?;
            let steps = disruption::planned(&agent.ctx.node, &intent, &displaced);
            (steps, warning.iter().map(one_line).collect())
        }
    };
    if intent == old {
        steps.clear();
    }
    Ok(Evaluated {
        old,
        intent,
        displaced,
        steps,
        warnings,
    })
}

/// Removes an unused intent, and what it created here.
///
/// # Errors
///
/// It does not exist, or is in use.
pub(crate) fn remove(
    agent: &mut Reconcilers,
    who: &Requester,
    name: &str,
    dry_run: bool,
) -> Result<IntentChanged, Problem> {
    let result = try_remove(agent, name, dry_run);
    if !dry_run {
        let what = format!("remove intent {name}");
        who.record(&agent.ctx, name, &what, &result);
    }
    result
}

fn try_remove(
    agent: &mut Reconcilers,
    name: &str,
    dry_run: bool,
) -> Result<IntentChanged, Problem> {
    let newest = agent.observer.newest.clone();
    let mut world = agent.world(agent.ctx.policies.read()?, newest)?;
    let policy = &world.policy;
    let lost = reconciler::lost(&world).into_iter();
    let intent = match lost.into_iter().find(|intent| intent.name == *name) {
        Some(lost) => lost,
        None => rules::find(name, &policy.plain_intents())?.clone(),
    };
    let mut users = users_of(policy, name);
    if policy.management.enabled && policy.management.intent.as_deref() == Some(name) {
        users.push("Accelerated Networking".to_owned());
    }
    rules::is_unused(name, &users)?;
    let ctx = &agent.ctx;
    world.snapshot = observer::all(ctx);
    shortage::of(ctx, &world.snapshot)?;
    rules::is_unused(name, &connected(&world, &intent))?;
    let steps = vec![PlannedStep::new(
        &ctx.node,
        name,
        removal(&intent, agent.intents.statuses.of(name)),
        "the intent is removed; addresses of its bridge move back to the adapter",
    )];
    if dry_run {
        let first = policy_step(&ctx.node, &intent, "remove the intent".to_owned());
        let steps = everywhere(agent, Some(first), steps, |all| all.remove(&intent))?;
        return Ok(dry(false, steps, Vec::new()));
    }
    let change = [Change::NoIntent(intent.name.clone())];
    if !ctx.policies.change(&world.policy, &change, true)? {
        return Err(change_conflict(&ctx.node));
    }
    ctx.failpoint("decided");
    let warnings = agent.intents.withdraw(ctx, &mut world, &intent);
    agent.refresh()?;
    Ok(IntentChanged {
        applied: true,
        ..dry(false, steps, warnings)
    })
}

/// VMs whose definitions name a libvirt network of the intent.
fn connected(world: &World, intent: &Intent) -> Vec<String> {
    let networks = [intent.switch_network(), intent.pool_network()];
    let domains = world.snapshot.domains().iter();
    let connected = domains.filter(|domain| {
        let mut vnics = domain.vnics.iter();
        vnics.any(|vnic| {
            let source = vnic.source.as_ref();
            vnic.kind != "bridge" && source.is_some_and(|name| networks.contains(name))
        })
    });
    connected
        .map(|domain| format!("VM {} (its definition names the network)", domain.name))
        .collect()
}

/// The answer to a dry run.
fn dry(unchanged: bool, steps: Vec<PlannedStep>, warnings: Vec<String>) -> IntentChanged {
    IntentChanged {
        intent: None,
        applied: false,
        unchanged,
        steps,
        warnings,
    }
}

/// The steps of a change: in the policy, here, on the other nodes.
fn everywhere(
    agent: &Reconcilers,
    policy: Option<PlannedStep>,
    here: Vec<PlannedStep>,
    elsewhere: impl FnOnce(&Elsewhere<'_>) -> Vec<PlannedStep>,
) -> Result<Vec<PlannedStep>, Problem> {
    let ctx = &agent.ctx;
    let (reports, down) = (ctx.reports.all()?, ctx.reports.nodes_down()?);
    let others = elsewhere(&Elsewhere::of(&reports, &ctx.node, &down));
    Ok(policy.into_iter().chain(here).chain(others).collect())
}

/// The steps that applying `intent` requires, as far as they can be foreseen, and warnings.
fn foreseen(
    agent: &mut Reconcilers,
    world: &World,
    intent: &Intent,
) -> Result<(Vec<PlannedStep>, Vec<String>), Problem> {
    let ctx = &agent.ctx;
    let mut plan = agent.intents.observe_and_plan(ctx, world, intent)?;
    if plan.bridge.as_deref() != agent.intents.statuses.bridge(&intent.name) {
        let warning = software_path::check(ctx, plan.bridge.as_deref())?;
        plan.warnings.extend(warning.as_ref().map(one_line));
    }
    let mut steps = reconciler::planned(&ctx.node, &intent.name, &plan.steps);
    if !plan.steps.is_empty() && intent.is_compute() {
        for network in [intent.switch_network(), intent.pool_network()] {
            if !steps.iter().any(|step| step.subject == network) {
                steps.push(PlannedStep::new(
                    &ctx.node,
                    &network,
                    format!("define and start libvirt network {network}"),
                    "definitions of VMs refer to it, so that they are the same on every node",
                ));
            }
        }
    }
    Ok((steps, plan.warnings))
}

/// The answer to a change of the intent called `name`, with the warnings from before it and those of now.
fn changed(
    agent: &Reconcilers,
    name: &str,
    unchanged: bool,
    steps: Vec<PlannedStep>,
    mut warnings: Vec<String>,
) -> Result<IntentChanged, Problem> {
    let ctx = &agent.ctx;
    let policy = ctx.policies.read()?;
    let mut reports = ctx.reports.all()?;
    reports.sort_by(|a, b| a.node.cmp(&b.node));
    let views = intents(&policy, &reports);
    let status = agent.intents.statuses.of(name);
    for warning in status.into_iter().flat_map(|status| &status.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    Ok(IntentChanged {
        intent: views.into_iter().find(|view| view.intent.name == name),
        applied: true,
        ..dry(unchanged, steps, warnings)
    })
}

/// Accelerated VMs whose VFs come from the intent called `name`.
fn users_of(policy: &Policy, name: &str) -> Vec<String> {
    let managed = policy.management.intent.as_deref() == Some(name);
    let vms = policy.vms.iter().filter(|_| managed);
    vms.map(|(vm, _)| format!("VM {}", vm.name)).collect()
}

fn security(before: VfSecurity, trust: Option<bool>, spoof_check: Option<bool>) -> VfSecurity {
    VfSecurity {
        trust: trust.unwrap_or(before.trust),
        spoof_check: spoof_check.unwrap_or(before.spoof_check),
    }
}

fn sorted(mut roles: Vec<Role>) -> Vec<Role> {
    roles.sort();
    roles.dedup();
    roles
}
