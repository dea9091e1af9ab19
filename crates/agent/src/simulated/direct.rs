//! An agent that is called directly, without its engine and its doors: for tests and benchmarks.

use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::*;
use accelnet_host::vms::VmEvent;
use accelnet_model::{Node, Problem};
use accelnet_netlink::FdbEvent;
use accelnet_store::Store;

use crate::cluster::link::Link;
use crate::edge::Edge;
use crate::observed::observer;
use crate::orders::carry_out_all;
use crate::reconcilers::Reconcilers;
use crate::reports::Report;
use crate::requester::Requester;
use crate::requests::vms::Scope;
use crate::requests::{adapters, drain, intents, management, plan, vms};
use crate::responder::Responder;

/// An agent.
pub struct DirectAgent(Reconcilers);

impl DirectAgent {
    /// The agent of the node called `node`.
    pub fn new(edge: Box<dyn Edge>, store: Arc<dyn Store>, node: &str) -> Self {
        let node = node.parse().expect("the name of a node");
        DirectAgent(Reconcilers::new(edge, store, node))
    }

    /// The store is reached over `link`.
    pub fn connect(&mut self, link: Arc<Link>) {
        self.0.connect(link);
    }

    /// Runs a request of `who`, and writes the report.
    fn request<T>(
        &mut self,
        who: &str,
        request: impl FnOnce(&mut Reconcilers, &Requester) -> T,
    ) -> T {
        let done = request(&mut self.0, &Requester::named(who));
        self.0.ctx.reports.write();
        done
    }
}

/// The methods of an agent; each has the errors of its request.
#[expect(missing_docs, reason = "each is the request of that name")]
impl DirectAgent {
    pub fn reconcile(&mut self) -> Result<(), Problem> {
        self.0.reconcile()
    }

    pub fn change_vms(&mut self, who: &str, change: &VmChange) -> Result<VmChanged, Problem> {
        self.request(who, |agent, who| {
            vms::change(agent, who, Scope::Cluster, change)
        })
    }

    pub fn add_intent(&mut self, who: &str, request: &IntentAdd) -> Result<IntentChanged, Problem> {
        self.request(who, |agent, who| intents::add(agent, who, request))
    }

    pub fn set_intent(
        &mut self,
        who: &str,
        name: &str,
        request: &IntentSet,
    ) -> Result<IntentChanged, Problem> {
        self.request(who, |agent, who| intents::set(agent, who, name, request))
    }

    pub fn remove_intent(
        &mut self,
        who: &str,
        name: &str,
        dry_run: bool,
    ) -> Result<IntentChanged, Problem> {
        self.request(who, |agent, who| intents::remove(agent, who, name, dry_run))
    }

    pub fn enable(&mut self, who: &str, request: &Enable) -> Result<ManagementChanged, Problem> {
        self.request(who, |agent, who| management::enable(agent, who, request))
    }

    pub fn set(&mut self, who: &str, request: &Set) -> Result<ManagementChanged, Problem> {
        self.request(who, |agent, who| management::set(agent, who, request))
    }

    pub fn disable(&mut self, who: &str, dry_run: bool) -> Result<ManagementChanged, Problem> {
        self.request(who, |agent, who| management::disable(agent, who, dry_run))
    }

    pub fn drain(&mut self, who: &str, request: &NodeDrain) -> Result<NodeDrained, Problem> {
        self.request(who, |agent, who| drain::drain(agent, who, request))
    }

    pub fn change_adapters(
        &mut self,
        who: &str,
        change: &AdaptersChange,
    ) -> Result<AdaptersChanged, Problem> {
        self.request(who, |agent, who| adapters::change(agent, who, change))
    }

    pub fn plan(&mut self) -> Result<PlanAnswer, Problem> {
        plan::plan(&mut self.0)
    }

    pub fn prereq(&mut self, intent: Option<&str>) -> Result<PrereqAnswer, Problem> {
        management::prereq(&mut self.0, intent)
    }

    pub fn node(&self) -> Node {
        observer::all(&self.0.ctx).node.clone()
    }

    pub fn report(&self) -> Report {
        self.0.publication().newest().report.clone()
    }

    pub fn applied_revision(&self) -> u64 {
        self.0.publication().newest().applied_revision
    }

    pub fn responder(&self) -> Responder {
        self.0.ctx.responder.clone()
    }

    pub fn carry_out_orders(&mut self) {
        carry_out_all(&mut self.0);
        self.0.ctx.reports.write();
    }

    pub fn check_paths(&mut self) -> bool {
        self.0.check_paths()
    }

    pub fn vnics_have_changed(&mut self) -> bool {
        let Reconcilers { ctx, vms, .. } = &mut self.0;
        vms.vnics.have_changed(ctx)
    }

    pub fn address_event(&mut self, event: FdbEvent) {
        self.0.address_event(&event);
    }

    pub fn sender_event(&mut self, mac: accelnet_model::Mac) {
        let now = self.0.ctx.uptime();
        self.0.vms.paths.sender_event(mac, now);
    }

    pub fn guest_event(&mut self, event: &VmEvent) {
        match event {
            VmEvent::Rebooted { uuid } => self.0.guest_rebooted(uuid),
            VmEvent::FailoverNegotiated { uuid, .. } => {
                self.0.vms.paths.failover_negotiated(uuid);
            }
            _ => {}
        }
    }

    pub fn vm_resumed(&mut self, uuid: &str) {
        self.0.vm_resumed(uuid);
    }

    pub fn next_filter(&self) -> Option<Duration> {
        self.0.vms.bridge.filter.due()
    }

    pub fn apply_filter(&mut self) {
        let Reconcilers { ctx, vms, .. } = &mut self.0;
        vms.bridge.filter.apply(ctx);
    }
}
