//! How a node gets its virtual switch: the steps, the way back, and what must still answer.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::SwitchStep;

/// A gateway that routes of a link lead over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its address.
    pub ip: IpAddr,
    /// The link that it answers on before the change.
    pub before: String,
    /// The link that it answers on afterwards.
    pub after: String,
}

impl fmt::Display for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.ip, self.after)
    }
}

/// The steps, and why these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The bridge that is the virtual switch afterwards: the one that was requested, or the
    /// one that was adopted.
    pub bridge: String,
    /// The adapter that is its uplink.
    pub uplink: String,
    /// In this order; none when there is nothing to do.
    pub steps: Vec<SwitchStep>,
    /// Steps that restore what was, in this order, however many of `steps` were done.
    pub undo: Vec<SwitchStep>,
    /// Gateways that must answer afterwards if they did before.
    pub gateways: Vec<Gateway>,
    /// Why these steps.
    pub why: String,
    /// What an administrator should know before, each a sentence or more.
    pub warnings: Vec<String>,
}
