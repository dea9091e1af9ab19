//! The state of an agent that its API reads, and the queue of its engine.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use accelnet_api::types::{EventKind, Fault, Severity};
use accelnet_api::{Answer, Caller, Role, answered};
use accelnet_host::Clock;
use accelnet_model::{Code, Node, Problem};
use accelnet_rules::conditions::{Conditions, Hysteresis, Moment};
use accelnet_rules::vm_names;

use super::rarely_read::RarelyRead;
use crate::cluster::last_reports::{LastReports, Standpoint};
use crate::cluster::nodes::{NodeState, Nodes};
use crate::cluster::{CutOff, Link};
use crate::inbox::{Inbox, Priority, Unanswered};
use crate::journal::{Journal, NewEvent};
use crate::orders::Asker;
use crate::policy::{Policy, PolicyStore};
use crate::problems::vms_unknown;
use crate::reconcilers::Reconcilers;
use crate::reports::{Report, Reports};
use crate::requester::Requester;
use crate::unread;
use crate::views::published::{Publication, Published};

/// An agent as the API uses it.
pub struct Agent {
    pub(crate) inbox: Inbox,
    pub(crate) publication: Publication,
    pub(crate) policies: PolicyStore,
    pub(crate) reports: Arc<Reports>,
    pub(crate) journal: Journal,
    pub(crate) nodes: Nodes,
    pub(crate) last_reports: LastReports,
    pub(crate) link: Option<Arc<Link>>,
    pub(crate) clock: Arc<dyn Clock + Send + Sync>,
    /// Keys that no other reader reads often.
    pub(crate) rarely_read: RarelyRead,
    /// Since when values of the store cannot be read, by key.
    pub(crate) unreadable_since: Mutex<Conditions<String, ()>>,
    /// Sends orders to other nodes; none for a store of one node.
    pub(crate) asker: Option<Asker>,
}

impl Agent {
    /// The newest state of this node.
    pub(super) fn newest(&self) -> Arc<Published> {
        self.publication.newest()
    }

    pub(crate) fn cut_off(&self) -> Option<CutOff> {
        self.link.as_ref()?.cut_off()
    }

    /// Queues a job for the engine.
    pub(super) fn queue<T: Send + 'static>(
        &self,
        caller: &Caller,
        job: impl FnOnce(&mut Reconcilers) -> Result<T, Problem> + Send + 'static,
    ) -> Answer<T> {
        let answer = self.inbox.request(Priority::of(caller.role), job);
        Box::pin(async move {
            answer.await.unwrap_or_else(|why| {
                Err(match why {
                    Unanswered::Busy => {
                        let found = "The limit of waiting requests of readers is reached.";
                        Problem::new(Code::AgentBusy, &[], found)
                    }
                    Unanswered::Ended => {
                        let found = "The agent is ending.";
                        Problem::new(Code::AgentUnreachable, &["its socket"], found)
                    }
                })
            })
        })
    }

    /// Queues a change for the engine, whose events name the caller. It is refused while the node is cut off from
    /// its store.
    pub(super) fn change<T: Send + 'static>(
        &self,
        caller: &Caller,
        job: impl FnOnce(&mut Reconcilers, &Requester) -> Result<T, Problem> + Send + 'static,
    ) -> Answer<T> {
        if let Some(cut_off) = self.cut_off() {
            let problem = cut_off.problem();
            let event = NewEvent {
                who: Some(caller.name.clone()),
                role: Some(caller.role),
                from: Some(caller.from.clone()),
                code: Some(problem.code),
                ..NewEvent::of(EventKind::Refused, "cluster", problem.message.clone())
            };
            if caller.role > Role::Reader {
                // The store does not accept events now.
                self.journal.record_locally(&self.clock.now(), &event);
            }
            return answered(Err(problem));
        }
        let who = Requester::of(caller, None);
        self.queue(caller, move |agent| job(agent, &who))
    }

    /// All nodes. Those that are down are recorded, for the age of their last reports.
    pub(super) fn node_states(&self) -> Result<Vec<NodeState>, Problem> {
        let nodes = self.nodes.all()?;
        self.last_reports.observe(&nodes, self.clock.uptime());
        Ok(nodes)
    }

    pub(super) fn standpoint<'a>(&'a self, own: &'a str, nodes: &'a [NodeState]) -> Standpoint<'a> {
        Standpoint {
            own,
            nodes,
            cut_off: self.cut_off(),
            last_reports: &self.last_reports,
            clock: &*self.clock,
        }
    }

    /// Refuses the name of a node that does not exist.
    pub(super) fn must_exist(&self, node: &str) -> Result<(), Problem> {
        let newest = self.newest();
        let (nodes, reports) = (self.nodes.all()?, self.reports.all()?);
        node_exists(node, &newest.report.node, &nodes, &reports)
    }

    /// Faults of the values of the store that cannot be read.
    pub(super) fn unreadable(&self, policy: &Policy, node: &str) -> Vec<Fault> {
        let mut all = policy.unreadable.clone();
        all.extend(self.reports.unreadable());
        all.extend(self.nodes.unreadable());
        all.extend(self.journal.unreadable());
        // A store that does not answer would delay the request once more.
        if self.cut_off().is_none() {
            let rarely_read = self.rarely_read.unreadable().into_iter();
            let known: BTreeSet<String> = all.iter().map(|one| one.key.clone()).collect();
            all.extend(rarely_read.filter(|one| !known.contains(&one.key)));
        }
        let now = self.clock.now();
        let mut since = self
            .unreadable_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = all
            .iter()
            .map(|one| (one.key.clone(), (), Hysteresis::NONE));
        let uptime = self.clock.uptime();
        since.update(found, Moment { time: &now, uptime });
        let problems = unread::problems(&all);
        let faults = problems.iter().enumerate().map(|(place, problem)| {
            let mut fault = node_fault(node, problem, now.clone());
            // The last one counts those beyond the limit, and is that of no key.
            if let Some(one) = all.iter().take(unread::MAX_NAMED).nth(place) {
                if let Some(since) = since.since(&one.key) {
                    since.clone_into(&mut fault.since);
                }
                fault.subject = unread::shown(&one.key);
                if one.newer_format {
                    fault.severity = Severity::Warning;
                }
            }
            fault
        });
        faults.collect()
    }
}

/// Refuses the name of a node that neither belongs to the cluster nor reports.
pub(super) fn node_exists<'a>(
    name: &str,
    own: &'a str,
    nodes: &'a [NodeState],
    reports: impl IntoIterator<Item = &'a Report>,
) -> Result<(), Problem> {
    let members = nodes.iter().map(|node| node.name.as_str());
    let reporting = reports.into_iter().map(|report| report.node.as_str());
    let all: BTreeSet<&str> = members.chain(reporting).chain([own]).collect();
    match all.contains(name) {
        true => Ok(()),
        false => Err(vm_names::no_node(name, all)),
    }
}

/// Refuses to list the VMs of a node if they are unknown.
pub(super) fn vms_known(
    node: &str,
    own: &str,
    here: &Node,
    reports: &[Report],
) -> Result<(), Problem> {
    let reason = match node == own {
        true => here.domains.reason(),
        false => {
            let report = reports.iter().find(|report| report.node == node);
            report.and_then(|report| report.vms_unknown.as_deref())
        }
    };
    match reason {
        None => Ok(()),
        Some(reason) => Err(vms_unknown(node, reason)),
    }
}

/// A fault of a node as a whole.
pub(super) fn node_fault(node: &str, problem: &Problem, since: String) -> Fault {
    Fault::new(Severity::Error, (node, node), problem, since)
}
