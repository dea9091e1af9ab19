//! Intents: named declarations that give adapters their roles, and what became of them on a
//! node.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::adapter::Identity;
use crate::{IntentName, LastReport, Mac, PciAddress, Problem, VfSecurity};

/// The role of the adapters of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// VM traffic.
    Compute,
    /// The node's own management traffic.
    Management,
    /// Storage traffic.
    Storage,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Compute => "compute",
            Role::Management => "management",
            Role::Storage => "storage",
        })
    }
}

/// A named declaration that gives adapters their roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Intent {
    /// Its name: 1 to 32 letters, digits, `.`, `-` and `_`, a letter or digit first.
    pub name: IntentName,
    /// Its roles, at least one, each once.
    pub roles: Vec<Role>,
    /// Its adapters as they were given: netdev name, PCI address or MAC, on every node.
    pub adapters: Vec<String>,
    /// Number of VFs of each adapter; none for the maximum.
    #[serde(default)]
    pub vfs: Option<u32>,
    /// Trust and spoof check of its VFs.
    #[serde(default)]
    pub security: VfSecurity,
}

impl Intent {
    /// Whether VM traffic runs on it.
    pub fn is_compute(&self) -> bool {
        self.roles.contains(&Role::Compute)
    }

    /// The bridge that it gives a node when its adapter has none yet: at most 15 bytes, the
    /// kernel's limit for a netdev name.
    pub fn bridge_name(&self) -> String {
        const LONGEST: usize = 11;
        match self.name.len() <= LONGEST {
            true => format!("acn-{}", self.name),
            false => {
                let sum = self.name.bytes().fold(0x811c_9dc5_u32, |sum, byte| {
                    (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)
                });
                let head = self.name.get(..6).unwrap_or("intent");
                format!("acn-{head}{:05x}", sum & 0xf_ffff)
            }
        }
    }

    /// The libvirt network that VMs take their software path from.
    pub fn switch_network(&self) -> String {
        format!("accelnet-{}", self.name)
    }

    /// The libvirt network that VFs come from.
    pub fn pool_network(&self) -> String {
        self.name.pool_network()
    }
}

impl IntentName {
    /// The libvirt network that VFs come from.
    pub fn pool_network(&self) -> String {
        format!("accelnet-{self}-vf")
    }

    /// The intent whose VFs come from `network`; none for a network that is no pool of accelnet's.
    pub fn of_pool(network: &str) -> Option<Self> {
        let name = network.strip_prefix("accelnet-")?.strip_suffix("-vf")?;
        name.parse().ok()
    }
}

/// An adapter of an intent on one node, identified by its PCI address and permanent MAC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BoundAdapter {
    /// Its name in the intent.
    pub name: String,
    /// Permanent MAC; none if the driver reports none.
    pub mac: Option<Mac>,
    /// PCI address at the time when the intent was applied.
    pub address: PciAddress,
}

impl BoundAdapter {
    /// Whether `adapter` is this one: by permanent MAC where there is one, else by PCI path.
    pub fn is(&self, adapter: &Identity) -> bool {
        let macs = || adapter.links.iter().filter_map(|link| link.permanent_mac);
        match self.mac {
            Some(mac) if macs().next().is_some() => macs().any(|other| other == mac),
            _ => adapter.address == self.address,
        }
    }
}

/// The state of an intent on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum IntentState {
    /// Declared; the node has not begun.
    Pending,
    /// The node is at it.
    Applying,
    /// The node is as the intent wants it, and that was seen.
    Completed,
    /// It could not be done.
    Failed,
}

impl fmt::Display for IntentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IntentState::Pending => "pending",
            IntentState::Applying => "applying",
            IntentState::Completed => "completed",
            IntentState::Failed => "failed",
        })
    }
}

/// An intent on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IntentStatus {
    /// The intent.
    pub intent: String,
    /// The node.
    pub node: String,
    /// The state.
    pub state: IntentState,
    /// The revision of the intent that this status describes; if it is older than that of the intent, the
    /// status does not describe the current request.
    pub intent_revision: u64,
    /// Time of the last change of the state, RFC 3339, UTC.
    pub since: String,
    /// Time of the last verification, RFC 3339, UTC.
    pub verified_at: Option<String>,
    /// Its adapters here.
    pub adapters: Vec<BoundAdapter>,
    /// The bridge of its VMs.
    pub bridge: Option<String>,
    /// Number of VFs.
    pub vfs: u32,
    /// The error, if it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
    /// The errors of its other adapters, if it failed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_problems: Vec<Problem>,
    /// Warnings.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Set when the node does not report now: the status is that of its last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
}

impl IntentStatus {
    /// The status of an intent that its node has not applied.
    pub fn pending(intent: &str, node: &str, since: &str) -> Self {
        IntentStatus {
            intent: intent.to_owned(),
            node: node.to_owned(),
            state: IntentState::Pending,
            intent_revision: 0,
            since: since.to_owned(),
            verified_at: None,
            adapters: Vec::new(),
            bridge: None,
            vfs: 0,
            problem: None,
            other_problems: Vec::new(),
            warnings: Vec::new(),
            last_report: None,
        }
    }

    /// Everything that keeps it from being applied.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.problem.iter().chain(&self.other_problems)
    }
}
