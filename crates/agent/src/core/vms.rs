//! VMs: enabled, changed, and taken back, each whole or not at all.

mod disable;
mod enable;
mod fits;
mod judge;
mod pairs;
mod request;

use std::collections::BTreeSet;

use accelnet_api::types::{VmChange, VmChanged, VmDisable, VmEnable, VmResult, VmSet, VmView};
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Intent, Problem, Uuid, VmSetting};
use accelnet_rules::vm_names::{Names, not_found};

use judge::{Admitted, Wanted};
pub(crate) use pairs::{AskedOut, Defined, none_is_free, undefine_ports};
pub(crate) use request::Requests;

use super::drain::is_drained;
use super::settle::{planned, vms_unknown};
use super::{Core, Seen};
use crate::policy::Policy;
use crate::view::Views;

/// How often a decision is taken anew because another took one meanwhile.
const TURNS: u32 = 16;

impl Core {
    /// Changes VMs.
    ///
    /// # Errors
    ///
    /// What stands in the way of all of them; what stands in the way of one is its result.
    pub fn change_vms(&mut self, who: &str, change: &VmChange) -> Result<VmChanged, Problem> {
        self.requests.own_only = false;
        self.change_named_vms(who, change)
    }

    /// Changes VMs of a request that covers this node only.
    ///
    /// # Errors
    ///
    /// As [`Core::change_vms`].
    pub(crate) fn change_own_vms(
        &mut self,
        who: &str,
        change: &VmChange,
    ) -> Result<VmChanged, Problem> {
        self.requests.own_only = true;
        self.change_named_vms(who, change)
    }

    fn change_named_vms(&mut self, who: &str, change: &VmChange) -> Result<VmChanged, Problem> {
        self.requests.decided = false;
        if !is_dry_run(change) && matches!(self.policies.request(), Ok(Some(_))) {
            // What an earlier one left open comes first.
            drop(self.pass());
        }
        let changed = match change {
            VmChange::Enable(VmEnable {
                names,
                performance,
                now,
                add_nic,
                mac,
                trust,
                spoof_check,
                dry_run,
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
                self.give(who, names, wanted, *dry_run)
            }
            VmChange::Set(VmSet {
                names,
                performance,
                trust,
                spoof_check,
                now,
                dry_run,
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
                self.give(who, names, wanted, *dry_run)
            }
            VmChange::Disable(VmDisable { names, dry_run }) => self.take(who, names, *dry_run),
        };
        if let (Err(problem), false) = (&changed, is_dry_run(change))
            // What the store has of it is recorded by the pass that ends it.
            && !(self.requests.decided && matches!(self.policies.request(), Ok(Some(_))))
        {
            let refused: Result<(), Problem> = Err(problem.clone());
            self.tell_asked(who, "cluster", &in_words(change), &refused);
        }
        changed
    }

    /// The intent that VMs get their VFs from: enabled, and completed here.
    fn managed(&self, policy: &Policy) -> Result<Intent, Problem> {
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
        if let Some(drained) = policy.drained(&self.name) {
            return Err(is_drained(&self.name, drained));
        }
        match self.status_of(&intent.name) {
            Some(status) if status.state == IntentState::Completed => Ok(intent.clone()),
            status => Err(not_applied(&intent.name, &self.name, status)),
        }
    }

    /// A result for each VM that is meant, and for each name that means none.
    fn named_vms(
        &self,
        names: &[String],
        seen: &Seen,
        policy: &Policy,
    ) -> Result<Vec<VmResult>, Problem> {
        let Some(domains) = seen.node.domains.known() else {
            let reason = seen.node.domains.reason().unwrap_or_default();
            return Err(vms_unknown(&self.name, reason));
        };
        let views = Views::of(self, seen, policy);
        let gone: Vec<&VmSetting> = views.gone().collect();
        let here = domains.iter().map(|one| (&*one.name, one.uuid.as_str()));
        let others = gone.iter().map(|one| (&*one.name, one.uuid.as_str()));
        let all = Names::of(here.chain(others));
        let mut meant = BTreeSet::new();
        let mut results: Vec<VmResult> = Vec::new();
        for name in names {
            let found = all.matching(name);
            if found.is_empty() {
                let mut result = VmResult::begun(name, None);
                let here = domains.iter().map(|one| (&*one.name, &one.uuid));
                let here = here.chain(gone.iter().map(|one| (&*one.name, &one.uuid)));
                result.refuse(self.no_such_vm(name, here)?);
                results.push(result);
            }
            for place in found {
                if !meant.insert(place) {
                    continue;
                }
                let view = match domains.get(place) {
                    Some(domain) => views.vm(domain),
                    None => views.gone_vm(gone[place - domains.len()]),
                };
                let name = view.name.clone();
                results.push(VmResult::begun(&name, Some(view)));
            }
        }
        Ok(results)
    }
}

impl Core {
    /// The intent that VMs named so get their VFs from. What keeps this node from giving VFs is no answer to
    /// names that no VM has.
    fn managed_for(&self, names: &[String], policy: &Policy) -> Result<Intent, Problem> {
        self.managed(policy).map_err(|problem| match problem.code {
            Code::NodeDrained | Code::IntentNotApplied => {
                self.all_unknown(names).unwrap_or(problem)
            }
            _ => problem,
        })
    }

    /// The problem with the first of `names` if none of them means a VM that was here at the last report.
    fn all_unknown(&self, names: &[String]) -> Option<Problem> {
        let report = self.reports.newest()?;
        let here = || report.vms.iter().map(|vm| (&*vm.name, &vm.uuid));
        let known = Names::of(here().map(|(name, uuid)| (name, uuid.as_str())));
        let first = names.first()?;
        if report.vms_unknown.is_some() || names.iter().any(|name| !known.matching(name).is_empty())
        {
            return None;
        }
        self.no_such_vm(first, here()).ok()
    }

    /// The problem with a name that no VM has, over all VMs that the request covers; `here` are those of this
    /// node.
    fn no_such_vm<'a>(
        &'a self,
        name: &str,
        here: impl Iterator<Item = (&'a str, &'a Uuid)>,
    ) -> Result<Problem, Problem> {
        let own_only = self.requests.own_only.then_some(&*self.name);
        let reports = match own_only {
            Some(_) => Vec::new(),
            None => self.reports.shared()?,
        };
        let here = here.map(|(name, uuid)| (name, &*self.name, uuid));
        let others = reports.iter().filter(|report| report.node != self.name);
        let others = others.flat_map(|report| &report.vms);
        let others = others.map(|vm| (&*vm.name, &*vm.node, &vm.uuid));
        let mut counted = BTreeSet::new();
        // Nodes may share the definitions of their VMs.
        let all = here
            .chain(others)
            .filter(|(_, _, uuid)| counted.insert(*uuid));
        let all = all.map(|(name, node, _)| (name, node));
        Ok(not_found(name, own_only, all))
    }
}

/// A VM that should have a setting.
fn has_no_setting(vm: &str) -> Problem {
    let found = "It has no performance setting.";
    Problem::new(Code::VmNotAccelerated, &[vm], found)
}

/// Whether a VF's MSI-X vectors can be set.
pub(crate) fn shares_vectors(adapter: &accelnet_model::Adapter) -> bool {
    let sriov = adapter.sriov.present();
    sriov.is_some_and(|sriov| {
        sriov
            .vf_total_msix
            .present()
            .is_some_and(|total| *total > 0)
    })
}

/// An intent that is not completed on a node.
pub(crate) fn not_applied(
    intent: &str,
    node: &str,
    status: Option<&accelnet_model::intent::IntentStatus>,
) -> Problem {
    let found = match status {
        None => "The node has not begun.".to_owned(),
        Some(status) => match &status.problem {
            Some(problem) => format!(
                "It is {}: {} {}",
                status.state, problem.message, problem.found
            ),
            None => format!("It is {}.", status.state),
        },
    };
    Problem::new(Code::IntentNotApplied, &[intent, node], found)
}

/// Others change the same all the time.
pub(crate) fn crowded(node: &str) -> Problem {
    Problem::new(
        Code::ChangeInProgress,
        &[node],
        "Others change the same settings at this moment.",
    )
}

fn answer(results: Vec<VmResult>) -> VmChanged {
    VmChanged {
        ok: results.iter().all(|result| result.ok),
        results,
    }
}

fn is_dry_run(change: &VmChange) -> bool {
    match change {
        VmChange::Enable(one) => one.dry_run,
        VmChange::Set(one) => one.dry_run,
        VmChange::Disable(one) => one.dry_run,
    }
}

fn in_words(change: &VmChange) -> String {
    match change {
        VmChange::Enable(one) => format!("enable acceleration on {}", one.names.join(", ")),
        VmChange::Set(one) => format!("change acceleration on {}", one.names.join(", ")),
        VmChange::Disable(one) => format!("disable acceleration on {}", one.names.join(", ")),
    }
}

/// A result while it is being made.
trait Begun {
    fn begun(name: &str, vm: Option<VmView>) -> Self;
    fn refuse(&mut self, problem: Problem);
    fn stays(&mut self, message: String);
    fn would(&mut self, node: &str, one: &Admitted);
}

impl Begun for VmResult {
    fn begun(name: &str, vm: Option<VmView>) -> Self {
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

    fn refuse(&mut self, problem: Problem) {
        self.ok = false;
        self.message = problem.message.clone();
        self.problem = Some(problem);
    }

    fn stays(&mut self, message: String) {
        self.ok = true;
        self.unchanged = true;
        self.message = message;
    }

    fn would(&mut self, node: &str, one: &Admitted) {
        let (domain, plan, setting) = (&one.domain, &one.plan, &one.setting);
        self.ok = true;
        self.waits_for_restart = plan.waits_for_restart;
        self.steps = planned(node, domain, plan);
        let verb = match domain.state.holds_devices() {
            true => "accelerated",
            false => "enabled",
        };
        self.message = format!(
            "VM {} would be {verb} with {} on its vNIC {}: {}.{}",
            domain.name,
            setting.performance,
            setting.mac,
            plan.why,
            one.others()
        );
    }
}
