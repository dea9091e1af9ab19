//! The answer to a request for VMs: a result for each.

use accelnet_api::types::{VmChanged, VmResult, VmView};
use accelnet_model::Problem;

/// A result before anything is known.
pub(super) fn begun(name: &str, vm: Option<VmView>) -> VmResult {
    VmResult {
        name: name.to_owned(),
        node: vm.as_ref().map(|vm| vm.node.clone()),
        ok: false,
        unchanged: false,
        message: String::new(),
        waits_for_restart: false,
        vm,
        problem: None,
        warnings: Vec::new(),
        steps: Vec::new(),
    }
}

/// The VM is refused.
pub(super) fn refuse(result: &mut VmResult, problem: Problem) {
    result.ok = false;
    result.message = problem.message.clone();
    result.problem = Some(problem);
}

/// Nothing is to be changed.
pub(super) fn unchanged(result: &mut VmResult, message: String) {
    result.ok = true;
    result.unchanged = true;
    result.message = message;
}

/// The results in one answer.
pub(super) fn answer(results: Vec<VmResult>) -> VmChanged {
    VmChanged {
        ok: results.iter().all(|result| result.ok),
        results,
    }
}
