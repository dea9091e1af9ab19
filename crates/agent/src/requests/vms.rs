//! VMs: enabled, changed, and returned to their software path, each completely or not at all.

mod answer;
mod disable;
mod enable;
mod judge;
mod names;

use accelnet_api::types::{VmChange, VmChanged, VmDisable, VmEnable, VmSet};
use accelnet_model::Problem;

use crate::policy::Action;
use crate::reconcilers::Reconcilers;
use crate::requester::Requester;
use judge::Wanted;

/// What a request covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The VMs of this node.
    ThisNode,
    /// The VMs of all nodes, of which those of others are changed there.
    Cluster,
}

/// A request that is under way.
pub(crate) struct Call<'a> {
    who: &'a Requester,
    names: &'a [String],
    scope: Scope,
    dry_run: bool,
    /// Something was decided, so that the store has the request.
    decided: bool,
}

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
    let (action, names, dry_run) = match change {
        VmChange::Enable(one) => (Action::Enable, &one.names, one.dry_run),
        VmChange::Set(one) => (Action::Set, &one.names, one.dry_run),
        VmChange::Disable(one) => (Action::Disable, &one.names, one.dry_run),
    };
    let is_open = |agent: &Reconcilers| matches!(agent.ctx.policies.request(), Ok(Some(_)));
    if !dry_run && is_open(agent) {
        // A request that is open ends first.
        drop(agent.reconcile_unreported());
    }
    let mut call = Call {
        who,
        names,
        scope,
        dry_run,
        decided: false,
    };
    let changed = match change {
        VmChange::Enable(VmEnable {
            performance,
            now,
            add_nic,
            mac,
            trust,
            spoof_check,
            ..
        }) => {
            let wanted = Wanted {
                performance: Some(*performance),
                now: *now,
                add_nic: *add_nic,
                mac: *mac,
                trust: *trust,
                spoof_check: *spoof_check,
                set: false,
            };
            enable::run(agent, &mut call, wanted)
        }
        VmChange::Set(VmSet {
            performance,
            trust,
            spoof_check,
            now,
            ..
        }) => {
            let wanted = Wanted {
                performance: *performance,
                now: *now,
                add_nic: false,
                mac: None,
                trust: *trust,
                spoof_check: *spoof_check,
                set: true,
            };
            enable::run(agent, &mut call, wanted)
        }
        VmChange::Disable(VmDisable { .. }) => disable::run(agent, &mut call),
    };
    // The reconcile that ends an open request records its event.
    if let (Err(problem), false) = (&changed, dry_run)
        && !(call.decided && is_open(agent))
    {
        let (what, _) = action.of_all();
        let what = format!("{what} {}", names.join(", "));
        who.record_refusal(&agent.ctx, &what, problem);
    }
    changed
}
