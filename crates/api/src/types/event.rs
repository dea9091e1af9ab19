//! What happened.

use accelnet_model::Code;
use serde::{Deserialize, Serialize};

use crate::Role;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Event {
    /// Number: greater than those of all earlier events, and not consecutive.
    pub number: u64,
    /// Time, RFC 3339, UTC.
    pub at: String,
    /// Node.
    pub node: String,
    /// Kind.
    pub kind: EventKind,
    /// Subject: an intent, an adapter, a VM, or "cluster".
    pub subject: String,
    /// Message, a sentence.
    pub message: String,
    /// User that requested it; none if the agent acted on its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<String>,
    /// Role of the user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// Origin of the request; none if the agent acted on its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<Origin>,
    /// Code, if the request was refused or failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// The result for each subject, if a request names several: at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub outcomes: Vec<SubjectOutcome>,
    /// Subjects without an outcome here. The journal of the node has the outcome of each that was changed.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub omitted_outcomes: u32,
}

/// The result of a request for one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SubjectOutcome {
    /// The subject.
    pub subject: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// Message, a sentence.
    pub message: String,
    /// Code, if it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Origin of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Origin {
    /// "socket" for the agent's Unix socket, else IP address and port.
    pub address: String,
    /// SHA-256 of the client certificate, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificate: Option<String>,
    /// Node whose agent received the request, if another node carried it out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
}

impl Origin {
    /// The agent's Unix socket.
    pub fn socket() -> Self {
        Origin {
            address: "socket".to_owned(),
            certificate: None,
            node: None,
        }
    }

    /// A command that works without the agent; only journals of nodes have it.
    pub fn command_line() -> Self {
        Origin {
            address: "command line".to_owned(),
            certificate: None,
            node: None,
        }
    }

    /// Whether it is the agent's Unix socket.
    pub fn is_socket(&self) -> bool {
        self.address == "socket"
    }
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// An administrator asked for a change, and it was done.
    Changed,
    /// An administrator asked for a change, and it was refused or failed.
    Refused,
    /// Something was not as the policy wants it.
    Drift,
    /// It is again as the policy wants it.
    #[serde(alias = "mended")]
    Repaired,
    /// It could not be repaired, or something failed.
    Failed,
    /// Another event; also an event whose kind only a later release has.
    #[serde(other)]
    Noticed,
}

/// Events, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Events {
    /// The events.
    pub events: Vec<Event>,
}
