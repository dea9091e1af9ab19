//! What the agent in memory answers.

use accelnet_model::capacity::{Capacity, MoreVms, NodeCapacity, Share};
use accelnet_model::check::Outcome;
use accelnet_model::{AdapterSummary, Code, Intent, Node, Performance, Problem};
use accelnet_rules::{adapter_summary, intent, management, vm_names};

use super::Fake;
use super::samples::{NODE, NOW, declared, drained, passed, step, up};
use super::state::Inner;
use crate::service::{Answer, News, answered};
use crate::types::*;
use crate::{ApiEvent, Caller, Service};

impl Service for Fake {
    fn name(&self) -> String {
        NODE.to_owned()
    }

    fn status(&self) -> Result<Status, Problem> {
        let inner = self.reads()?;
        let management = &inner.management;
        let any = inner.vms.iter().any(|vm| vm.performance.is_some());
        Ok(Status {
            enabled: management.enabled,
            intent: management.intent.clone(),
            node_reserve_percentage: management.node_reserve_percentage,
            performance: management.performance,
            nodes: 1,
            reserved_nodes: 0,
            node_failures_survived: any.then_some(0),
            failover_capacity_ok: true,
            adapters: Vec::new(),
            accelerated_vms: inner.accelerated(),
            faults: {
                let others = inner.others.iter().flat_map(|other| other.faults.clone());
                inner.faults().into_iter().chain(others).collect()
            },
            agent: AgentInfo {
                node: NODE.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                simulated: true,
                observed_at: NOW.to_owned(),
                observed_seconds_ago: 0,
                policy_revision: 1,
                applied_revision: 1,
                cut_off_since: None,
                cut_off_reason: None,
            },
            nodes_down: Vec::new(),
            nodes_drained: match inner.drained {
                true => vec![NODE.to_owned()],
                false => Vec::new(),
            },
        })
    }

    fn capacity(&self) -> Result<Capacity, Problem> {
        let inner = self.reads()?;
        let share = |total, promised| Share {
            total: Some(total),
            in_use: promised,
            allocated: promised,
            free: Some(total - promised),
            unavailable: Some(0),
        };
        let vms = inner.vms.iter().filter(|vm| vm.performance.is_some());
        let vms = u32::try_from(vms.count()).unwrap_or(u32::MAX).min(7);
        Ok(Capacity {
            node_reserve_percentage: inner.management.node_reserve_percentage,
            survives_nodes: 0,
            failover_capacity_ok: true,
            problem: None,
            node_failures_survived: Some(0),
            largest_reserve: Some(99),
            additional_vms: MoreVms {
                low: 7 - vms,
                medium: 7 - vms,
                high: 7 - vms,
            },
            nodes: vec![NodeCapacity {
                node: NODE.to_owned(),
                down: false,
                vfs: share(7, vms),
                queue_pairs: share(28, vms * 4),
            }],
            answers: Vec::new(),
        })
    }

    fn node(&self) -> Result<Node, Problem> {
        Ok(self.reads()?.node.clone())
    }

    fn intents(&self) -> Result<Vec<IntentView>, Problem> {
        let mut inner = self.reads()?;
        let intents = inner.intents.clone();
        let others = inner.others.clone().into_iter();
        let others: Vec<_> = others.flat_map(|other| other.intents).collect();
        let views = intents.iter().map(|intent| {
            let mut view = inner.viewed(intent);
            let of_it = others
                .iter()
                .filter(|status| *intent.name == *status.intent);
            view.status.extend(of_it.cloned());
            view
        });
        Ok(views.collect())
    }

    fn vms(&self, node: Option<&str>) -> Result<Vec<VmView>, Problem> {
        if let Some(node) = node {
            drop(self.node_report(node)?);
        }
        let inner = self.reads()?;
        let others = inner.others.iter().flat_map(|other| &other.vms);
        let all = inner.vms.iter().chain(others);
        let meant = all.filter(|vm| node.is_none_or(|node| vm.node == node));
        Ok(meant.cloned().collect())
    }

    fn adapters(&self, node: Option<&str>) -> Result<Vec<AdapterSummary>, Problem> {
        let inner = self.reads()?;
        let own = adapter_summary::all(&inner.node, NODE);
        let others = inner.others.iter().flat_map(|other| &other.adapters);
        let all = own.known().into_iter().flatten().chain(others);
        let meant = all.filter(|adapter| node.is_none_or(|node| adapter.node == node));
        Ok(meant.cloned().collect())
    }

    fn node_report(&self, node: &str) -> Result<NodeReport, Problem> {
        let mut others = self.reads()?.others.clone().into_iter();
        if let Some(mut other) = others.find(|other| other.node.name == node) {
            for vm in &mut other.vms {
                vm.last_report = None;
            }
            return Ok(other);
        }
        let all = self.nodes()?;
        let names: Vec<String> = all.iter().map(|node| node.name.clone()).collect();
        let view = all.into_iter().find(|view| view.name == node);
        Ok(NodeReport {
            node: view.ok_or_else(|| vm_names::no_node(node, names.iter().map(String::as_str)))?,
            last_report: None,
            adapters: self.adapters(Some(node))?,
            intents: Vec::new(),
            vms: self.reads()?.vms.clone(),
            faults: Vec::new(),
        })
    }

    fn nodes(&self) -> Result<Vec<NodeView>, Problem> {
        let mut inner = self.reads()?;
        let others = inner.others.clone();
        let late = match inner.removed.is_empty() && !inner.resettled {
            true => Vec::new(),
            false => inner.late_nodes(),
        };
        let own = NodeView {
            drained: inner.drained.then(drained),
            ..up(NODE)
        };
        let others = others.into_iter().map(|other| other.node);
        Ok(std::iter::once(own).chain(others).chain(late).collect())
    }

    fn record_event(&self, remark: &ApiEvent) {
        self.inner().happens(remark);
        self.happened.send_modify(|times| *times += 1);
    }

    fn events(&self, node: Option<&str>, after: u64, limit: usize) -> Result<Events, Problem> {
        let inner = self.reads()?;
        let is_of = |event: &Event| node.is_none_or(|node| event.node == node);
        let new = inner
            .events
            .iter()
            .filter(|event| event.number > after && is_of(event));
        let mut newest: Vec<Event> = new.rev().take(limit).cloned().collect();
        newest.reverse();
        Ok(Events { events: newest })
    }

    fn news(&self) -> Result<News, Problem> {
        Ok(self.happened.subscribe())
    }

    fn prereq(&self, _: &Caller, name: Option<&str>) -> Answer<PrereqAnswer> {
        answered(self.answer_prereq(name))
    }

    fn enable(&self, who: &Caller, request: &Enable) -> Answer<ManagementChanged> {
        answered(self.answer_enable(who, request))
    }

    fn set(&self, who: &Caller, request: &Set) -> Answer<ManagementChanged> {
        answered(self.answer_set(who, request))
    }

    fn disable(&self, who: &Caller, dry_run: bool) -> Answer<ManagementChanged> {
        answered(self.answer_disable(who, dry_run))
    }

    fn intent_add(&self, who: &Caller, request: &IntentAdd) -> Answer<IntentChanged> {
        answered(self.answer_intent_add(who, request))
    }

    fn intent_set(&self, who: &Caller, name: &str, request: &IntentSet) -> Answer<IntentChanged> {
        answered(self.answer_intent_set(who, name, request))
    }

    fn intent_remove(&self, who: &Caller, name: &str, dry_run: bool) -> Answer<IntentChanged> {
        answered(self.answer_intent_remove(who, name, dry_run))
    }

    fn vms_change(&self, who: &Caller, _: Option<&str>, change: &VmChange) -> Answer<VmChanged> {
        answered(self.answer_vms_change(who, change))
    }

    fn adapters_change(&self, who: &Caller, change: &AdaptersChange) -> Answer<AdaptersChanged> {
        answered(self.answer_adapters_change(who, change))
    }

    fn node_drain(&self, who: &Caller, request: &NodeDrain) -> Answer<NodeDrained> {
        answered(self.answer_node_drain(who, request))
    }

    fn plan(&self, _: &Caller) -> Answer<PlanAnswer> {
        answered(self.answer_plan())
    }
}

impl Fake {
    fn answer_prereq(&self, name: Option<&str>) -> Result<PrereqAnswer, Problem> {
        let inner = self.reads()?;
        let subject = name.unwrap_or(NODE);
        let mut check = passed(subject);
        if let Some(problem) = name.and_then(|name| intent::find(name, &inner.intents).err()) {
            check.passed = false;
            check.outcome = Outcome::Failed;
            check.message = problem.message;
            check.code = Some(problem.code);
            check.found = problem.found;
            check.needed = problem.needed;
            check.resolution = problem.resolution;
        }
        Ok(PrereqAnswer {
            passed: check.passed,
            observed_at: NOW.to_owned(),
            checks: vec![check],
        })
    }

    fn answer_enable(&self, who: &Caller, request: &Enable) -> Result<ManagementChanged, Problem> {
        let mut inner = self.changes(who, "enable", request)?;
        intent::must_be_compute(intent::find(&request.intent, &inner.intents)?)?;
        let mut management = inner.management.clone();
        management.enabled = true;
        management.intent = Some(request.intent.clone());
        if let Some(reserve) = request.node_reserve_percentage {
            management.node_reserve_percentage = management::reserve_number(reserve)?;
        }
        management.performance = request.performance.unwrap_or_default();
        Ok(inner.manage(management, request.dry_run))
    }

    fn answer_set(&self, who: &Caller, request: &Set) -> Result<ManagementChanged, Problem> {
        let mut inner = self.changes(who, "set", request)?;
        inner.must_be_enabled()?;
        let mut management = inner.management.clone();
        if let Some(name) = &request.intent {
            intent::must_be_compute(intent::find(name, &inner.intents)?)?;
            management.intent = Some(name.clone());
        }
        if let Some(reserve) = request.node_reserve_percentage {
            management.node_reserve_percentage = management::reserve_number(reserve)?;
        }
        if let Some(figures) = request.performance {
            management.performance = figures;
        }
        Ok(inner.manage(management, request.dry_run))
    }

    fn answer_disable(&self, who: &Caller, dry_run: bool) -> Result<ManagementChanged, Problem> {
        let mut inner = self.changes(who, "disable", &dry_run)?;
        let mut management = inner.management.clone();
        management.enabled = false;
        Ok(inner.manage(management, dry_run))
    }

    fn answer_intent_add(
        &self,
        who: &Caller,
        request: &IntentAdd,
    ) -> Result<IntentChanged, Problem> {
        let mut inner = self.changes(who, "intent_add", request)?;
        let intent = Intent {
            name: request.name.parse().map_err(|_| {
                Problem::new(Code::IntentInvalid, &[&request.name], "It is no name.")
            })?,
            roles: request.roles.clone(),
            adapters: request.adapters.clone(),
            vfs: request.vfs,
            security: accelnet_model::VfSecurity::default(),
        };
        if !request.dry_run {
            inner.intents.push(intent.clone());
        }
        Ok(declared(Some(inner.viewed(&intent)), request.dry_run))
    }

    fn answer_intent_set(
        &self,
        who: &Caller,
        name: &str,
        request: &IntentSet,
    ) -> Result<IntentChanged, Problem> {
        let mut inner = self.changes(who, &format!("intent_set {name}"), request)?;
        let mut intent = intent::find(name, &inner.intents)?.clone();
        if let Some(roles) = &request.roles {
            intent.roles.clone_from(roles);
        }
        if let Some(adapters) = &request.adapters {
            intent.adapters.clone_from(adapters);
        }
        if let Some(vfs) = request.vfs {
            intent.vfs = (vfs > 0).then_some(vfs);
        }
        let view = inner.viewed(&intent);
        if !request.dry_run {
            inner.intents.retain(|other| other.name != name);
            inner.intents.push(intent);
        }
        Ok(declared(Some(view), request.dry_run))
    }

    fn answer_intent_remove(
        &self,
        who: &Caller,
        name: &str,
        dry_run: bool,
    ) -> Result<IntentChanged, Problem> {
        let mut inner = self.changes(who, &format!("intent_remove {name}"), &dry_run)?;
        let view = Inner::view(intent::find(name, &inner.intents)?);
        if !dry_run {
            inner.intents.retain(|other| other.name != name);
            inner.removed.push(name.to_owned());
        }
        Ok(declared(dry_run.then_some(view), dry_run))
    }

    fn answer_vms_change(&self, who: &Caller, change: &VmChange) -> Result<VmChanged, Problem> {
        let (mut inner, names, setting, dry_run) = match change {
            VmChange::Enable(request) => (
                self.changes(who, "vm_enable", request)?,
                &request.names,
                Some(request.performance),
                request.dry_run,
            ),
            VmChange::Set(request) => (
                self.changes(who, "vm_set", request)?,
                &request.names,
                request.performance.or(Some(Performance::Low)),
                request.dry_run,
            ),
            VmChange::Disable(request) => (
                self.changes(who, "vm_disable", request)?,
                &request.names,
                None,
                request.dry_run,
            ),
        };
        inner.must_be_enabled()?;
        let results: Vec<VmResult> = names
            .iter()
            .flat_map(|typed| inner.vm(typed, setting, dry_run))
            .collect();
        Ok(VmChanged {
            ok: results.iter().all(|result| result.ok),
            results,
        })
    }

    fn answer_adapters_change(
        &self,
        who: &Caller,
        change: &AdaptersChange,
    ) -> Result<AdaptersChanged, Problem> {
        drop(self.changes(who, "adapters", change)?);
        let names = match change.names.as_slice() {
            [] => vec!["ens1".to_owned()],
            names => names.to_vec(),
        };
        Ok(AdaptersChanged {
            ok: true,
            results: names
                .into_iter()
                .map(|name| AdapterResult {
                    name,
                    ok: true,
                    message: "7 VFs created and ready.".to_owned(),
                    problem: None,
                    steps: Vec::new(),
                })
                .collect(),
        })
    }

    fn answer_node_drain(&self, who: &Caller, request: &NodeDrain) -> Result<NodeDrained, Problem> {
        let mut inner = self.changes(who, "drain", request)?;
        let unchanged = inner.drained != request.undrain;
        if !request.dry_run {
            inner.drained = !request.undrain;
        }
        Ok(NodeDrained {
            node: request.node.to_string(),
            drained: !request.undrain,
            applied: !request.dry_run,
            unchanged,
            vms: vec![DrainVm {
                name: "web1".to_owned(),
                can_migrate: true,
                has_vf: request.dry_run,
                reason: "its VF is taken away, and its traffic goes over virtio".to_owned(),
            }],
        })
    }

    fn answer_plan(&self) -> Result<PlanAnswer, Problem> {
        drop(self.reads()?);
        Ok(PlanAnswer {
            observed_at: NOW.to_owned(),
            policy_revision: 1,
            steps: vec![step("MyIntent", "create 7 VFs")],
            blocked: Vec::new(),
            warnings: Vec::new(),
        })
    }
}
