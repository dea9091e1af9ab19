//! VMs: enabled, changed, and returned to their software path, each completely or not at all.

mod answer;
mod call;
mod disable;
mod enable;
mod judge;
mod names;

use accelnet_api::types::{VmChange, VmChanged};
use accelnet_model::Problem;

use crate::orders::{is_dry_run, names_of};
use crate::policy::Action;
use crate::reconcilers::Reconcilers;
use crate::requester::Requester;
use call::Call;
pub(crate) use call::Scope;
use judge::Wanted;

/// Changes VMs.
///
/// # Errors
///
/// The problem of all of them; the problem of one VM is its result.
pub(crate) fn change(
    agent: &mut Reconcilers,
    who: &Requester,
    scope: Scope,
    change: &VmChange,
) -> Result<VmChanged, Problem> {
    let dry_run = is_dry_run(change);
    let is_open = |agent: &Reconcilers| matches!(agent.ctx.policies.request(), Ok(Some(_)));
    if !dry_run && is_open(agent) {
        // A request that is open ends first.
        drop(agent.reconcile_unreported());
    }
    let mut call = Call {
        who,
        names: names_of(change),
        scope,
        dry_run,
        decided: false,
    };
    let changed = match Wanted::of(change) {
        Some(wanted) => enable::run(agent, &mut call, wanted),
        None => disable::run(agent, &mut call),
    };
    // The reconcile that ends an open request records its event.
    if let (Err(problem), false) = (&changed, dry_run)
        && !(call.decided && is_open(agent))
    {
        let (what, _) = Action::of(change).of_all();
        let what = format!("{what} {}", call.names.join(", "));
        who.record_refusal(&agent.ctx, &what, problem);
    }
    changed
}
