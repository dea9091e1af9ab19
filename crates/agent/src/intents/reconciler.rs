//! Applies intents on this node: VFs, virtual switch, libvirt's networks.

use std::time::Duration;

use accelnet_api::types::{EventKind, PlannedStep};
use accelnet_model::intent::{BoundAdapter, IntentState};
use accelnet_model::switch::{Mention, NetworkState};
use accelnet_model::{Adapter, Code, Intent, IntentName, Observed, Problem, VfSecurity};
use accelnet_rules::intent_plan::{self, Facts, Network, Plan, Step};

use super::host_network::HostNetwork;
use super::last_applied::LastApplied;
use super::{Statuses, executor, switch};
use crate::context::Context;
use crate::observed::{Snapshot, observer};
use crate::shortage;
use crate::world::World;

/// The node is observed again so often while others are in the middle of a change,
const ATTEMPTS: u32 = 5;
/// after so long each time.
const PAUSE: Duration = Duration::from_millis(400);
/// Rounds of steps. A second one begins with what the first created: a bridge that exists can be planned with.
const ROUNDS: usize = 4;

/// Reconciles intents.
#[derive(Default)]
pub(crate) struct IntentReconciler {
    pub statuses: Statuses,
    pub last_applied: LastApplied,
    /// Leases of bridges, and where uplinks are named.
    pub host_network: HostNetwork,
    /// A step failed for want of file descriptors or memory since the reconcile began.
    pub was_short: bool,
}

/// What the plan of an intent is based on beside the world: read before it is planned.
pub(crate) struct Observation {
    network: Result<NetworkState, Problem>,
    mentions: Vec<Mention>,
    lost_ports: Vec<(String, String)>,
    libvirt_is_ready: bool,
}

impl IntentReconciler {
    /// Reads what the plan of an intent is based on.
    pub fn observe(&mut self, ctx: &Context, world: &World, intent: &Intent) -> Observation {
        let mut observation = Observation {
            network: Ok(NetworkState::default()),
            mentions: Vec::new(),
            lost_ports: Vec::new(),
            libvirt_is_ready: ctx.libvirt_is_ready,
        };
        let bound = world.bindings.adapters(intent, &world.snapshot);
        let bound = bound.unwrap_or_default();
        // Without its adapters an intent is not planned as far as its network.
        let Ok(adapters) = adapters_of(&bound, &world.snapshot) else {
            return observation;
        };
        let Ok(uplinks) = intent_plan::uplinks(&adapters) else {
            return observation;
        };
        if !intent.is_compute() {
            return observation;
        }
        let begun = ctx.uptime();
        observation.network = switch::network(ctx, &intent.name, &uplinks);
        if let Ok(network) = &mut observation.network {
            self.host_network
                .complete(ctx, network, &world.snapshot, begun);
        }
        let facts = self.facts(world, intent, adapters, &observation);
        if let (Ok(plan), Ok(network)) = (intent_plan::switch(intent, &facts), &observation.network)
        {
            let now = ctx.uptime();
            self.host_network.judge(intent, &plan, network, now);
            let host = &mut self.host_network;
            observation.mentions = host.mentions(ctx, intent, &plan, &world.snapshot);
            observation.lost_ports = switch::lost_ports(ctx, intent, &plan.bridge, &world.snapshot);
        }
        observation
    }

    /// The plan of an intent. It reads nothing.
    pub fn plan(
        &self,
        world: &World,
        intent: &Intent,
        observation: &Observation,
    ) -> Result<Plan, Problem> {
        let bound = world.bindings.adapters(intent, &world.snapshot)?;
        let adapters = adapters_of(&bound, &world.snapshot)?;
        let facts = self.facts(world, intent, adapters, observation);
        let plan = intent_plan::plan(intent, &facts)?;
        Ok(Plan { bound, ..plan })
    }

    fn facts<'a>(
        &self,
        world: &'a World,
        intent: &Intent,
        adapters: Vec<&'a Adapter>,
        observation: &'a Observation,
    ) -> Facts<'a> {
        let networks = || networks(&world.snapshot);
        Facts {
            node: &world.snapshot.node,
            had: self.statuses.bridge_with(&intent.name, &adapters),
            adapters,
            network: &observation.network,
            mentions: &observation.mentions,
            lost_ports: &observation.lost_ports,
            networks: observation.libvirt_is_ready.then(networks),
        }
    }

    /// Reads what an intent's plan is based on, and plans.
    pub fn observe_and_plan(
        &mut self,
        ctx: &Context,
        world: &World,
        intent: &Intent,
    ) -> Result<Plan, Problem> {
        let observation = self.observe(ctx, world, intent);
        self.plan(world, intent, &observation)
    }

    /// Applies one intent. Its status is "completed" only when an observation after the last action found nothing
    /// left to do.
    pub fn apply(
        &mut self,
        ctx: &Context,
        world: &mut World,
        intent: &Intent,
    ) -> Result<(), Problem> {
        let result = self.try_apply(ctx, world, intent);
        let Err(problem) = &result else {
            return result;
        };
        if shortage::caused(problem) || shortage::of(ctx, &world.snapshot).is_err() {
            // That says nothing about the intent: its status stays, and it is tried again.
            self.was_short = true;
            return result;
        }
        let known = self.statuses.of(&intent.name);
        if known.and_then(|status| status.problem.as_ref()) != Some(problem) {
            ctx.record_problem(EventKind::Failed, &intent.name, problem);
        }
        let others = other_problems(world, intent, problem);
        let status = self.enter(ctx, world, intent, IntentState::Failed);
        status.problem = Some(problem.clone());
        status.other_problems = others;
        result
    }

    /// Enters a state of an intent.
    pub fn enter(
        &mut self,
        ctx: &Context,
        world: &World,
        intent: &Intent,
        state: IntentState,
    ) -> &mut accelnet_model::intent::IntentStatus {
        let now = ctx.now();
        self.statuses
            .enter((&ctx.node, &now), intent, &world.policy, state)
    }

    fn try_apply(
        &mut self,
        ctx: &Context,
        world: &mut World,
        intent: &Intent,
    ) -> Result<(), Problem> {
        for round in 0..=ROUNDS {
            bind(ctx, world, intent)?;
            let plan = match round {
                ROUNDS => self.observe_and_plan(ctx, world, intent)?,
                _ => self.stable_plan(ctx, world, intent)?,
            };
            if plan.steps.is_empty() {
                self.complete(ctx, world, intent, plan);
                return Ok(());
            }
            if round == ROUNDS {
                return Err(not_verified(intent, &plan));
            }
            self.last_applied.drift(ctx, intent, &plan.steps);
            let status = self.enter(ctx, world, intent, IntentState::Applying);
            status.adapters.clone_from(&plan.bound);
            status.bridge.clone_from(&plan.bridge);
            status.warnings.clone_from(&plan.warnings);
            for step in &plan.steps {
                ctx.failpoint(step.failpoint());
                executor::run(ctx, step, intent)?;
            }
            ctx.failpoint("acted");
            world.snapshot = observer::after(ctx, &world.snapshot);
        }
        Ok(())
    }

    /// The plan of an intent. One that was completed until now is given a moment: another program may be in the
    /// middle of a change.
    fn stable_plan(
        &mut self,
        ctx: &Context,
        world: &mut World,
        intent: &Intent,
    ) -> Result<Plan, Problem> {
        let mut plan = self.observe_and_plan(ctx, world, intent);
        let status = self.statuses.of(&intent.name);
        let completed = status.is_some_and(|status| status.state == IntentState::Completed);
        if !completed || !self.last_applied.has(intent) {
            return plan;
        }
        for _ in 0..ATTEMPTS {
            if plan.is_ok() {
                break;
            }
            ctx.edge.host().clock.sleep(PAUSE);
            world.snapshot = observer::all(ctx);
            plan = self.observe_and_plan(ctx, world, intent);
        }
        plan
    }

    /// Nothing is left to do for an intent.
    fn complete(&mut self, ctx: &Context, world: &World, intent: &Intent, plan: Plan) {
        let state = match plan.waits_for_libvirt {
            true => IntentState::Applying,
            false => IntentState::Completed,
        };
        if state == IntentState::Completed {
            let status = self.statuses.of(&intent.name);
            let before = status.is_some_and(|status| status.state == IntentState::Completed);
            self.last_applied.complete(ctx, intent, before);
        }
        let now = ctx.now();
        let status = self.enter(ctx, world, intent, state);
        status.verified_at = Some(now);
        status.adapters = plan.bound;
        status.bridge = plan.bridge;
        status.vfs = plan.vfs;
        status.warnings = plan.warnings;
        status.problem = None;
        status.other_problems.clear();
    }

    /// Withdraws intents that were removed. One that is merely missing may have been lost: what runs stays, and a
    /// fault names it.
    pub fn withdraw_removed(&mut self, ctx: &Context, world: &mut World) {
        let bound = world.bindings.all();
        let removed = bound.filter_map(|(name, bound)| {
            let removed = world.policy.removed.get(name)?;
            let is_gone = world.policy.intent(name).is_none();
            is_gone.then(|| bound_only(removed.clone(), bound))
        });
        for intent in removed.collect::<Vec<_>>() {
            self.withdraw(ctx, world, &intent);
        }
    }

    /// Removes what `intent` created here; sentences of what stays.
    pub fn withdraw(&mut self, ctx: &Context, world: &mut World, intent: &Intent) -> Vec<String> {
        let bound = world.bindings.of(&intent.name).to_vec();
        let mut left = match intent.is_compute() {
            true => executor::undo(ctx, world, intent, &bound),
            false => Vec::new(),
        };
        self.statuses.retain(|name| *name != *intent.name);
        self.host_network.forget(&intent.name);
        self.last_applied.forget(&intent.name);
        let unbound = world.bindings.record(&ctx.policies, &intent.name, None);
        left.extend(unbound.err().map(|problem| problem.message));
        for words in &left {
            ctx.record(EventKind::Noticed, &intent.name, format!("{words}."));
        }
        world.snapshot = observer::all(ctx);
        left
    }

    /// Leases of this node's bridges that are not renewed: the intent, whether the address has expired, and the
    /// problem.
    pub fn unrenewed(&self, uptime: Duration) -> Vec<(String, bool, Problem)> {
        let mut all = self.host_network.problems(uptime);
        all.retain(|(intent, ..)| self.statuses.of(intent).is_some());
        all
    }

    /// Whether anything failed and is worth another try. A lease that is not renewed is checked again, since a
    /// client that begins to renew it is seen only after the last event of the kernel.
    pub fn have_failures(&self, uptime: Duration) -> bool {
        let mut unrenewed = self.unrenewed(uptime).into_iter();
        self.was_short || self.statuses.have_failures() || unrenewed.any(|(_, over, _)| !over)
    }
}

/// Records the adapters of an intent that are not recorded.
fn bind(ctx: &Context, world: &mut World, intent: &Intent) -> Result<(), Problem> {
    if world.bindings.recorded(intent).is_none() {
        let bound = world.bindings.resolve(intent, &world.snapshot)?;
        let bindings = &mut world.bindings;
        bindings.record(&ctx.policies, &intent.name, Some(&bound))?;
    }
    Ok(())
}

fn adapters_of<'a>(
    bound: &[BoundAdapter],
    snapshot: &'a Snapshot,
) -> Result<Vec<&'a Adapter>, Problem> {
    bound
        .iter()
        .map(|bound| adapter_of(bound, snapshot))
        .collect()
}

fn adapter_of<'a>(bound: &BoundAdapter, snapshot: &'a Snapshot) -> Result<&'a Adapter, Problem> {
    snapshot.adapter(bound).ok_or_else(|| {
        let found = match snapshot.node.adapters.reason() {
            Some(reason) => reason.to_owned(),
            None => format!("No adapter has this MAC or the address {}.", bound.address),
        };
        let names = [&*bound.name, &bound.address.to_string()];
        Problem::new(Code::AdapterLost, &names, found)
    })
}

/// The problems of an intent that failed with `first`, adapter by adapter.
fn other_problems(world: &World, intent: &Intent, first: &Problem) -> Vec<Problem> {
    let snapshot = &world.snapshot;
    let recorded = world.bindings.recorded(intent).unwrap_or_default();
    let names = intent.adapters.iter().enumerate();
    let adapters = names.map(|(place, name)| {
        let resolved = match recorded.get(place) {
            Some(bound) => vec![bound.clone()],
            None => {
                let only = Intent {
                    adapters: vec![name.clone()],
                    ..intent.clone()
                };
                world.bindings.resolve(&only, snapshot)?
            }
        };
        let mut adapters = adapters_of(&resolved, snapshot)?;
        adapters.pop().ok_or_else(|| first.clone())
    });
    intent_plan::other_problems(intent, &snapshot.node, adapters, first)
}

/// libvirt's networks, as plans need them.
fn networks(snapshot: &Snapshot) -> Observed<Vec<Network>> {
    let facts = snapshot.network_facts();
    snapshot.networks.as_ref().map(|networks| {
        let network = |one: &accelnet_host::vms::VirtualNetwork| {
            let facts = facts.iter().find(|(name, _)| *name == one.name);
            let facts = facts.map(|(_, facts)| facts.clone()).unwrap_or_default();
            Network {
                name: one.name.clone(),
                active: one.active,
                is_lasting: one.persistent && one.autostart,
                bridge: facts.bridge,
                pfs: facts.pfs,
                vfs: facts.vfs,
            }
        };
        networks.iter().map(network).collect()
    })
}

fn not_verified(intent: &Intent, plan: &Plan) -> Problem {
    let actions = plan
        .steps
        .iter()
        .flat_map(|step| step.actions(&intent.name));
    let left: Vec<String> = actions.map(|(_, action, _)| action).collect();
    let found = format!(
        "Its steps were done, and the node still asks for: {}.",
        left.join("; ")
    );
    let subject = format!("intent {}", intent.name);
    Problem::new(Code::NotVerified, &[&subject], found)
}

/// The steps of an intent as they are shown before they run.
pub(crate) fn planned(node: &str, intent: &str, steps: &[Step]) -> Vec<PlannedStep> {
    let actions = steps.iter().flat_map(|step| step.actions(intent));
    actions
        .map(|(subject, action, reason)| PlannedStep::new(node, subject, action, reason))
        .collect()
}

/// Intents whose adapters are recorded here, and which the store neither has nor had removed: it lost them.
pub(crate) fn lost(world: &World) -> Vec<Intent> {
    let policy = &world.policy;
    let lost = world.bindings.all().filter_map(|(name, bound)| {
        let name: IntentName = name.parse().ok()?;
        let known = policy.intent(&name).is_some() || policy.removed.contains(&name);
        (!known && !policy.has_unreadable_intent(&name)).then(|| bound_only(name, bound))
    });
    lost.collect()
}

/// An intent of which only its adapters are known.
fn bound_only(name: IntentName, bound: &[BoundAdapter]) -> Intent {
    Intent {
        name,
        roles: vec![accelnet_model::intent::Role::Compute],
        adapters: bound.iter().map(|bound| bound.name.clone()).collect(),
        vfs: None,
        security: VfSecurity::default(),
    }
}
