//! The interface of the API: the engine changes the node, and reads are answered from the newest snapshot and
//! the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use accelnet_api::types::*;
use accelnet_api::{Answer, ApiEvent, Caller, News, Service};
use accelnet_model::{AdapterSummary, Capacity, Code, Node, Problem};
use accelnet_rules::vm_names;

use super::agent::{Agent, node_exists, node_fault, vms_known};
use crate::cluster::{adapters, node_views, vms};
use crate::journal::NewEvent;
use crate::problems::node_drained;
use crate::reports::Report;
use crate::requester::Requester;
use crate::requests::{self, drain, intents, management, plan};
use crate::views;

impl Service for Agent {
    fn name(&self) -> String {
        self.newest().report.node.clone()
    }

    fn status(&self) -> Result<Status, Problem> {
        let policy = self.policies.read()?;
        let newest = self.newest();
        let nodes = self.node_states()?;
        let from = self.standpoint(&newest.report.node, &nodes);
        let mut status = views::status::status(&policy, &self.reports, &newest, &from)?;
        for node in nodes {
            let Some(since) = node.down_since else {
                continue;
            };
            if status.enabled {
                let found = format!("No heartbeat since {since}.");
                let problem = Problem::new(Code::NodeDown, &[&node.name], found);
                status.faults.push(node_fault(&node.name, &problem, since));
            }
            status.nodes_down.push(node.name);
        }
        for (node, drained, _) in &policy.drained {
            let problem = node_drained(node, drained);
            let mut fault = node_fault(node, &problem, drained.at.clone());
            fault.severity = Severity::Warning;
            status.faults.push(fault);
            status.nodes_drained.push(node.clone());
        }
        let unreadable = self.unreadable(&policy, &newest.report.node);
        status.faults.extend(unreadable);
        if let Some(cut_off) = self.cut_off() {
            let problem = cut_off.problem();
            let fault = node_fault(&newest.report.node, &problem, cut_off.since.clone());
            status.faults.push(fault);
            status.agent.cut_off_since = Some(cut_off.since);
            status.agent.cut_off_reason = Some(cut_off.found);
        }
        Ok(status)
    }

    fn capacity(&self) -> Result<Capacity, Problem> {
        views::status::capacity(&self.policies.read()?, &self.reports)
    }

    fn node(&self) -> Result<Node, Problem> {
        Ok(self.newest().snapshot.node.clone())
    }

    fn prereq(&self, who: &Caller, intent: Option<&str>) -> Answer<PrereqAnswer> {
        let intent = intent.map(str::to_owned);
        self.queue(who, move |agent| {
            management::prereq(agent, intent.as_deref())
        })
    }

    fn enable(&self, who: &Caller, request: &Enable) -> Answer<ManagementChanged> {
        let request = request.clone();
        self.change(who, move |agent, who| {
            management::enable(agent, who, &request)
        })
    }

    fn set(&self, who: &Caller, request: &Set) -> Answer<ManagementChanged> {
        let request = request.clone();
        self.change(who, move |agent, who| management::set(agent, who, &request))
    }

    fn disable(&self, who: &Caller, dry_run: bool) -> Answer<ManagementChanged> {
        self.change(who, move |agent, who| {
            management::disable(agent, who, dry_run)
        })
    }

    fn intents(&self) -> Result<Vec<IntentView>, Problem> {
        let policy = self.policies.read()?;
        let (newest, nodes) = (self.newest(), self.node_states()?);
        let reports = self.reports.all()?;
        let from = self.standpoint(&newest.report.node, &nodes);
        let last_reports = from.all(&reports);
        let mut views = views::intents::intents(&policy, &reports);
        for status in views.iter_mut().flat_map(|view| &mut view.status) {
            status.last_report = last_reports.get(&status.node).cloned();
        }
        Ok(views)
    }

    fn intent_add(&self, who: &Caller, request: &IntentAdd) -> Answer<IntentChanged> {
        let request = request.clone();
        self.change(who, move |agent, who| intents::add(agent, who, &request))
    }

    fn intent_set(&self, who: &Caller, name: &str, request: &IntentSet) -> Answer<IntentChanged> {
        let (name, request) = (name.to_owned(), request.clone());
        self.change(who, move |agent, who| {
            intents::set(agent, who, &name, &request)
        })
    }

    fn intent_remove(&self, who: &Caller, name: &str, dry_run: bool) -> Answer<IntentChanged> {
        let name = name.to_owned();
        self.change(who, move |agent, who| {
            intents::remove(agent, who, &name, dry_run)
        })
    }

    fn vms(&self, node: Option<&str>) -> Result<Vec<VmView>, Problem> {
        let newest = self.newest();
        let own = newest.report.node.as_str();
        let policy = self.policies.read()?;
        let (mut reports, nodes) = (self.reports.all()?, self.node_states()?);
        if let Some(node) = node {
            node_exists(node, own, &nodes, &reports)?;
        }
        let others = |name: &str| name != own;
        let alone = !nodes.iter().any(|node| others(&node.name))
            && !reports.iter().any(|report| others(&report.node));
        let shown = match node {
            None if alone => Some(own),
            node => node,
        };
        if let Some(node) = shown {
            vms_known(node, own, &newest.snapshot.node, &reports)?;
        }
        let mut here = newest.report.vms.clone();
        let down = nodes.iter().filter(|node| node.is_down());
        let down: BTreeSet<String> = down.map(|node| node.name.clone()).collect();
        views::destinations::add(&mut here, &newest.snapshot.node, &policy, &reports, &down);
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
        self.queue(who, plan::plan)
    }

    fn events(&self, node: Option<&str>, after: u64, limit: usize) -> Result<Events, Problem> {
        let events = self.journal.since(node, after, limit)?;
        Ok(Events { events })
    }

    fn news(&self) -> Result<News, Problem> {
        self.journal.news()
    }

    fn record_event(&self, remark: &ApiEvent) {
        let at = self.clock.now();
        let remark = remark.clone();
        let event = NewEvent {
            who: remark.who,
            role: remark.role,
            from: remark.from,
            code: remark.code,
            ..NewEvent::of(remark.kind, &remark.subject, remark.message)
        };
        self.journal.record(&at, event);
    }

    fn nodes(&self) -> Result<Vec<NodeView>, Problem> {
        let policy = self.policies.read()?;
        let reports = self.reports.all()?;
        Ok(node_views::views(&self.node_states()?, &policy, &reports))
    }

    fn adapters(&self, node: Option<&str>) -> Result<Vec<AdapterSummary>, Problem> {
        let newest = self.newest();
        let own = newest.report.node.as_str();
        let (mut reports, nodes) = (self.reports.shared()?, self.node_states()?);
        if let Some(node) = node {
            node_exists(node, own, &nodes, reports.iter().map(|report| &**report))?;
        }
        let here = Arc::new(newest.report.clone());
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
        let newest = self.newest();
        let own = newest.report.node.as_str();
        let policy = self.policies.read()?;
        let (reports, nodes) = (self.reports.all()?, self.node_states()?);
        node_exists(node, own, &nodes, &reports)?;
        let all = node_views::views(&nodes, &policy, &reports).into_iter();
        let view = all.into_iter().find(|view| view.name == node);
        let report = match node == own {
            true => Some(newest.report.clone()),
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
                let requester = Requester::of(who, None);
                self.queue(who, move |agent| drain::drain(agent, &requester, &request))
            }
            false => self.change(who, move |agent, who| drain::drain(agent, who, &request)),
        }
    }

    fn adapters_change(&self, who: &Caller, change: &AdaptersChange) -> Answer<AdaptersChanged> {
        let change = change.clone();
        self.change(who, move |agent, who| {
            requests::adapters::change(agent, who, &change)
        })
    }
}
