//! What an action needs of the agent: the edge of the node, the store and the events. It has no state of a
//! reconciler.

use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_model::{NodeName, Problem};
use accelnet_store::Store;

use crate::cluster::nodes::Nodes;
use crate::edge::Edge;
use crate::filter_ledger::Ledger;
use crate::journal::{Journal, NewEvent};
use crate::orders::Orders;
use crate::policy::PolicyStore;
use crate::reports::Reports;
use crate::responder::Responder;

/// The agent's access to its node and its store.
pub(crate) struct Context {
    pub edge: Box<dyn Edge>,
    /// Name of the node.
    pub node: NodeName,
    pub policies: PolicyStore,
    pub journal: Journal,
    pub reports: Arc<Reports>,
    pub nodes: Nodes,
    pub orders: Orders,
    /// What handles live migrations while the engine is busy.
    pub responder: Responder,
    /// Filter entries that the agent and the responder added.
    pub ledger: Ledger,
    /// Whether libvirt may be called: its own start waits for the agent.
    pub libvirt_is_ready: bool,
}

impl Context {
    /// The context of the node called `node`.
    pub fn new(edge: Box<dyn Edge>, store: Arc<dyn Store>, node: NodeName) -> Self {
        let hook_configs = edge.hook_configs().to_owned();
        let ledger = Ledger::open(hook_configs.with_file_name("filter.json"));
        let journal = Journal::new(store.clone(), &node).with_journald(edge.journald());
        Context {
            responder: Responder::new(edge.responder_links(), hook_configs, ledger.clone()),
            policies: PolicyStore::new(store.clone(), &node),
            nodes: Nodes::new(store.clone(), &node),
            orders: Orders::new(store.clone(), &node),
            reports: Arc::new(Reports::new(store, &node)),
            libvirt_is_ready: true,
            journal,
            ledger,
            edge,
            node,
        }
    }

    /// The time, RFC 3339, UTC.
    pub fn now(&self) -> String {
        self.edge.host().clock.now()
    }

    /// The time on the clock that never goes back.
    pub fn uptime(&self) -> Duration {
        self.edge.host().clock.uptime()
    }

    /// Passes a failpoint, where tests kill the agent.
    pub fn failpoint(&self, step: &str) {
        tracing::debug!(step);
        self.edge.failpoint(step);
    }

    /// Records an event that nobody requested.
    pub fn record(&self, kind: EventKind, subject: &str, message: impl Into<String>) {
        let event = NewEvent::of(kind, subject, message);
        self.journal.record(&self.now(), event);
    }

    /// Records an event with the code of a problem.
    pub fn record_problem(&self, kind: EventKind, subject: &str, problem: &Problem) {
        let cause = problem.cause.iter().map(|cause| format!(" ({cause})"));
        let cause: String = cause.collect();
        let event = NewEvent {
            code: Some(problem.code),
            ..NewEvent::of(
                kind,
                subject,
                format!("{} {}{cause}", problem.message, problem.found),
            )
        };
        self.journal.record(&self.now(), event);
    }
}
