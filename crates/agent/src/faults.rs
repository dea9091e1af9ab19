//! What is wrong on a node now.

use accelnet_api::types::{Fault, Severity, State, VmView};
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Problem};

use crate::core::{Core, Seen};
use crate::policy::Policy;
use crate::report::Report;

/// The faults of a node; one that was there before keeps its time. Nobody watches while
/// management is disabled.
pub(crate) fn of(
    core: &Core,
    seen: &Seen,
    policy: &Policy,
    vms: &[VmView],
    before: Option<&Report>,
) -> Vec<Fault> {
    if !policy.management.enabled {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut raise = |severity, subject: &str, problem: &Problem| {
        let old = before.into_iter().flat_map(|report| &report.faults);
        let mut old = old.filter(|old| old.subject == subject && old.code == problem.code);
        faults.push(Fault {
            severity,
            node: core.name.clone(),
            subject: subject.to_owned(),
            code: problem.code,
            message: format!("{} {}", problem.message, problem.found),
            resolution: problem.resolution.clone(),
            since: match old.next() {
                Some(old) => old.since.clone(),
                None => seen.node.observed_at.clone(),
            },
        });
    };
    for status in &core.statuses {
        if let (IntentState::Failed, Some(problem)) = (status.state, &status.problem) {
            raise(Severity::Error, &status.intent, problem);
        }
    }
    if let Some(reason) = seen.node.domains.reason()
        && core.libvirt_may_be_asked
    {
        let problem = Problem::new(Code::VmStateUnknown, &[&core.name], format!("{reason}."));
        raise(Severity::Error, &core.name, &problem);
    }
    for vm in vms {
        if vm.acceleration == State::Degraded && policy.drained(&core.name).is_none() {
            let found = match vm.remarks.first() {
                Some(remark) => format!("{remark}."),
                None => "It has no VF.".to_owned(),
            };
            let problem = Problem::new(Code::VmOnSoftwarePath, &[&vm.name], found);
            raise(Severity::Warning, &vm.name, &problem);
        }
    }
    faults
}
