//! VMs are enabled, or their settings changed: each completely or not at all.

use accelnet_api::types::{State, VmChanged, VmResult};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, Mac, Problem, Uuid};
use accelnet_rules::pair::{Plan, Step};
use accelnet_rules::vm_action::completed;

use super::answer::{answer, refuse, unchanged};
use super::call::Call;
use super::judge::{Admitted, Wanted, judge_all};
use super::names::{managed_intent, results};
use crate::policy::{Action, Change, Policy, Request};
use crate::problems::change_conflict;
use crate::reconcilers::Reconcilers;
use crate::shortage;
use crate::views::vm::VmViews;
use crate::vms::plan::planned;
use crate::vms::request::{self, ATTEMPTS, Done};
use crate::vms::{software_path, verify, vf_repair};
use crate::world::World;

/// For a vNIC that --now could not re-plug.
const STOP_AND_START: &str =
    "Stop and start the VM when it suits (a reboot from within is not enough).";

/// An admitted VM, and the result of its change.
type Changed = (Admitted, Result<Plan, Problem>);

/// Enables VMs, or changes their settings.
pub(super) fn run(
    agent: &mut Reconcilers,
    call: &mut Call<'_>,
    wanted: Wanted,
) -> Result<VmChanged, Problem> {
    // VMs that an earlier attempt decided on.
    let mut decided: Vec<Uuid> = Vec::new();
    for _ in 0..ATTEMPTS {
        let (world, mut results, admitted) = evaluate(agent, call, wanted)?;
        if call.dry_run || results.iter().all(|result| result.unchanged) {
            for mut one in admitted {
                would(&mut results[one.place], &agent.ctx.node, &mut one);
            }
            return Ok(answer(results));
        }
        let ctx = &agent.ctx;
        if decided.is_empty() {
            request::end_open(ctx, &world, &mut agent.vms.interrupted, true)?;
        }
        call.decided = true;
        let request = new_request(call, wanted, &admitted, &results);
        let changes = admitted.iter().map(|one| Change::Vm(one.setting.clone()));
        let mut changes: Vec<Change> = changes.collect();
        changes.extend(withdrawn(agent, &world, &decided, &request));
        let policies = &ctx.policies;
        // Another admitted a VM meanwhile: the evaluation may no longer hold.
        if !changes.is_empty() && !policies.decide(&world.policy, &changes, true, &request)? {
            decided.extend(request.vms);
            continue;
        }
        ctx.failpoint("decided");
        let mut world = world;
        world.read_policy(ctx, &agent.intents.statuses)?;
        carry_out(agent, call, world, admitted, wanted, &request, &mut results)?;
        return Ok(answer(results));
    }
    Err(change_conflict(&agent.ctx.node))
}

/// Observes and evaluates the VMs that are named; the results of those that are refused or unchanged, and those that
/// are admitted.
fn evaluate(
    agent: &mut Reconcilers,
    call: &Call<'_>,
    wanted: Wanted,
) -> Result<(World, Vec<VmResult>, Vec<Admitted>), Problem> {
    let policy = agent.ctx.policies.read()?;
    let intent = managed_intent(agent, call, &policy)?;
    let mut world = agent.world(policy, agent.observer.newest.clone())?;
    let ctx = &agent.ctx;
    // A VM that gets a VF fails over to the software path.
    let path = match wanted.set {
        true => None,
        false => software_path::check(ctx, world.bridge.as_deref())?,
    };
    world.snapshot = agent.observer.vms(ctx, world.managed_bound(), call.names);
    shortage::of(ctx, &world.snapshot)?;
    agent.vms.read_vnics(ctx, &world);
    let mut results = results(agent, call, &world)?;
    let admitted = judge_all(agent, &mut results, wanted, &world, &intent)?;
    let mut admitted = without_unchanged(admitted, &world.policy, &mut results);
    for one in &mut admitted {
        one.warn(path.as_ref());
    }
    Ok((world, results, admitted))
}

fn new_request(
    call: &Call<'_>,
    wanted: Wanted,
    admitted: &[Admitted],
    results: &[VmResult],
) -> Request {
    let action = match wanted.set {
        true => Action::Set,
        false => Action::Enable,
    };
    let vms = admitted.iter().map(|one| one.setting.uuid.clone());
    let refused = request::refused(action, results);
    Request {
        performance: wanted.performance,
        trust: wanted.trust,
        spoof_check: wanted.spoof_check,
        ..request::request(call.who, action, vms.collect(), &refused)
    }
}

/// Withdraws what an earlier attempt decided for VMs that are refused now: nothing was done yet.
fn withdrawn(
    agent: &Reconcilers,
    world: &World,
    decided: &[Uuid],
    request: &Request,
) -> Vec<Change> {
    let left = decided.iter().filter(|uuid| !request.vms.contains(uuid));
    let settings = left.filter_map(|uuid| world.policy.vm(uuid));
    let own = settings.filter(|vm| vm.phase == Phase::Enabling && vm.node == world.node);
    own.map(|setting| agent.vms.after_failure(&agent.ctx, world, setting))
        .collect()
}

/// Carries out what was decided, then observes once, and records and answers the outcome.
fn carry_out(
    agent: &mut Reconcilers,
    call: &Call<'_>,
    world: World,
    admitted: Vec<Admitted>,
    wanted: Wanted,
    request: &Request,
    results: &mut [VmResult],
) -> Result<(), Problem> {
    let refused = request::refused(request.action, results);
    let mut changed = act(agent, &world, admitted, wanted);
    agent.ctx.failpoint("acted");
    let mut after = verify_all(agent, &world, &mut changed);
    agent.ctx.failpoint("verified");
    let ctx = &agent.ctx;
    let done = changed.iter().map(|(one, done)| Done {
        decided: one.setting.clone(),
        change: match done {
            Ok(_) => Change::Vm(completed(&one.setting)),
            Err(_) => agent.vms.after_failure(ctx, &after, &one.setting),
        },
    });
    let done: Vec<Done> = done.collect();
    let tried = changed.iter().map(|(one, done)| {
        let problem = done.as_ref().err();
        request::tried(request.action, &one.domain.name, &one.setting, problem)
    });
    let outcomes = tried.chain(refused).collect();
    let event = call.who.event_of_all(request.action.of_all(), outcomes, 0);
    request::conclude(ctx, &world.policy, &done, event, request.order.as_ref())?;
    ctx.failpoint("recorded");
    after.read_policy(ctx, &agent.intents.statuses)?;
    agent.vms.observe_paths(ctx, &after);
    let views = VmViews::new(&after, &agent.vms);
    for (one, done) in changed {
        let result = &mut results[one.place];
        if let Some(domain) = after.snapshot.domain(&one.setting.uuid) {
            result.vm = Some(views.vm(domain));
        }
        let path = agent.vms.paths.sentence(&one.setting.uuid);
        answer_for(&ctx.node, one, done, wanted, path, result);
    }
    agent.publish(after);
    Ok(())
}

fn act(
    agent: &mut Reconcilers,
    world: &World,
    admitted: Vec<Admitted>,
    wanted: Wanted,
) -> Vec<Changed> {
    let (ctx, vms) = (&agent.ctx, &mut agent.vms);
    let mut changed: Vec<Changed> = Vec::with_capacity(admitted.len());
    for mut one in admitted {
        // Those after the first may have been changed by others since they were evaluated.
        let prepared = one.take_prepared().filter(|_| changed.is_empty());
        let (setting, domain) = (&one.setting, &one.domain);
        let done = vms.enable(ctx, world, setting, domain, prepared, wanted.now);
        let done = done.and_then(|plan| {
            vf_repair::set_security(ctx, (world, &vms.vnics), setting, domain)?;
            Ok(plan)
        });
        changed.push((one, done));
    }
    changed
}

/// What was done counts when it is observed; what is not is undone. The last observation.
fn verify_all(agent: &mut Reconcilers, world: &World, changed: &mut [Changed]) -> World {
    let (ctx, vms) = (&agent.ctx, &mut agent.vms);
    let uuids = changed.iter().map(|(one, _)| one.setting.uuid.to_string());
    let uuids: Vec<String> = uuids.collect();
    let mut after = world.with(world.after_change_of(ctx, &uuids));
    let mut undone = false;
    for (one, done) in changed {
        let Ok(plan) = done else { continue };
        let Err(problem) = verify::verify(ctx, &after, &one.setting, plan) else {
            continue;
        };
        let domain = after.snapshot.domain(&one.setting.uuid);
        if let (None, Some(domain)) = (one.setting.before, domain)
            && let Err(problem) = vms.disable(ctx, &after, &one.setting, domain)
        {
            let failed = accelnet_api::types::EventKind::Failed;
            ctx.record_problem(failed, &one.setting.name, &problem);
        }
        *done = Err(problem);
        undone = true;
    }
    if undone {
        after.snapshot = after.after_change_of(ctx, &uuids);
    }
    after
}

/// The result of a VM in a dry run.
fn would(result: &mut VmResult, node: &str, one: &mut Admitted) {
    let (domain, plan, setting) = (&one.domain, one.plan(), &one.setting);
    result.ok = true;
    result.waits_for_restart = plan.waits_for_restart;
    result.steps = planned(node, domain, plan);
    let verb = match domain.state.holds_devices() {
        true => "accelerated",
        false => "enabled",
    };
    result.message = format!(
        "VM {} would be {verb} with {} on its vNIC {}: {}.{}",
        domain.name,
        setting.performance,
        setting.mac,
        plan.why,
        one.others()
    );
    result.warnings = one.warnings();
}

/// The result of a VM that was changed; `path` is a sentence on its traffic.
fn answer_for(
    node: &str,
    mut one: Admitted,
    done: Result<Plan, Problem>,
    wanted: Wanted,
    path: &str,
    result: &mut VmResult,
) {
    result.warnings = one.warnings();
    let plan = match done {
        Ok(plan) => plan,
        Err(problem) => return refuse(result, problem),
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
    result.steps = planned(node, &one.domain, &plan);
    let next_start = |found| Problem::new(Code::NextStart, &[name], found);
    result.message = match (plan.waits_for_restart, one.domain.host_devices.is_empty()) {
        (true, false) => {
            let found = "It runs with its VF, whose queue pairs can only change while no guest uses it; --now replaces the VF.";
            result.warnings.push(next_start(found));
            format!("{what} Its queue pairs change at its next start.")
        }
        (true, true) => {
            let found = "Its running vNIC was plugged without the failover feature.";
            let mut warning = next_start(found);
            if stays_plugged(&one.domain, one.setting.mac) {
                warning = warning.resolution(STOP_AND_START);
            }
            result.warnings.push(warning);
            format!("{what} The running VM gets its VF at its next start.")
        }
        (false, _) if !plan.steps.contains(&Step::AttachVf) => what,
        (false, _) => format!("{what} {path}"),
    };
}

/// Answers for the VMs that already are as the request wants them; returns the others.
fn without_unchanged(
    admitted: Vec<Admitted>,
    policy: &Policy,
    results: &mut [VmResult],
) -> Vec<Admitted> {
    let (same, others): (Vec<Admitted>, Vec<Admitted>) = admitted.into_iter().partition(|one| {
        let view = results.get(one.place).and_then(|result| result.vm.as_ref());
        let plan = one.plan();
        view.is_some_and(|view| view.acceleration == State::Accelerated)
            && policy.vm(&one.setting.uuid) == Some(&completed(&one.setting))
            && plan.steps.iter().all(|step| *step == Step::WriteConfig)
            && !plan.waits_for_restart
    });
    for one in same {
        let (name, setting) = (&one.domain.name, &one.setting);
        let (what, end) = match one.domain.state.holds_devices() {
            true => ("accelerated", ""),
            false => ("enabled", "; it gets its VF at its next start"),
        };
        let message = format!(
            "VM {name} is already {what} with {} on its vNIC {}{end}.",
            setting.performance, setting.mac
        );
        unchanged(&mut results[one.place], message);
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
