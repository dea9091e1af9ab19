//! The client: what [`crate::Service`] offers, asked over an agent's socket or from afar.

mod date;
mod exchange;
mod place;
mod remote;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_model::{Code, Problem};
use serde::de::DeserializeOwned;

use crate::limits::{Body, Parameter};
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

    /// The VMs of all nodes.
    pub fn vms(&self) -> Answer<Vec<VmView>> {
        self.vms_of(None)
    }

    /// One VM, by name or UUID.
    pub fn vm(&self, name: &str) -> Answer<VmView> {
        self.vm_of(name, None)
    }

    /// Changes VMs of all nodes.
    pub fn vms_change(&self, change: &VmChange) -> Answer<VmChanged> {
        self.vms_change_of(None, change)
    }

    /// Changes VMs of all nodes, or of one.
    pub fn vms_change_of(&self, node: Option<&str>, change: &VmChange) -> Answer<VmChanged> {
        match change {
            VmChange::Enable(request) => self.vm_enable(node, request),
            VmChange::Set(request) => self.vm_set(node, request),
            VmChange::Disable(request) => self.vm_disable(node, request),
        }
    }

    /// Events after number `after`, at most `limit` of the newest; waits up to `wait` (60 s
    /// at most) for one.
    pub fn events(&self, after: u64, limit: usize, wait: Duration) -> Answer<Events> {
        self.events_of(after, limit, wait, None)
    }

    /// A request, which the list of endpoints completes.
    pub(crate) fn asking(&self, method: &'static str, path: &str) -> Asking<'_> {
        Asking {
            client: self,
            method,
            path: path.to_owned(),
            body: Ok(None),
            within: if method == "GET" { QUESTION } else { CHANGE },
        }
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

/// A request that is being written.
pub(crate) struct Asking<'a> {
    client: &'a Client,
    method: &'static str,
    path: String,
    body: serde_json::Result<Option<Vec<u8>>>,
    within: Duration,
}

impl Asking<'_> {
    /// Writes the name into its path.
    pub fn name(mut self, name: &str) -> Self {
        self.path = self.path.replace("{name}", &escaped(name));
        self
    }

    /// Writes a parameter of the query.
    pub fn query(mut self, parameter: Parameter, value: impl QueryValue) -> Self {
        if let Some(text) = value.text() {
            let mark = if self.path.contains('?') { '&' } else { '?' };
            self.path = format!("{}{mark}{}={text}", self.path, parameter.name);
        }
        self.within += value.waits();
        self
    }

    /// Writes the body.
    pub fn body<B: Body>(mut self, body: &B) -> Self {
        self.body = serde_json::to_vec(body).map(Some);
        self
    }

    /// Sends it, and reads the answer.
    pub fn answer<T: DeserializeOwned>(self) -> Answer<T> {
        let place = &self.client.place;
        let body = self.body;
        let body = body.map_err(|error| place.unreachable(error.to_string()))?;
        let answer = exchange::ask(place, self.method, &self.path, body, self.within)?;
        self.client.read(answer)
    }
}

/// The value of a parameter of a query.
pub(crate) trait QueryValue {
    /// Its text; none leaves the parameter out.
    fn text(&self) -> Option<String>;

    /// How much longer the answer takes.
    fn waits(&self) -> Duration {
        Duration::ZERO
    }
}

impl QueryValue for Option<&str> {
    fn text(&self) -> Option<String> {
        self.map(escaped)
    }
}

impl QueryValue for bool {
    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl QueryValue for u64 {
    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl QueryValue for usize {
    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl QueryValue for Duration {
    fn text(&self) -> Option<String> {
        Some(self.as_secs().to_string())
    }

    fn waits(&self) -> Duration {
        *self
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
