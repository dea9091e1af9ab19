//! What an agent does with requests.

use std::pin::Pin;

use accelnet_model::intent::IntentStatus;
use accelnet_model::{AdapterSummary, Capacity, Code, Management, Node, Problem};
use accelnet_rules::vm_names;
use tokio::sync::watch;

use crate::Role;
use crate::types::*;

/// Header of an answer that names the node whose agent answers: times of its rows are by the same clock as `Date`.
pub const NODE_HEADER: &str = "accelnet-node";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name, for the log: "root", "anna (uid 1000)", "CN=anna,OU=accelnet-operator".
    pub name: String,
    /// What is permitted.
    pub role: Role,
    /// From where.
    pub from: Origin,
}

/// A refusal before a request reached the [`Service`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiEvent {
    /// What kind.
    pub kind: EventKind,
    /// Who it was; none when that cannot be determined.
    pub who: Option<String>,
    /// Its role; none when that cannot be determined.
    pub role: Option<Role>,
    /// From where; none without a client.
    pub from: Option<Origin>,
    /// What it is about.
    pub subject: String,
    /// What happened, a sentence.
    pub message: String,
    /// Code, if the request was refused or failed.
    pub code: Option<Code>,
}

/// An answer that takes a while. Waiting for it takes no thread; a request that has not begun when it is
/// dropped is not begun.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send>>;

/// An answer that is there already.
pub fn answered<T: Send + 'static>(answer: Result<T, Problem>) -> Answer<T> {
    Box::pin(std::future::ready(answer))
}

/// Changes with each event that comes after it was made.
pub type News = watch::Receiver<u64>;

/// An agent, as the API sees it. A change is answered when it is done and was seen to be, or has failed
/// and everything is as before. Requests of callers who may only read come after those of others.
pub trait Service: Send + Sync {
    /// Name of the node, which each answer carries in a header.
    fn name(&self) -> String;
    /// The version of the agent.
    fn version(&self) -> Result<Version, Problem> {
        Ok(Version {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: vec!["v1".to_owned()],
        })
    }
    /// How things stand.
    fn status(&self) -> Result<Status, Problem>;
    /// What the cluster has to give, what is promised of it, and what it has room for.
    fn capacity(&self) -> Result<Capacity, Problem>;
    /// The node as it was last seen.
    fn node(&self) -> Result<Node, Problem>;
    /// Every prerequisite check, judged on a fresh read; with an intent, on its adapters.
    fn prereq(&self, who: &Caller, intent: Option<&str>) -> Answer<PrereqAnswer>;
    /// The settings of Accelerated Networking.
    fn management(&self) -> Result<Management, Problem> {
        let status = self.status()?;
        Ok(Management {
            enabled: status.enabled,
            intent: status.intent,
            node_reserve_percentage: status.node_reserve_percentage,
            performance: status.performance,
        })
    }
    /// Request to enable Accelerated Networking.
    fn enable(&self, who: &Caller, request: &Enable) -> Answer<ManagementChanged>;
    /// Changes management.
    fn set(&self, who: &Caller, request: &Set) -> Answer<ManagementChanged>;
    /// Disables management: VMs stay as they are.
    fn disable(&self, who: &Caller, dry_run: bool) -> Answer<ManagementChanged>;
    /// All intents, by name.
    fn intents(&self) -> Result<Vec<IntentView>, Problem>;
    /// One intent.
    fn intent(&self, name: &str) -> Result<IntentView, Problem> {
        let mut all = self.intents()?;
        let intents: Vec<_> = all.iter().map(|view| view.intent.clone()).collect();
        accelnet_rules::intent::find(name, &intents)?;
        all.retain(|view| view.intent.name == name);
        Ok(all.remove(0))
    }
    /// The state of every intent on every node.
    fn intent_status(&self) -> Result<Vec<IntentStatus>, Problem> {
        let all = self.intents()?.into_iter();
        Ok(all.flat_map(|view| view.status).collect())
    }
    /// Declares an intent, and waits until the node has applied it.
    fn intent_add(&self, who: &Caller, request: &IntentAdd) -> Answer<IntentChanged>;
    /// Changes an intent.
    fn intent_set(&self, who: &Caller, name: &str, request: &IntentSet) -> Answer<IntentChanged>;
    /// Removes an intent that nothing uses.
    fn intent_remove(&self, who: &Caller, name: &str, dry_run: bool) -> Answer<IntentChanged>;
    /// The VMs of all nodes, or of one.
    fn vms(&self, node: Option<&str>) -> Result<Vec<VmView>, Problem>;
    /// One VM, by name or UUID, of all nodes or of one.
    fn vm(&self, name: &str, node: Option<&str>) -> Result<VmView, Problem> {
        let all = self.vms(node)?;
        let is_etcd = |vm: &VmView| vm.name == name || vm.uuid.eq_ignore_ascii_case(name);
        let meant: Vec<&VmView> = all.iter().filter(|vm| is_etcd(vm)).collect();
        match meant.as_slice() {
            [only] => Ok((*only).clone()),
            [] => {
                // It may be on a node whose VMs are unknown.
                let nodes = self.nodes()?.into_iter();
                let mut nodes = nodes.filter(|view| node.is_none_or(|node| view.name == node));
                let unknown = nodes.find_map(|view| view.vms_unknown);
                let called = all.iter().map(|vm| (&*vm.name, &*vm.node));
                Err(unknown.unwrap_or_else(|| vm_names::not_found(name, node, called)))
            }
            several => {
                let nodes: Vec<String> = several.iter().map(|vm| vm.node.clone()).collect();
                Err(vm_names::ambiguous(name, &nodes))
            }
        }
    }
    /// Changes VMs of all nodes, or of one.
    fn vms_change(&self, who: &Caller, node: Option<&str>, change: &VmChange) -> Answer<VmChanged>;
    /// What would be done now.
    fn plan(&self, who: &Caller) -> Answer<PlanAnswer>;
    /// Events of all nodes, or of one, after number `after`: at most `limit` of the newest.
    fn events(&self, node: Option<&str>, after: u64, limit: usize) -> Result<Events, Problem>;
    /// Notified of every event from now on.
    fn news(&self) -> Result<News, Problem>;
    /// Keeps a remark as an event. The caller bounds their number.
    fn record_event(&self, remark: &ApiEvent);
    /// All nodes of the cluster, by name.
    fn nodes(&self) -> Result<Vec<NodeView>, Problem>;
    /// The network adapters of all nodes, or of one, by node.
    fn adapters(&self, node: Option<&str>) -> Result<Vec<AdapterSummary>, Problem>;
    /// A node of the cluster with its last report.
    fn node_report(&self, node: &str) -> Result<NodeReport, Problem>;
    /// Drains a node, or lets it have VFs again.
    fn node_drain(&self, who: &Caller, request: &NodeDrain) -> Answer<NodeDrained>;
    /// Switches SR-IOV of adapters on or off. An agent on a simulated host does it, because
    /// no other user can; on a real node `accelnet adapter` does it itself.
    fn adapters_change(&self, _who: &Caller, _change: &AdaptersChange) -> Answer<AdaptersChanged> {
        answered(Err(adapters_are_not_changed()))
    }
}

/// Why an agent of a real node changes no adapters.
pub fn adapters_are_not_changed() -> Problem {
    let found = "The agent of a node that is not simulated does not change single adapters.";
    Problem::new(Code::BadRequest, &[], found)
        .needed("An intent, or a simulated node.")
        .resolution("Add an intent with 'accelnet intent add', or run 'accelnet adapter enable' or 'accelnet adapter disable' on the node.")
}
