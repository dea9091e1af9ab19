//! Requests for VMs, each carried out by the node that has the VM.

use accelnet_api::types::{EventKind, VmChange, VmChanged, VmResult};
use accelnet_api::{Answer, Caller, Service, answered};
use accelnet_model::{Code, Problem};

use super::agent::Agent;
use crate::journal::NewEvent;
use crate::orders::{
    Asker, PartOfNode, Parts, is_dry_run, mean_one_of, names_of, refused, with_names,
};
use crate::policy::Action;
use crate::problems::one_line;
use crate::requests::vms::{self, Scope};

impl Agent {
    /// Changes VMs, each on the node that has it.
    pub(crate) fn change_vms(
        &self,
        who: &Caller,
        node: Option<&str>,
        change: &VmChange,
    ) -> Answer<VmChanged> {
        let asker = match &self.asker {
            Some(asker) if self.cut_off().is_none() => asker,
            // A store of its own has no other nodes, and orders need a store that answers.
            _ => return self.change_own_vms(who, node, change),
        };
        let parts = match self.parts(asker, node, change) {
            Ok(Some(parts)) => parts,
            Ok(None) => return self.change_own_vms(who, node, change),
            Err(problem) => return answered(Err(problem)),
        };
        match self.change_parts(asker, who, change, parts) {
            Ok(answer) => answer,
            Err(problem) => answered(Err(problem)),
        }
    }

    fn change_own_vms(
        &self,
        who: &Caller,
        node: Option<&str>,
        change: &VmChange,
    ) -> Answer<VmChanged> {
        if let Err(problem) = node.map_or(Ok(()), |node| self.must_exist(node)) {
            return answered(Err(problem));
        }
        let change = change.clone();
        let scope = match node {
            Some(_) => Scope::ThisNode,
            None => Scope::Cluster,
        };
        self.change(who, move |agent, who| {
            vms::change(agent, who, scope, &change)
        })
    }

    /// The parts of a request; none if all of it is for this node.
    fn parts(
        &self,
        asker: &Asker,
        node: Option<&str>,
        change: &VmChange,
    ) -> Result<Option<Parts>, Problem> {
        let own = asker.node.as_str();
        let names = names_of(change);
        match node {
            Some(node) if node == own => return Ok(None),
            Some(node) => self.must_exist(node)?,
            None => {
                let reports = self.reports.shared()?;
                let others = reports.iter().filter(|report| report.node != own);
                if !mean_one_of(names, others.flat_map(|report| &report.vms)) {
                    return Ok(None);
                }
            }
        }
        let vms = self.vms(node)?;
        let mut parts = Parts::of(names, &vms, own);
        if let Some(node) = node {
            parts.refuse_unknown(node, &vms);
        }
        Ok(Some(parts).filter(|parts| !parts.is_own()))
    }

    fn change_parts(
        &self,
        asker: &Asker,
        who: &Caller,
        change: &VmChange,
        mut parts: Parts,
    ) -> Result<Answer<VmChanged>, Problem> {
        let own = std::mem::take(&mut parts.own);
        let others = std::mem::take(&mut parts.others);
        let only = own.is_empty() && parts.has_no_refused() && others.len() == 1;
        let there = asker.send(who, change, others)?;
        let here = (!own.is_empty()).then(|| {
            let change = with_names(change, own.clone());
            self.change(who, move |agent, who| {
                vms::change(agent, who, Scope::Cluster, &change)
            })
        });
        let (journal, clock, caller) = (self.journal.clone(), self.clock.clone(), who.clone());
        let is_dry_run = is_dry_run(change);
        let action = Action::of(change);
        let own_node = asker.node.to_string();
        Ok(Box::pin(async move {
            let mut results: Vec<VmResult> = Vec::new();
            if let Some(here) = here {
                results.extend(match here.await {
                    Ok(changed) => changed.results,
                    Err(problem) => own
                        .iter()
                        .map(|name| refused_on(&own_node, name, &problem))
                        .collect(),
                });
            }
            let there = there.await;
            for part in there.iter().filter(|_| !is_dry_run) {
                if let Some(event) = unanswered(&caller, action, part) {
                    journal.record(&clock.now(), event);
                }
            }
            if let (
                [
                    PartOfNode {
                        answered: Err(problem),
                        ..
                    },
                ],
                true,
            ) = (there.as_slice(), only)
            {
                return Err(problem.clone());
            }
            results.extend(there.into_iter().flat_map(PartOfNode::results));
            Ok(parts.answer(results))
        }))
    }
}

/// The event of an order that its node did not answer; other refusals are recorded by the node itself.
fn unanswered(caller: &Caller, action: Action, part: &PartOfNode) -> Option<NewEvent> {
    let problem = part.answered.as_ref().err()?;
    let (kind, outcome) = match problem.code {
        Code::RequestUnanswered => (EventKind::Failed, "Failed"),
        Code::NodeDown | Code::NodeCutOff | Code::RequestNotTaken | Code::AgentBusy => {
            (EventKind::Refused, "Refused")
        }
        _ => return None,
    };
    let first = part.vms.first().map_or("cluster", |vm| vm.name.as_str());
    let subject = match part.vms.len() {
        0 | 1 => first.to_owned(),
        several => format!("{first} and {} more", several - 1),
    };
    let (what, _) = action.of_all();
    let node = &part.node;
    let message = format!(
        "{outcome}: {what} {subject} on node {node}: {}",
        one_line(problem)
    );
    Some(NewEvent {
        who: Some(caller.name.clone()),
        role: Some(caller.role),
        from: Some(caller.from.clone()),
        code: Some(problem.code),
        ..NewEvent::of(kind, &subject, message)
    })
}

fn refused_on(node: &str, name: &str, problem: &Problem) -> VmResult {
    VmResult {
        node: Some(node.to_owned()),
        ..refused(name, None, problem)
    }
}
