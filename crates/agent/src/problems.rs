//! Problems that several parts of the agent report.

use accelnet_api::types::Drained;
use accelnet_model::intent::IntentStatus;
use accelnet_model::{Code, Problem};
use accelnet_store::StoreError;

/// The store refused, or did not answer.
pub fn store_failed(error: &StoreError) -> Problem {
    let code = match error {
        StoreError::CutOff { .. } => Code::NodeCutOff,
        StoreError::Foreign { .. } => Code::StoreForeign,
        _ => Code::StoreFailed,
    };
    Problem::new(code, &[], format!("It failed to {error}."))
}

/// The same of an error that is not used further.
pub(crate) fn failed(error: StoreError) -> Problem {
    store_failed(&error)
}

/// The store called `store` does not permit a change of its cluster.
pub(crate) fn cluster_refused(store: &str, found: impl Into<String>) -> Problem {
    Problem::new(Code::ClusterRefused, &[store], found)
}

/// Another program changed the store called `store` during a change of its cluster.
pub(crate) fn store_changed(store: &str) -> Problem {
    cluster_refused(store, "Another program changed the store at the same time.")
}

/// libvirt did not do `what`; `words` is its message.
pub(crate) fn libvirt_failed(what: &str, words: &str) -> Problem {
    let found = "It refused, or did not answer.";
    Problem::new(Code::LibvirtFailed, &[what], found).cause(words)
}

/// The VMs of a node are unknown, because of `reason`.
pub(crate) fn vms_unknown(node: &str, reason: &str) -> Problem {
    Problem::new(Code::VmStateUnknown, &[node], format!("{reason}."))
}

/// A drained node attaches no VFs.
pub(crate) fn node_drained(node: &str, drained: &Drained) -> Problem {
    let found = format!("{} drained it at {}.", drained.by, drained.at);
    Problem::new(Code::NodeDrained, &[node], found)
}

/// A change was tried as often as permitted, and each time another one came first.
pub(crate) fn change_conflict(node: &str) -> Problem {
    let found = "Others change the same settings at this moment.";
    Problem::new(Code::ChangeInProgress, &[node], found)
}

/// An intent is not complete on a node; `status` is its status there.
pub(crate) fn intent_not_applied(
    intent: &str,
    node: &str,
    status: Option<&IntentStatus>,
) -> Problem {
    let found = match status {
        None => "The node has not begun.".to_owned(),
        Some(status) => match &status.problem {
            Some(problem) => format!("It is {}: {}", status.state, one_line(problem)),
            None => format!("It is {}.", status.state),
        },
    };
    Problem::new(Code::IntentNotApplied, &[intent, node], found)
}

/// The pool has no free VF for a VM.
pub(crate) fn no_free_vf(vm: &str) -> Problem {
    let found = "No VF of the pool is free on this node; VFs bind.";
    Problem::new(Code::ClusterNotEnoughResources, &[vm], found)
}

/// Message and cause of a problem.
pub(crate) fn one_line(problem: &Problem) -> String {
    format!("{} {}", problem.message, problem.found)
}
