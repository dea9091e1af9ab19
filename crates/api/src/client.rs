//! The client: what [`crate::Service`] offers, asked over an agent's socket or from afar.

mod date;
mod exchange;
mod place;
mod remote;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_model::{AdapterSummary, Capacity, Code, Management, Node, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::types::*;
use place::Place;

pub use place::SOCKET;
pub use remote::{Credentials, Remote};

/// How long an answer may take to a question, and to a change.
const QUESTION: Duration = Duration::from_secs(60);
const CHANGE: Duration = Duration::from_secs(30 * 60);

/// Asks an agent, and waits for the answer. Each call is a connection of its own.
#[derive(Debug, Clone)]
pub struct Client {
    place: Place,
    /// The time of the last answer, by the clock of its server.
    answered_at: Arc<Mutex<Option<String>>>,
    /// The node that answered last.
    answered_by: Arc<Mutex<Option<String>>>,
}

type Answer<T> = Result<T, Problem>;

impl Client {
    /// A client of the agent at `socket`; connects when it is asked something.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Client {
            place: Place::Socket(socket.into()),
            answered_at: Arc::default(),
            answered_by: Arc::default(),
        }
    }

    /// A client of an agent on another machine.
    pub fn remote(remote: Remote) -> Self {
        Client {
            place: Place::Remote(Box::new(remote)),
            answered_at: Arc::default(),
            answered_by: Arc::default(),
        }
    }

    /// Whether the agent may be on another machine.
    pub fn is_remote(&self) -> bool {
        matches!(self.place, Place::Remote(_))
    }

    /// When an agent on another machine answered last, RFC 3339, by the clock of that machine.
    pub fn time_there(&self) -> Option<String> {
        let at = self.answered_at.lock();
        let at = at.unwrap_or_else(PoisonError::into_inner).clone();
        at.filter(|_| self.is_remote())
    }

    /// The node whose agent answered last.
    pub fn node_there(&self) -> Option<String> {
        let by = self.answered_by.lock();
        by.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The version of an agent.
    pub fn version(&self) -> Answer<Version> {
        self.get("/v1/version")
    }

    /// How things stand.
    pub fn status(&self) -> Answer<Status> {
        self.get("/v1/status")
    }

    /// What the cluster has to give, what is promised of it, and what it has room for.
    pub fn capacity(&self) -> Answer<Capacity> {
        self.get("/v1/capacity")
    }

    /// The node as it was last seen.
    pub fn node(&self) -> Answer<Node> {
        self.get("/v1/node")
    }

    /// Every prerequisite check; with an intent, on its adapters.
    pub fn prereq(&self, intent: Option<&str>) -> Answer<PrereqAnswer> {
        match intent {
            None => self.get("/v1/prereq"),
            Some(intent) => self.get(&format!("/v1/prereq?intent={}", escaped(intent))),
        }
    }

    /// The settings of Accelerated Networking.
    pub fn management(&self) -> Answer<Management> {
        self.get("/v1/management")
    }

    /// Request to enable Accelerated Networking.
    pub fn enable(&self, request: &Enable) -> Answer<ManagementChanged> {
        self.send("PUT", "/v1/management", request)
    }

    /// Changes management.
    pub fn set(&self, request: &Set) -> Answer<ManagementChanged> {
        self.send("PATCH", "/v1/management", request)
    }

    /// Disables management.
    pub fn disable(&self, dry_run: bool) -> Answer<ManagementChanged> {
        self.delete(&format!("/v1/management?dry_run={dry_run}"))
    }

    /// All intents.
    pub fn intents(&self) -> Answer<Vec<IntentView>> {
        self.get("/v1/intents")
    }

    /// One intent.
    pub fn intent(&self, name: &str) -> Answer<IntentView> {
        self.get(&format!("/v1/intents/{}", escaped(name)))
    }

    /// Request to add an intent.
    pub fn intent_add(&self, request: &IntentAdd) -> Answer<IntentChanged> {
        self.send("POST", "/v1/intents", request)
    }

    /// Changes an intent.
    pub fn intent_set(&self, name: &str, request: &IntentSet) -> Answer<IntentChanged> {
        let path = format!("/v1/intents/{}", escaped(name));
        self.send("PATCH", &path, request)
    }

    /// Removes an intent.
    pub fn intent_remove(&self, name: &str, dry_run: bool) -> Answer<IntentChanged> {
        let name = escaped(name);
        self.delete(&format!("/v1/intents/{name}?dry_run={dry_run}"))
    }

    /// The VMs of all nodes.
    pub fn vms(&self) -> Answer<Vec<VmView>> {
        self.vms_of(None)
    }

    /// The VMs of all nodes, or of one.
    pub fn vms_of(&self, node: Option<&str>) -> Answer<Vec<VmView>> {
        match node {
            None => self.get("/v1/vms"),
            Some(node) => self.get(&format!("/v1/vms?node={}", escaped(node))),
        }
    }

    /// One VM, by name or UUID.
    pub fn vm(&self, name: &str) -> Answer<VmView> {
        self.get(&format!("/v1/vms/{}", escaped(name)))
    }

    /// Changes VMs of all nodes.
    pub fn vms_change(&self, change: &VmChange) -> Answer<VmChanged> {
        self.vms_change_of(None, change)
    }

    /// Changes VMs of all nodes, or of one.
    pub fn vms_change_of(&self, node: Option<&str>, change: &VmChange) -> Answer<VmChanged> {
        let query = node.map_or_else(String::new, |node| format!("?node={}", escaped(node)));
        let at = |path: &str| format!("{path}{query}");
        match change {
            VmChange::Enable(request) => self.send("POST", &at("/v1/vm-enable"), request),
            VmChange::Set(request) => self.send("POST", &at("/v1/vm-set"), request),
            VmChange::Disable(request) => self.send("POST", &at("/v1/vm-disable"), request),
        }
    }

    /// Switches SR-IOV of adapters, where the agent's host is simulated.
    pub fn adapters_change(&self, request: &AdaptersChange) -> Answer<AdaptersChanged> {
        self.send("POST", "/v1/adapters", request)
    }

    /// All nodes of the cluster.
    pub fn nodes(&self) -> Answer<Vec<NodeView>> {
        self.get("/v1/nodes")
    }

    /// The network adapters of all nodes, or of one.
    pub fn adapters(&self, node: Option<&str>) -> Answer<Vec<AdapterSummary>> {
        match node {
            None => self.get("/v1/adapters"),
            Some(node) => self.get(&format!("/v1/adapters?node={}", escaped(node))),
        }
    }

    /// A node with its last report.
    pub fn node_report(&self, node: &str) -> Answer<NodeReport> {
        self.get(&format!("/v1/nodes/{}", escaped(node)))
    }

    /// Drains a node, or lets it have VFs again.
    pub fn node_drain(&self, request: &NodeDrain) -> Answer<NodeDrained> {
        self.send("POST", "/v1/node-drain", request)
    }

    /// What would be done now.
    pub fn plan(&self) -> Answer<PlanAnswer> {
        self.get("/v1/plan")
    }

    /// Events after number `after`, at most `limit` of the newest; waits up to `wait` (60 s
    /// at most) for one.
    pub fn events(&self, after: u64, limit: usize, wait: Duration) -> Answer<Events> {
        self.events_of(None, after, limit, wait)
    }

    /// The same of one node.
    pub fn events_of(
        &self,
        node: Option<&str>,
        after: u64,
        limit: usize,
        wait: Duration,
    ) -> Answer<Events> {
        let wait = wait.as_secs();
        let node = node.map_or_else(String::new, |node| format!("&node={}", escaped(node)));
        let path = format!("/v1/events?after={after}&limit={limit}&wait={wait}{node}");
        let within = QUESTION + Duration::from_secs(wait);
        self.read(exchange::ask(&self.place, "GET", &path, None, within)?)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        self.read(exchange::ask(&self.place, "GET", path, None, QUESTION)?)
    }

    fn delete<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        self.read(exchange::ask(&self.place, "DELETE", path, None, CHANGE)?)
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        request: &impl Serialize,
    ) -> Answer<T> {
        let body = serde_json::to_vec(request)
            .map_err(|error| self.place.unreachable(error.to_string()))?;
        self.read(exchange::ask(
            &self.place,
            method,
            path,
            Some(body),
            CHANGE,
        )?)
    }

    /// An answer that went well, or the problem that it carries.
    fn read<T: DeserializeOwned>(&self, answer: exchange::Answered) -> Answer<T> {
        let at = answer.date.as_deref().and_then(date::rfc3339);
        *self
            .answered_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = at;
        self.answered_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&answer.node);
        let odd = |error: serde_json::Error| {
            let found = format!(
                "HTTP status {} with an answer that cannot be read: {error}.",
                answer.status
            );
            Problem::new(
                Code::AgentUnreachable,
                &[&self.place.to_string()],
                found,
            )
            .needed("An agent of the same version as this program.")
            .resolution(
                "Compare 'accelnet --version' with the agent's, and restart the agent after an update: 'systemctl restart accelnet'.",
            )
        };
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(odd);
        }
        let failure: Failure = serde_json::from_slice(&answer.body).map_err(odd)?;
        Err(failure.error)
    }
}

/// A name as a part of a path or a query (RFC 3986).
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte));
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests;
