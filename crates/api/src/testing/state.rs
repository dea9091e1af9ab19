//! What the agent in memory has, and what it was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use accelnet_model::domain::DomainState;
use accelnet_model::intent::{Intent, IntentState, IntentStatus};
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Management, Node, Performance, Problem};
use accelnet_rules::vm_names;
use serde::Serialize;
use tokio::sync::watch;

use super::samples::{self, NODE, NOW, step};
use crate::types::*;
use crate::{ApiEvent, Caller};

/// An agent in memory.
#[derive(Debug)]
pub struct Fake {
    inner: Mutex<Inner>,
    /// Notified of every event.
    pub(super) happened: watch::Sender<u64>,
}

/// What it has.
#[derive(Debug)]
pub(super) struct Inner {
    pub asked: Vec<String>,
    pub management: Management,
    pub intents: Vec<Intent>,
    pub vms: Vec<VmView>,
    pub others: Vec<NodeReport>,
    pub events: Vec<Event>,
    pub node: Node,
    /// Other nodes, and how often each is read before it has applied an intent.
    pub late: Vec<(String, u32)>,
    /// Intents that were removed, of which the other nodes are read as often.
    pub removed: Vec<String>,
    /// Whether the settings were changed, for which the other nodes are read as often.
    pub resettled: bool,
    /// Whether its node is drained.
    pub drained: bool,
    pub fails: Option<Problem>,
}

impl Default for Fake {
    /// No intent, no VM, management off.
    fn default() -> Self {
        Fake {
            inner: Mutex::new(Inner {
                asked: Vec::new(),
                management: Management::default(),
                intents: Vec::new(),
                vms: Vec::new(),
                others: Vec::new(),
                events: Vec::new(),
                node: samples::node(),
                late: Vec::new(),
                removed: Vec::new(),
                resettled: false,
                drained: false,
                fails: None,
            }),
            happened: watch::Sender::new(0),
        }
    }
}

impl Fake {
    /// One that has these intents, with one adapter each.
    pub fn intents(self, intents: &[Intent]) -> Self {
        self.inner().intents = intents.to_vec();
        self
    }

    /// One that has VMs with these names.
    pub fn vms(self, names: &[&str]) -> Self {
        self.inner().vms = names
            .iter()
            .enumerate()
            .map(|(at, name)| vm(at, name))
            .collect();
        self
    }

    /// One whose cluster has another node, with VMs that have these names.
    pub fn other(self, report: NodeReport, names: &[&str]) -> Self {
        let mut inner = self.inner();
        let first = inner.vms.len() + inner.others.len() * 16;
        let vms = names.iter().enumerate().map(|(at, name)| VmView {
            node: report.node.name.clone(),
            last_report: report.last_report.clone(),
            ..vm(first + at, name)
        });
        let vms = vms.collect();
        inner.others.push(NodeReport { vms, ..report });
        drop(inner);
        self
    }

    /// One whose management is enabled on `intent`.
    pub fn enabled(self, intent: &str) -> Self {
        let mut inner = self.inner();
        inner.management.enabled = true;
        inner.management.intent = Some(intent.to_owned());
        drop(inner);
        self
    }

    /// One with another node, which is read so often before it has applied a change.
    pub fn beside(self, node: &str, reads: u32) -> Self {
        self.inner().late.push((node.to_owned(), reads));
        self
    }

    /// One that answers everything with `problem`.
    pub fn failing(self, problem: Problem) -> Self {
        self.inner().fails = Some(problem);
        self
    }

    /// What it was asked to change, since this was last called: the name of the call, and the
    /// request as JSON.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().asked)
    }

    /// How many wait for something to happen.
    pub fn waiting(&self) -> usize {
        self.happened.receiver_count()
    }

    /// Something happens.
    pub fn happens(&self, kind: EventKind, subject: &str, message: &str) {
        let mut inner = self.inner();
        inner.happens(&ApiEvent {
            kind,
            who: None,
            role: None,
            from: None,
            subject: subject.to_owned(),
            message: message.to_owned(),
            code: None,
        });
        drop(inner);
        self.happened.send_modify(|times| *times += 1);
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        // A test that panicked is reported by itself.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has, unless it fails.
    pub(super) fn reads(&self) -> Result<MutexGuard<'_, Inner>, Problem> {
        let inner = self.inner();
        match &inner.fails {
            Some(problem) => Err(problem.clone()),
            None => Ok(inner),
        }
    }

    /// The same for a change, which is kept.
    pub(super) fn changes(
        &self,
        _who: &Caller,
        call: &str,
        request: &impl Serialize,
    ) -> Result<MutexGuard<'_, Inner>, Problem> {
        let mut inner = self.reads()?;
        let request = serde_json::to_string(request).unwrap_or_default();
        inner.asked.push(format!("{call} {request}"));
        Ok(inner)
    }
}

impl Inner {
    pub fn happens(&mut self, remark: &ApiEvent) {
        let number = u64::try_from(self.events.len()).unwrap_or(0) + 1;
        self.events.push(Event {
            number,
            at: NOW.to_owned(),
            node: NODE.to_owned(),
            kind: remark.kind,
            subject: remark.subject.clone(),
            message: remark.message.clone(),
            user: remark.who.clone(),
            role: remark.role,
            origin: remark.from.clone(),
            code: remark.code,
            outcomes: Vec::new(),
            omitted_outcomes: 0,
        });
    }

    pub fn view(intent: &Intent) -> IntentView {
        IntentView {
            revision: 1,
            switch_network: intent.switch_network(),
            pool_network: intent.pool_network(),
            status: vec![IntentStatus {
                intent: intent.name.to_string(),
                node: NODE.to_owned(),
                state: IntentState::Completed,
                intent_revision: 1,
                since: NOW.to_owned(),
                verified_at: Some(NOW.to_owned()),
                adapters: Vec::new(),
                bridge: Some(intent.bridge_name()),
                vfs: intent.vfs.unwrap_or(7),
                problem: None,
                other_problems: Vec::new(),
                warnings: Vec::new(),
                last_report: None,
            }],
            intent: intent.clone(),
        }
    }

    /// The same with the status of the other nodes.
    pub fn viewed(&mut self, intent: &Intent) -> IntentView {
        let mut view = Inner::view(intent);
        for (node, reads) in &mut self.late {
            let mut status = view.status[0].clone();
            status.node.clone_from(node);
            if *reads > 0 {
                *reads -= 1;
                status.state = IntentState::Pending;
            }
            view.status.push(status);
        }
        view
    }

    /// The other nodes that take their time.
    pub fn late_nodes(&mut self) -> Vec<NodeView> {
        let (removed, resettled) = (self.removed.clone(), self.resettled);
        let views = self.late.iter_mut().map(|(node, reads)| {
            let is_late = *reads > 0;
            *reads = reads.saturating_sub(1);
            NodeView {
                removed_intents: if is_late { removed.clone() } else { Vec::new() },
                settings_pending: is_late && resettled,
                ..samples::up(node)
            }
        });
        views.collect()
    }

    pub fn accelerated(&self) -> Vec<(Performance, u32)> {
        Performance::ALL
            .into_iter()
            .map(|setting| {
                let has = |vm: &&VmView| vm.performance == Some(setting);
                let count = self.vms.iter().filter(has).count();
                (setting, u32::try_from(count).unwrap_or(u32::MAX))
            })
            .collect()
    }
}

/// A running VM with one vNIC on the virtual switch.
fn vm(at: usize, name: &str) -> VmView {
    let last = u8::try_from(at).unwrap_or(u8::MAX);
    VmView {
        name: name.to_owned(),
        uuid: format!("2f6a5b1c-0000-4000-8000-0000000000{last:02x}")
            .parse()
            .expect("a UUID"),
        node: NODE.to_owned(),
        state: DomainState::Running,
        vcpus: 4,
        acceleration: State::NotAccelerated,
        performance: None,
        phase: None,
        path: Path::Software,
        adapter: None,
        vf: None,
        vnics: vec![VnicView {
            mac: Some(accelnet_model::Mac([0x52, 0x54, 0, 0, 0, last])),
            model: "virtio".to_owned(),
            source: Some("acn-MyIntent".to_owned()),
            on_intent_switch: true,
            role: None,
        }],
        security: None,
        vnic_settings: Vec::new(),
        verified: Vec::new(),
        conditions: Vec::new(),
        destinations: Vec::new(),
        last_report: None,
    }
}

impl Inner {
    /// A drained node is the only thing that is wrong with it.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let problem = Problem::new(Code::NodeDrained, &[NODE], "root drained it.");
        let fault = Fault::new(Severity::Warning, (NODE, NODE), &problem, NOW);
        self.drained.then_some(fault).into_iter().collect()
    }

    pub(super) fn must_be_enabled(&self) -> Result<(), Problem> {
        match self.management.enabled {
            true => Ok(()),
            false => Err(Problem::new(
                Code::ManagementDisabled,
                &[],
                "It was never enabled.",
            )),
        }
    }

    pub(super) fn manage(&mut self, to: Management, dry_run: bool) -> ManagementChanged {
        let before = Some(self.management.clone());
        if !dry_run {
            self.management = to.clone();
            self.resettled = true;
        }
        ManagementChanged {
            management: to,
            applied: !dry_run,
            steps: vec![step(
                "cluster",
                "change the settings of Accelerated Networking",
            )],
            warnings: Vec::new(),
            previous: before,
        }
    }

    /// The results of one name.
    pub(super) fn vm(
        &mut self,
        typed: &str,
        setting: Option<Performance>,
        dry_run: bool,
    ) -> Vec<VmResult> {
        let called = |vm: &VmView| (vm.name.clone(), vm.node.clone());
        let names: Vec<(String, String)> = self.vms.iter().map(called).collect();
        let mut results = Vec::new();
        for vm in vm_names::matching(typed, &mut self.vms, |vm| (&vm.name, &vm.uuid)) {
            let unchanged = vm.performance == setting;
            if !dry_run {
                vm.performance = setting;
                vm.phase = setting.map(|_| Phase::Enabled);
                vm.acceleration = match setting {
                    Some(_) => State::Accelerated,
                    None => State::NotAccelerated,
                };
                vm.path = match setting {
                    Some(_) => Path::Vf,
                    None => Path::Software,
                };
            }
            results.push(VmResult {
                name: vm.name.clone(),
                node: Some(vm.node.clone()),
                ok: true,
                unchanged,
                message: match setting {
                    Some(setting) => format!("{setting}, over its VF."),
                    None => "On its software path.".to_owned(),
                },
                waits_for_restart: false,
                vm: Some(vm.clone()),
                problem: None,
                warnings: Vec::new(),
                steps: Vec::new(),
            });
        }
        if results.is_empty() {
            let names = names.iter().map(|(name, node)| (&**name, &**node));
            let problem = vm_names::not_found(typed, None, names);
            results.push(VmResult {
                name: typed.to_owned(),
                node: None,
                ok: false,
                unchanged: false,
                message: problem.message.clone(),
                waits_for_restart: false,
                vm: None,
                problem: Some(problem),
                warnings: Vec::new(),
                steps: Vec::new(),
            });
        }
        results
    }
}
