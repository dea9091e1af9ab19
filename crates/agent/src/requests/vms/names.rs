//! The VMs that the names of a request mean.

use std::collections::BTreeSet;

use accelnet_api::types::VmResult;
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Intent, Problem, Uuid, VmSetting};
use accelnet_rules::vm_names::{Names, not_found};

use super::answer::{begun, refuse};
use super::call::{Call, Scope};
use crate::context::Context;
use crate::policy::Policy;
use crate::problems::{intent_not_applied, node_drained, vms_unknown};
use crate::reconcilers::Reconcilers;
use crate::views::vm::VmViews;
use crate::world::World;

/// A result for each VM that is meant, and for each name that means none.
pub(super) fn results(
    agent: &Reconcilers,
    call: &Call<'_>,
    world: &World,
) -> Result<Vec<VmResult>, Problem> {
    let ctx = &agent.ctx;
    let Some(domains) = world.snapshot.node.domains.known() else {
        let reason = world.snapshot.node.domains.reason().unwrap_or_default();
        return Err(vms_unknown(&ctx.node, reason));
    };
    let views = VmViews::new(world, &agent.vms);
    let gone: Vec<&VmSetting> = views.gone().collect();
    let here = || {
        let domains = domains.iter().map(|one| (&*one.name, &one.uuid));
        domains.chain(gone.iter().map(|one| (&*one.name, &one.uuid)))
    };
    let all = Names::of(here().map(|(name, uuid)| (name, uuid.as_str())));
    let mut places = BTreeSet::new();
    let mut results: Vec<VmResult> = Vec::new();
    for name in call.names {
        let found = all.matching(name);
        if found.is_empty() {
            let mut result = begun(name, None);
            refuse(&mut result, no_such_vm(ctx, call, name, here())?);
            results.push(result);
        }
        for place in found.into_iter().filter(|place| places.insert(*place)) {
            let view = match domains.get(place) {
                Some(domain) => views.vm(domain),
                None => views.gone_vm(gone[place - domains.len()]),
            };
            let name = view.name.clone();
            results.push(begun(&name, Some(view)));
        }
    }
    Ok(results)
}

/// The intent that VMs get their VFs from: enabled, and completed here. What prevents this node from providing VFs is
/// no answer to names that no VM has.
pub(super) fn managed_intent(
    agent: &Reconcilers,
    call: &Call<'_>,
    policy: &Policy,
) -> Result<Intent, Problem> {
    managed(agent, policy).map_err(|problem| match problem.code {
        Code::NodeDrained | Code::IntentNotApplied => {
            all_unknown(&agent.ctx, call).unwrap_or(problem)
        }
        _ => problem,
    })
}

fn managed(agent: &Reconcilers, policy: &Policy) -> Result<Intent, Problem> {
    let intent = policy
        .managed_intent()
        .filter(|_| policy.management.enabled);
    let Some(intent) = intent else {
        if let Some(unreadable) = policy.unreadable_of_management() {
            return Err(crate::unread::problem(unreadable));
        }
        let found = match policy.management.intent.as_deref() {
            Some(intent) => format!("It was last enabled on intent {intent}."),
            None => "It was never enabled.".to_owned(),
        };
        return Err(Problem::new(Code::ManagementDisabled, &[], found));
    };
    let node = &agent.ctx.node;
    if let Some(drained) = policy.drained(node) {
        return Err(node_drained(node, drained));
    }
    match agent.intents.statuses.of(&intent.name) {
        Some(status) if status.state == IntentState::Completed => Ok(intent.clone()),
        status => Err(intent_not_applied(&intent.name, node, status)),
    }
}

/// The problem with the first of the names if none of them means a VM that was here at the last report.
fn all_unknown(ctx: &Context, call: &Call<'_>) -> Option<Problem> {
    let report = ctx.reports.newest()?;
    let here = || report.vms.iter().map(|vm| (&*vm.name, &vm.uuid));
    let known = Names::of(here().map(|(name, uuid)| (name, uuid.as_str())));
    let first = call.names.first()?;
    let mut names = call.names.iter();
    if report.vms_unknown.is_some() || names.any(|name| !known.matching(name).is_empty()) {
        return None;
    }
    no_such_vm(ctx, call, first, here()).ok()
}

/// The problem with a name that no VM has, among all VMs that the request covers; `here` are those of this node.
fn no_such_vm<'a>(
    ctx: &'a Context,
    call: &Call<'_>,
    name: &str,
    here: impl Iterator<Item = (&'a str, &'a Uuid)>,
) -> Result<Problem, Problem> {
    let (only, reports) = match call.scope {
        Scope::ThisNode => (Some(ctx.node.as_str()), Vec::new()),
        Scope::Cluster => (None, ctx.reports.shared()?),
    };
    let here = here.map(|(name, uuid)| (name, ctx.node.as_str(), uuid));
    let others = reports.iter().filter(|report| report.node != *ctx.node);
    let others = others.flat_map(|report| &report.vms);
    let others = others.map(|vm| (&*vm.name, &*vm.node, &vm.uuid));
    let mut counted = BTreeSet::new();
    // Nodes may share the definitions of their VMs.
    let all = here
        .chain(others)
        .filter(|(_, _, uuid)| counted.insert(*uuid));
    Ok(not_found(
        name,
        only,
        all.map(|(name, node, _)| (name, node)),
    ))
}
