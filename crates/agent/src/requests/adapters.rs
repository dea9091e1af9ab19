//! SR-IOV of single adapters of a simulated node, enabled and disabled.

use std::time::Duration;

use accelnet_api::types::{AdapterResult, AdaptersChange, AdaptersChanged, PlannedStep};
use accelnet_model::vf_plan::{Ask, vfs_in_words};
use accelnet_model::{Code, Problem};

use crate::intents::executor::VF_DEADLINE;
use crate::observed::{Snapshot, observer};
use crate::reconcilers::Reconcilers;
use crate::requester::{Requester, outcome};
use crate::vf_change::{self, Changed, Request};

/// Enables or disables SR-IOV of adapters.
///
/// # Errors
///
/// There is no adapter to change; the problem of one adapter is its result.
pub(crate) fn change(
    agent: &mut Reconcilers,
    who: &Requester,
    change: &AdaptersChange,
) -> Result<AdaptersChanged, Problem> {
    let ctx = &agent.ctx;
    if !ctx.edge.is_simulated() {
        let problem = accelnet_api::service::adapters_are_not_changed();
        if !change.dry_run {
            who.record_refusal(ctx, "change SR-IOV of adapters", &problem);
        }
        return Err(problem);
    }
    let names = names(&observer::all(ctx), change)?;
    let ask = match change.vfs {
        None => Ask::All,
        Some(0) => Ask::Off,
        Some(vfs) => Ask::Exactly(vfs),
    };
    let within = change.timeout_seconds;
    let mut results = Vec::new();
    let mut outcomes = Vec::new();
    for name in &names {
        let request = Request {
            name,
            ask,
            within: within.map_or(VF_DEADLINE, Duration::from_secs),
            dry_run: change.dry_run,
        };
        let changed = vf_change::run(&ctx.edge.host(), request, None);
        let is_unchanged = |one: &Changed| one.plan.steps.is_empty();
        if !changed.as_ref().is_ok_and(is_unchanged) {
            let what = format!("change the number of VFs of adapter {name}");
            outcomes.push(outcome(name, &what, changed.as_ref().err()));
        }
        results.push(result(&ctx.node, name, changed));
    }
    if !change.dry_run {
        let what = ("change the number of VFs of", "adapters");
        if let Some(event) = who.event_of_all(what, outcomes, 0) {
            ctx.journal.record(&ctx.now(), event);
        }
        agent.reconcile_unreported()?;
    }
    Ok(AdaptersChanged {
        ok: results.iter().all(|result| result.ok),
        results,
    })
}

/// The names that are given, or all adapters with the SR-IOV capability.
fn names(snapshot: &Snapshot, change: &AdaptersChange) -> Result<Vec<String>, Problem> {
    if !change.names.is_empty() {
        return Ok(change.names.clone());
    }
    let adapters = snapshot.adapters().iter();
    let capable = adapters.filter(|one| one.sriov.known().is_some_and(Option::is_some));
    let names: Vec<String> = capable.map(|adapter| adapter.name()).collect();
    match names.is_empty() {
        false => Ok(names),
        true => {
            let found = "No adapter of this node has the SR-IOV capability.";
            Err(Problem::new(Code::SriovUnknown, &["(any)"], found))
        }
    }
}

fn result(node: &str, name: &str, changed: Result<Changed, Problem>) -> AdapterResult {
    let changed = match changed {
        Ok(changed) => changed,
        Err(problem) => {
            return AdapterResult {
                name: name.to_owned(),
                ok: false,
                message: problem.message.clone(),
                problem: Some(problem),
                steps: Vec::new(),
            };
        }
    };
    let (adapter, plan) = (&changed.adapter, &changed.plan);
    let vfs = vfs_in_words(plan.to);
    let steps = plan.steps.iter();
    let steps = steps.map(|step| PlannedStep::new(node, adapter, step.to_string(), &plan.reason));
    AdapterResult {
        name: adapter.clone(),
        ok: true,
        message: match (changed.applied, plan.steps.is_empty()) {
            (_, true) => format!("{adapter} has {vfs} already."),
            (true, false) => format!("{adapter} has {vfs} now."),
            (false, false) => format!("{adapter} would have {vfs}."),
        },
        problem: None,
        steps: steps.collect(),
    }
}
