//! The agent as its API sees it: what changes goes to the mind, what only looks is answered
//! from the newest picture and the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use accelnet_api::types::*;
use accelnet_api::{Answer, ApiEvent, Caller, News, Role, Service, answered};
use accelnet_host::Clock;
use accelnet_model::{AdapterSummary, Capacity, Code, Node, Problem};
use accelnet_rules::vm_names;

use crate::cluster::last_reports::{LastReports, Standpoint};
use crate::cluster::nodes::{NodeState, Nodes, views};
use crate::cluster::{CutOff, Link, adapters, vms};
use crate::core::drain::is_drained;
use crate::core::settle::vms_unknown;
use crate::core::{Core, intents, management};
use crate::destinations;
use crate::journal::{Journal, Word};
use crate::mind::{Inbox, Turn, Unanswered};
use crate::orders::Asker;
use crate::policy::{Policy, PolicyStore};
use crate::report::{Report, Reports};
use crate::unread::{self, Seldom};
use crate::view::Picture;

/// An agent that can be asked.
pub struct Agent {
    pub(crate) inbox: Inbox,
    pub(crate) picture: Arc<RwLock<Arc<Picture>>>,
    pub(crate) policies: PolicyStore,
    pub(crate) reports: Arc<Reports>,
    pub(crate) journal: Journal,
    pub(crate) nodes: Nodes,
    pub(crate) last_reports: LastReports,
    pub(crate) link: Option<Arc<Link>>,
    pub(crate) clock: Arc<dyn Clock + Send + Sync>,
    /// Keys that nothing else reads often.
    pub(crate) seldom: Seldom,
    /// Values of the store that cannot be read, by key: since when.
    pub(crate) unreadable_since: Mutex<BTreeMap<String, String>>,
    /// What asks other nodes; none where no other node has the store.
    pub(crate) asker: Option<Asker>,
}

impl Agent {
    fn picture(&self) -> Arc<Picture> {
        self.picture
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn cut_off(&self) -> Option<CutOff> {
        self.link.as_ref()?.cut_off()
    }

    /// Has the mind do something for somebody.
    fn ask<T: Send + 'static>(
        &self,
        who: &Caller,
        what: impl FnOnce(&mut Core) -> Result<T, Problem> + Send + 'static,
    ) -> Answer<T> {
        let turn = match who.role {
            Role::Reader => Turn::Then,
            Role::Operator | Role::Administrator => Turn::First,
        };
        let asked = self.inbox.ask(turn, what);
        Box::pin(async move {
            asked.await.unwrap_or_else(|why| {
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

    /// Has the mind do what somebody asked for, who is told of in the events of it, unless nothing can be
    /// decided now.
    pub(crate) fn ask_for<T: Send + 'static>(
        &self,
        who: &Caller,
        what: impl FnOnce(&mut Core, &str) -> Result<T, Problem> + Send + 'static,
    ) -> Answer<T> {
        if let Some(cut_off) = self.cut_off() {
            let problem = cut_off.problem();
            // The store, which events are kept in, does not answer.
            let word = Word {
                who: Some(who.name.clone()),
                role: Some(who.role),
                from: Some(who.from.clone()),
                code: Some(problem.code),
                ..Word::of(EventKind::Refused, "cluster", problem.message.clone())
            };
            if who.role > Role::Reader {
                self.journal.note(&self.clock.now(), &word);
            }
            return answered(Err(problem));
        }
        let caller = who.clone();
        self.ask(who, move |core| core.asked_by(&caller, None, what))
    }
}

impl Agent {
    /// All nodes. Which of them are down is kept, so that the age of their last reports is known.
    fn node_states(&self) -> Result<Vec<NodeState>, Problem> {
        let nodes = self.nodes.all()?;
        self.last_reports.saw(&nodes, self.clock.uptime());
        Ok(nodes)
    }

    fn standpoint<'a>(&'a self, own: &'a str, nodes: &'a [NodeState]) -> Standpoint<'a> {
        Standpoint {
            own,
            nodes,
            cut_off: self.cut_off(),
            last_reports: &self.last_reports,
            clock: &*self.clock,
        }
    }

    /// Refuses the name of a node that does not exist.
    pub(crate) fn known(&self, node: &str) -> Result<(), Problem> {
        let picture = self.picture();
        let (nodes, reports) = (self.nodes.all()?, self.reports.all()?);
        known_node(node, &picture.report.node, &nodes, &reports)
    }

    /// Faults of what could not be read of the store the last time.
    fn unreadable(&self, policy: &Policy, node: &str) -> Vec<Fault> {
        let mut all = policy.unreadable.clone();
        all.extend(self.reports.unreadable());
        all.extend(self.nodes.unreadable());
        all.extend(self.journal.unreadable());
        // Read from the store that counts: one that does not answer makes nobody wait once more.
        if self.cut_off().is_none() {
            let seldom = self.seldom.unreadable().into_iter();
            let known: BTreeSet<String> = all.iter().map(|one| one.key.clone()).collect();
            all.extend(seldom.filter(|one| !known.contains(&one.key)));
        }
        let now = self.clock.now();
        let mut since = self
            .unreadable_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        since.retain(|key, _| all.iter().any(|one| one.key == *key));
        let first = all.iter().map(|one| {
            let first = since.entry(one.key.clone()).or_insert_with(|| now.clone());
            first.clone()
        });
        let first: Vec<String> = first.collect();
        let problems = unread::problems(&all);
        let faults = problems.iter().enumerate().map(|(place, problem)| {
            let mut fault = as_fault(node, problem, first.get(place).unwrap_or(&now).clone());
            if let Some(one) = all.get(place) {
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
fn known_node<'a>(
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

/// Refuses to list the VMs of a node that are unknown.
fn vms_known(node: &str, own: &str, here: &Node, reports: &[Report]) -> Result<(), Problem> {
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

/// A fault of a whole node.
fn as_fault(node: &str, problem: &Problem, since: String) -> Fault {
    Fault::new(Severity::Error, (node, node), problem, since)
}

impl Service for Agent {
    fn name(&self) -> String {
        self.picture().report.node.clone()
    }

    fn status(&self) -> Result<Status, Problem> {
        let policy = self.policies.read()?;
        let picture = self.picture();
        let nodes = self.node_states()?;
        let from = self.standpoint(&picture.report.node, &nodes);
        let mut status = management::status(&policy, &self.reports, &picture, &from)?;
        for node in nodes {
            let Some(since) = node.down_since else {
                continue;
            };
            if status.enabled {
                let found = format!("No heartbeat since {since}.");
                let problem = Problem::new(Code::NodeDown, &[&node.name], found);
                status.faults.push(as_fault(&node.name, &problem, since));
            }
            status.nodes_down.push(node.name);
        }
        for (node, drained, _) in &policy.drained {
            let problem = is_drained(node, drained);
            let mut fault = as_fault(node, &problem, drained.at.clone());
            fault.severity = Severity::Warning;
            status.faults.push(fault);
            status.nodes_drained.push(node.clone());
        }
        let unreadable = self.unreadable(&policy, &picture.report.node);
        status.faults.extend(unreadable);
        if let Some(cut_off) = self.cut_off() {
            let problem = cut_off.problem();
            let fault = as_fault(&picture.report.node, &problem, cut_off.since.clone());
            status.faults.push(fault);
            status.agent.cut_off_since = Some(cut_off.since);
            status.agent.cut_off_reason = Some(cut_off.found);
        }
        Ok(status)
    }

    fn capacity(&self) -> Result<Capacity, Problem> {
        management::capacity(&self.policies.read()?, &self.reports)
    }

    fn node(&self) -> Result<Node, Problem> {
        Ok(self.picture().node.clone())
    }

    fn prereq(&self, who: &Caller, intent: Option<&str>) -> Answer<PrereqAnswer> {
        let intent = intent.map(str::to_owned);
        self.ask(who, move |core| core.prereq(intent.as_deref()))
    }

    fn enable(&self, who: &Caller, request: &Enable) -> Answer<ManagementChanged> {
        let request = request.clone();
        self.ask_for(who, move |core, who| core.enable(who, &request))
    }

    fn set(&self, who: &Caller, request: &Set) -> Answer<ManagementChanged> {
        let request = request.clone();
        self.ask_for(who, move |core, who| core.set(who, &request))
    }

    fn disable(&self, who: &Caller, dry_run: bool) -> Answer<ManagementChanged> {
        self.ask_for(who, move |core, who| core.disable(who, dry_run))
    }

    fn intents(&self) -> Result<Vec<IntentView>, Problem> {
        let policy = self.policies.read()?;
        let (picture, nodes) = (self.picture(), self.node_states()?);
        let reports = self.reports.all()?;
        let from = self.standpoint(&picture.report.node, &nodes);
        let last_reports = from.all(&reports);
        let mut views = intents::views(&policy, &reports);
        for status in views.iter_mut().flat_map(|view| &mut view.status) {
            status.last_report = last_reports.get(&status.node).cloned();
        }
        Ok(views)
    }

    fn intent_add(&self, who: &Caller, request: &IntentAdd) -> Answer<IntentChanged> {
        let request = request.clone();
        self.ask_for(who, move |core, who| core.add_intent(who, &request))
    }

    fn intent_set(&self, who: &Caller, name: &str, request: &IntentSet) -> Answer<IntentChanged> {
        let (name, request) = (name.to_owned(), request.clone());
        self.ask_for(who, move |core, who| core.set_intent(who, &name, &request))
    }

    fn intent_remove(&self, who: &Caller, name: &str, dry_run: bool) -> Answer<IntentChanged> {
        let name = name.to_owned();
        self.ask_for(who, move |core, who| {
            core.remove_intent(who, &name, dry_run)
        })
    }

    fn vms(&self, node: Option<&str>) -> Result<Vec<VmView>, Problem> {
        let picture = self.picture();
        let own = picture.report.node.as_str();
        let policy = self.policies.read()?;
        let (mut reports, nodes) = (self.reports.all()?, self.node_states()?);
        if let Some(node) = node {
            known_node(node, own, &nodes, &reports)?;
        }
        let others = |name: &str| name != own;
        let alone = !nodes.iter().any(|node| others(&node.name))
            && !reports.iter().any(|report| others(&report.node));
        let asked = match node {
            None if alone => Some(own),
            node => node,
        };
        if let Some(node) = asked {
            vms_known(node, own, &picture.node, &reports)?;
        }
        let mut here = picture.report.vms.clone();
        let down = nodes.iter().filter(|node| node.is_down());
        let down: BTreeSet<String> = down.map(|node| node.name.clone()).collect();
        destinations::tell(&mut here, &picture.node, &policy, &reports, &down);
        reports.retain(|report| report.node != own);
        let elsewhere = vms::of_reports(reports, &self.standpoint(own, &nodes));
        let mut all: Vec<VmView> = here.into_iter().chain(elsewhere).collect();
        match node {
            Some(node) => all.retain(|vm| vm.node == node),
            None => vms::without_idle_copies(&mut all, &policy),
        }
        all.sort_by(|one, other| (&one.name, &one.node).cmp(&(&other.name, &other.node)));
        Ok(all)
    }

    fn vms_change(&self, who: &Caller, node: Option<&str>, change: &VmChange) -> Answer<VmChanged> {
        self.change_vms(who, node, change)
    }

    fn plan(&self, who: &Caller) -> Answer<PlanAnswer> {
        self.ask(who, Core::plan)
    }

    fn events(&self, node: Option<&str>, after: u64, limit: usize) -> Result<Events, Problem> {
        let events = self.journal.since_of(node, after, limit)?;
        Ok(Events { events })
    }

    fn news(&self) -> Result<News, Problem> {
        self.journal.news()
    }

    fn record_event(&self, remark: &ApiEvent) {
        let at = self.clock.now();
        let remark = remark.clone();
        let word = Word {
            who: remark.who,
            role: remark.role,
            from: remark.from,
            code: remark.code,
            ..Word::of(remark.kind, &remark.subject, remark.message)
        };
        self.journal.tell(&at, word);
    }

    fn nodes(&self) -> Result<Vec<NodeView>, Problem> {
        let policy = self.policies.read()?;
        let reports = self.reports.all()?;
        Ok(views(&self.node_states()?, &policy, &reports))
    }

    fn adapters(&self, node: Option<&str>) -> Result<Vec<AdapterSummary>, Problem> {
        let picture = self.picture();
        let own = picture.report.node.as_str();
        let (mut reports, nodes) = (self.reports.shared()?, self.node_states()?);
        if let Some(node) = node {
            known_node(node, own, &nodes, reports.iter().map(|report| &**report))?;
        }
        let here = Arc::new(picture.report.clone());
        reports.retain(|report| report.node != own);
        reports.push(here);
        reports.retain(|report| node.is_none_or(|node| report.node == node));
        if let [only] = reports.as_slice()
            && let Some(reason) = only.all_adapters.reason()
        {
            return Err(adapters::unknown(&only.node, reason));
        }
        let mut all = adapters::of_reports(&reports, &self.standpoint(own, &nodes));
        all.sort_by(|one, other| one.node.cmp(&other.node));
        Ok(all)
    }

    fn node_report(&self, node: &str) -> Result<NodeReport, Problem> {
        let picture = self.picture();
        let own = picture.report.node.as_str();
        let policy = self.policies.read()?;
        let (reports, nodes) = (self.reports.all()?, self.node_states()?);
        known_node(node, own, &nodes, &reports)?;
        let all = views(&nodes, &policy, &reports).into_iter();
        let view = all.into_iter().find(|view| view.name == node);
        let report = match node == own {
            true => Some(picture.report.clone()),
            false => reports.into_iter().find(|report| report.node == node),
        };
        let report = report.unwrap_or_else(|| Report::empty(node, ""));
        Ok(NodeReport {
            node: view.ok_or_else(|| vm_names::no_node(node, []))?,
            last_report: self.standpoint(own, &nodes).last_report(&report),
            adapters: report.all_adapters.known().cloned().unwrap_or_default(),
            intents: report.intents,
            vms: report.vms,
            faults: report.faults,
        })
    }

    fn node_drain(&self, who: &Caller, request: &NodeDrain) -> Answer<NodeDrained> {
        let request = request.clone();
        match request.dry_run {
            true => {
                let name = who.name.clone();
                self.ask(who, move |core| core.drain(&name, &request))
            }
            false => self.ask_for(who, move |core, who| core.drain(who, &request)),
        }
    }

    fn adapters_change(&self, who: &Caller, change: &AdaptersChange) -> Answer<AdaptersChanged> {
        let change = change.clone();
        self.ask_for(who, move |core, who| core.change_adapters(who, &change))
    }
}
