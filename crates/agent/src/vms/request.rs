//! A request for VMs, and its one event: it is recorded with the last of the outcomes, by this agent or, after an
//! interruption, by the next one.

use std::collections::BTreeMap;

use accelnet_api::types::{SubjectOutcome, VmChange, VmResult};
use accelnet_model::vf_security::OnOff;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Problem, Uuid, VfSecurityOfVm, VmSetting};

use crate::context::Context;
use crate::journal::{MAX_OUTCOMES, NewEvent, shortened};
use crate::policy::{Action, Change, Policy, Request};
use crate::problems::{change_conflict, store_failed};
use crate::requester::{Requester, outcome};
use crate::world::World;

/// How often a decision is made again because another was made meanwhile.
pub(crate) const ATTEMPTS: u32 = 16;

/// A completed change of a VM.
pub(crate) struct Done {
    /// The setting as it was decided.
    pub decided: VmSetting,
    /// The change of the policy that completes it.
    pub change: Change,
}

impl Action {
    /// The action of a change.
    pub fn of(change: &VmChange) -> Self {
        match change {
            VmChange::Enable(_) => Action::Enable,
            VmChange::Set(_) => Action::Set,
            VmChange::Disable(_) => Action::Disable,
        }
    }

    /// The action for one VM, an imperative.
    fn of_one(self, name: &str) -> String {
        let (action, _) = self.of_all();
        format!("{action} {name}")
    }

    /// The action for several VMs: an imperative without its object, and their plural.
    pub(crate) fn of_all(self) -> (&'static str, &'static str) {
        let action = match self {
            Action::Enable => "enable acceleration on",
            Action::Set => "change acceleration on",
            Action::Disable => "disable acceleration on",
        };
        (action, "VMs")
    }

    /// The action for a VM with that setting.
    fn for_setting(self, setting: &VmSetting) -> String {
        let (action, mac) = (self.of_one(&setting.name), setting.mac);
        match self {
            Action::Disable => format!("{action} (vNIC {mac})"),
            Action::Enable | Action::Set => {
                let security = differences(setting.security);
                format!("{action} ({}, vNIC {mac}{security})", setting.performance)
            }
        }
    }
}

/// A new request of `who`, with outcomes that are known already.
pub(crate) fn request(
    who: &Requester,
    action: Action,
    vms: Vec<Uuid>,
    refused: &[SubjectOutcome],
) -> Request {
    let first = refused.iter().take(MAX_OUTCOMES);
    Request {
        action,
        who: who.name.clone(),
        role: who.role,
        from: who.origin.clone(),
        performance: None,
        trust: None,
        spoof_check: None,
        vms,
        refused: first.map(shortened).collect(),
        more_refused: refused.len().saturating_sub(MAX_OUTCOMES),
        order: who.order.clone(),
    }
}

/// Records the end of a request: its changes, its event, and the outcomes in its order. What another program changed
/// meanwhile stays.
pub(crate) fn conclude(
    ctx: &Context,
    policy: &Policy,
    done: &[Done],
    event: Option<NewEvent>,
    mut order: Option<&Uuid>,
) -> Result<(), Problem> {
    let events: Vec<NewEvent> = event.into_iter().collect();
    let now = ctx.now();
    let mut newer = None;
    for _ in 0..ATTEMPTS {
        let policy = newer.as_ref().unwrap_or(policy);
        let own = done
            .iter()
            .filter(|one| policy.vm(&one.decided.uuid) == Some(&one.decided));
        let changes: Vec<Change> = own.map(|one| one.change.clone()).collect();
        let recorded = ctx.journal.record_with(&now, &events, |mut txn| {
            if let Some(id) = order {
                let with_order = ctx.orders.record(txn, id, events.first());
                txn = with_order.map_err(|error| store_failed(&error))?;
            }
            ctx.policies.conclude(policy, &changes, txn)
        });
        match recorded {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // The order ended with its lease at this moment.
            Err(_) if order.is_some_and(|id| ctx.orders.is_gone(id)) => order = None,
            Err(problem) => return Err(problem),
        }
        newer = Some(ctx.policies.read()?);
    }
    // The next reconcile ends it.
    Err(change_conflict(&ctx.node))
}

/// Ends the request that an earlier agent, or a store that went away, left open: once the changes of all its VMs have
/// ended, or at once if `now`. `interrupted` has why VMs are not as it requires.
///
/// # Errors
///
/// The store cannot be used: the next reconcile tries again.
pub(crate) fn end_open(
    ctx: &Context,
    world: &World,
    interrupted: &mut BTreeMap<Uuid, Problem>,
    now: bool,
) -> Result<(), Problem> {
    let Some(request) = ctx.policies.request()? else {
        return Ok(());
    };
    let under_way = |uuid: &Uuid| {
        let setting = world.policy.vm(uuid).filter(|vm| vm.node == world.node);
        let under_way = setting.is_some_and(|setting| setting.phase != Phase::Enabled);
        under_way && world.snapshot.domain(uuid).is_some()
    };
    if !now && request.vms.iter().any(under_way) {
        return Ok(());
    }
    let vms = request.vms.iter();
    let mut outcomes: Vec<SubjectOutcome> = vms
        .map(|uuid| outcome_of(&request, uuid, world, interrupted))
        .collect();
    outcomes.extend(request.refused);
    let who = Requester {
        name: request.who,
        role: request.role,
        origin: request.from,
        order: request.order,
    };
    let what = request.action.of_all();
    let event = who.event_of_all(what, outcomes, request.more_refused);
    conclude(ctx, &world.policy, &[], event, who.order.as_ref())?;
    interrupted.clear();
    if let Some(order) = &who.order {
        // What cannot be written now is written when the store answers again.
        drop(ctx.orders.answer_recorded(order));
    }
    Ok(())
}

/// The outcome of a request for a VM, as it is now.
fn outcome_of(
    request: &Request,
    uuid: &Uuid,
    world: &World,
    interrupted: &BTreeMap<Uuid, Problem>,
) -> SubjectOutcome {
    let setting = world.policy.vm(uuid);
    let domain = world.snapshot.domain(uuid).map(|domain| &*domain.name);
    let name = domain.or(setting.map(|setting| &*setting.name));
    let name = name.unwrap_or(uuid.as_str());
    let is_so = match (request.action, setting) {
        (Action::Disable, setting) => setting.is_none(),
        (_, None) => false,
        (_, Some(setting)) => {
            let security = setting.security.with(request.trust, request.spoof_check);
            let performance = request.performance.unwrap_or(setting.performance);
            setting.phase == Phase::Enabled
                && (setting.performance, setting.security) == (performance, security)
        }
    };
    if is_so {
        let of = |setting| request.action.for_setting(setting);
        let what = setting.map_or_else(|| request.action.of_one(name), of);
        return outcome(name, &what, None);
    }
    let problem = interrupted.get(uuid).cloned().unwrap_or_else(|| {
        let found = "The agent was interrupted before the change was complete.";
        Problem::new(Code::NotVerified, &[&format!("VM {name}")], found)
    });
    outcome(name, &request.action.of_one(name), Some(&problem))
}

/// Outcomes of what was refused.
pub(crate) fn refused(action: Action, results: &[VmResult]) -> Vec<SubjectOutcome> {
    let refused = results.iter().filter_map(|result| {
        let problem = result.problem.as_ref()?;
        let what = action.of_one(&result.name);
        Some(outcome(&result.name, &what, Some(problem)))
    });
    refused.collect()
}

/// The outcome of a change of a VM.
pub(crate) fn tried(
    action: Action,
    name: &str,
    setting: &VmSetting,
    problem: Option<&Problem>,
) -> SubjectOutcome {
    outcome(name, &action.for_setting(setting), problem)
}

/// The settings in which a VM differs from its intent, behind its setting; empty without any.
fn differences(security: VfSecurityOfVm) -> String {
    let one = |what: &str, on: Option<bool>| {
        on.map_or(String::new(), |on| format!(", {what} {}", OnOff(on)))
    };
    one("trust", security.trust) + &one("spoof check", security.spoof_check)
}
