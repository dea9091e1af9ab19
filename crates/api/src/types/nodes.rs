//! The nodes of a cluster.

use accelnet_model::intent::IntentStatus;
use accelnet_model::{AdapterSummary, LastReport, NodeName, Problem};
use serde::{Deserialize, Serialize};

use super::{Fault, VmView};

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// Whether the node is up or down.
    pub state: Standing,
    /// Time since which it is up or down, RFC 3339, UTC; none on a single machine.
    pub since: Option<String>,
    /// Version of its agent.
    pub version: Option<String>,
    /// When it joined the cluster, RFC 3339, UTC.
    pub joined_at: Option<String>,
    /// Time of its last report, RFC 3339, UTC.
    pub reported_at: Option<String>,
    /// The user who drained it, and the time; none if it is not drained.
    pub drained: Option<Drained>,
    /// Accelerated VMs of the node.
    pub accelerated_vms: u32,
    /// Why the VMs of the node are unknown, and missing in every list of VMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vms_unknown: Option<Problem>,
    /// Removed intents that the node has not removed yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_intents: Vec<String>,
    /// Whether the node has not applied the last change of the settings of Accelerated Networking.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settings_pending: bool,
    /// Why the adapters of the node are unknown, and missing in every list of adapters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapters_unknown: Option<Problem>,
}

/// A node of the cluster with its last report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeReport {
    /// The node.
    pub node: NodeView,
    /// Set when the node does not report now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
    /// Its network adapters, in brief.
    pub adapters: Vec<AdapterSummary>,
    /// Its intents.
    pub intents: Vec<IntentStatus>,
    /// Its VMs.
    pub vms: Vec<VmView>,
    /// Its faults.
    pub faults: Vec<Fault>,
}

/// Whether a node is up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It does.
    Up,
    /// Its agent does not renew its lease: the last report is shown.
    Down,
}

/// The user who drained a node, and the time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Drained {
    /// User.
    pub by: String,
    /// Time, RFC 3339, UTC.
    pub at: String,
    /// The node that recorded it, whose clock the time is of; none of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// Request to drain a node: its running VMs move to their software path, so that they can migrate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NodeDrain {
    /// The node.
    pub node: NodeName,
    /// Undrain the node instead.
    #[serde(default)]
    pub undrain: bool,
    /// Show which VMs can migrate, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The result of draining or undraining a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeDrained {
    /// The node.
    pub node: String,
    /// Whether it is drained now, or would be.
    pub drained: bool,
    /// Whether the request was applied; false after a dry run. The agent of the node acts on it.
    pub applied: bool,
    /// Whether the node already was drained, or not drained, as requested.
    #[serde(default)]
    pub unchanged: bool,
    /// The VMs that run on it.
    pub vms: Vec<DrainVm>,
}

/// A VM that runs on a node that is drained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DrainVm {
    /// Its name.
    pub name: String,
    /// Whether it can migrate to another node.
    pub can_migrate: bool,
    /// Whether it has its VF.
    pub has_vf: bool,
    /// The reason, a fragment.
    pub reason: String,
}
