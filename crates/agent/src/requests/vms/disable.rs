//! VMs are returned to their software path.

use accelnet_api::types::{SubjectOutcome, VmChanged, VmResult};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Problem, VmSetting};
use accelnet_rules::pair::Plan;

use super::answer::{answer, refuse, unchanged};
use super::call::Call;
use super::names::results;
use crate::observed::observer;
use crate::policy::{Action, Change, Policy, Request};
use crate::problems::change_conflict;
use crate::reconcilers::Reconcilers;
use crate::shortage;
use crate::views::vm::VmViews;
use crate::vms::plan::planned;
use crate::vms::request::{self, ATTEMPTS, Done};
use crate::vms::{hook_files, software_path};
use crate::world::World;

/// A VM that is returned.
struct Returned {
    /// The place of its result.
    place: usize,
    setting: VmSetting,
    /// None of a VM that libvirt no longer has.
    domain: Option<Domain>,
}

/// Returns VMs to their software path.
pub(super) fn run(agent: &mut Reconcilers, call: &mut Call<'_>) -> Result<VmChanged, Problem> {
    let mut world = observed(agent, call)?;
    let mut results = results(agent, call, &world)?;
    let returned = evaluate(agent, call, &world, &mut results);
    if call.dry_run || results.iter().all(|result| result.unchanged) {
        return Ok(answer(results));
    }
    let ctx = &agent.ctx;
    request::end_open(ctx, &world, &mut agent.vms.interrupted, true)?;
    call.decided = true;
    let refused = request::refused(Action::Disable, &results);
    let vms = returned.iter().map(|one| one.setting.uuid.clone());
    let request = request::request(call.who, Action::Disable, vms.collect(), &refused);
    if !returned.is_empty() {
        let policy = world.policy.clone();
        world.policy = mark(agent, policy, &returned, &request)?;
    }
    agent.ctx.failpoint("decided");
    let (mut outcomes, done) = act(agent, &world, &returned, &mut results);
    outcomes.extend(refused);
    let ctx = &agent.ctx;
    let event = call.who.event_of_all(Action::Disable.of_all(), outcomes, 0);
    request::conclude(ctx, &world.policy, &done, event, request.order.as_ref())?;
    ctx.failpoint("recorded");
    if !returned.is_empty() {
        observe_again(agent, world, &returned, &mut results)?;
    }
    Ok(answer(results))
}

/// The world of a request for these VMs.
fn observed(agent: &Reconcilers, call: &Call<'_>) -> Result<World, Problem> {
    let ctx = &agent.ctx;
    let policy = ctx.policies.read()?;
    let mut world = agent.world(policy, agent.observer.newest.clone())?;
    world.snapshot = match world.policy.managed_intent() {
        Some(_) => agent.observer.vms(ctx, world.managed_bound(), call.names),
        None => observer::all(ctx),
    };
    shortage::of(ctx, &world.snapshot)?;
    Ok(world)
}

/// Evaluates each VM that is named, and answers its state when it is returned.
fn evaluate(
    agent: &Reconcilers,
    call: &Call<'_>,
    world: &World,
    results: &mut [VmResult],
) -> Vec<Returned> {
    let ctx = &agent.ctx;
    let path = software_path::check(ctx, world.bridge.as_deref());
    let mut returned = Vec::new();
    for (place, result) in results.iter_mut().enumerate() {
        if result.problem.is_some() {
            continue;
        }
        let uuid = result.vm.as_ref().map(|vm| &vm.uuid);
        let Some(setting) = uuid.and_then(|uuid| world.policy.vm(uuid)) else {
            let message = format!("VM {} is not accelerated.", result.name);
            unchanged(result, message);
            continue;
        };
        let domain = world.snapshot.domain(&setting.uuid);
        let plan = match domain {
            Some(domain) => agent.vms.plan_to_software_path(ctx, world, setting, domain),
            None => Ok(Plan {
                steps: Vec::new(),
                waits_for_restart: false,
                why: "libvirt no longer has it".to_owned(),
            }),
        };
        let loses_vf = domain.is_some_and(|domain| {
            let pair = world.pair(&domain.vnics, setting.mac);
            domain.state.holds_devices() && pair.vf.is_some()
        });
        let plan = match (plan, &path) {
            (Err(problem), _) => {
                refuse(result, problem);
                continue;
            }
            (Ok(_), Err(problem)) if loses_vf => {
                refuse(result, problem.clone());
                continue;
            }
            (Ok(plan), _) => plan,
        };
        let warning = path.clone().unwrap_or_else(Some);
        result.warnings.extend(warning.filter(|_| domain.is_some()));
        result.steps = domain.map_or(Vec::new(), |domain| planned(&ctx.node, domain, &plan));
        result.ok = true;
        let verb = if call.dry_run { "would be" } else { "is" };
        result.message = format!(
            "VM {} {verb} back on its software path, its vNIC {}.",
            result.name, setting.mac
        );
        returned.push(Returned {
            place,
            setting: setting.clone(),
            domain: domain.cloned(),
        });
    }
    returned
}

/// Decides that VMs are returned; the policy then.
fn mark(
    agent: &Reconcilers,
    mut policy: Policy,
    returned: &[Returned],
    request: &Request,
) -> Result<Policy, Problem> {
    let policies = &agent.ctx.policies;
    for _ in 0..ATTEMPTS {
        // What an earlier attempt marked is marked once more.
        let settings = returned
            .iter()
            .filter_map(|one| policy.vm(&one.setting.uuid));
        let marks = settings.map(|setting| with_phase(setting, Phase::Disabling));
        let marks: Vec<Change> = marks.collect();
        let decided = policies.decide(&policy, &marks, false, request)?;
        policy = policies.read()?;
        if decided {
            return Ok(policy);
        }
    }
    Err(change_conflict(&agent.ctx.node))
}

/// Returns the VMs; their outcomes, and what becomes of their settings.
fn act(
    agent: &mut Reconcilers,
    world: &World,
    returned: &[Returned],
    results: &mut [VmResult],
) -> (Vec<SubjectOutcome>, Vec<Done>) {
    let ctx = &agent.ctx;
    let mut outcomes = Vec::new();
    let mut done = Vec::new();
    for one in returned {
        // As it was decided: another node may have taken the VM over since it was evaluated.
        let decided = world.policy.vm(&one.setting.uuid);
        let setting = decided.unwrap_or(&one.setting);
        let result = match &one.domain {
            Some(domain) => agent.vms.disable(ctx, world, setting, domain),
            None => {
                hook_files::remove(ctx, &setting.uuid);
                Ok(())
            }
        };
        ctx.failpoint("acted");
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
            refuse(&mut results[one.place], problem);
        }
    }
    (outcomes, done)
}

/// Observes what was returned.
fn observe_again(
    agent: &mut Reconcilers,
    mut world: World,
    returned: &[Returned],
    results: &mut [VmResult],
) -> Result<(), Problem> {
    let ctx = &agent.ctx;
    world.read_policy(ctx, &agent.intents.statuses)?;
    let changed = returned.iter().map(|one| one.setting.uuid.to_string());
    let changed: Vec<String> = changed.collect();
    world.snapshot = world.after_change_of(ctx, &changed);
    agent.vms.observe_paths(ctx, &world);
    let views = VmViews::new(&world, &agent.vms);
    for result in results {
        let uuid = result.vm.as_ref().map(|vm| &vm.uuid);
        let domain = uuid.and_then(|uuid| world.snapshot.domain(uuid));
        result.vm = domain.map(|domain| views.vm(domain));
    }
    agent.publish(world);
    Ok(())
}

fn with_phase(setting: &VmSetting, phase: Phase) -> Change {
    Change::Vm(VmSetting {
        phase,
        ..setting.clone()
    })
}
