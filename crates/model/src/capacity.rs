//! Capacity of a cluster: total, allocated, free, and available to new VMs.

use serde::{Deserialize, Serialize};

use crate::{Code, Problem};

/// The capacity of a cluster, as it is or as a file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Capacity {
    /// Node reserve: the percentage of nodes that can be down at once.
    pub node_reserve_percentage: u8,
    /// Number of nodes that can be down at once: `floor(nodes x reserve / 100)`.
    pub survives_nodes: u32,
    /// Whether every accelerated VM gets a VF when any `survives_nodes` nodes are down.
    #[serde(rename = "holds")]
    pub failover_capacity_ok: bool,
    /// The reason if failover capacity is not sufficient.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
    /// Further node failures after which every accelerated VM still gets a VF; none if the VMs do not fit now.
    pub node_failures_survived: Option<u32>,
    /// Largest node reserve, in percent, for which failover capacity is sufficient; none if not even for 0.
    pub largest_reserve: Option<u8>,
    /// Number of further VMs that would be admitted if all had the same setting.
    pub additional_vms: MoreVms,
    /// Nodes, without the requested VMs.
    pub nodes: Vec<NodeCapacity>,
    /// Results for the VMs that a file requests, in their order.
    pub answers: Vec<Answer>,
}

/// Numbers of VMs by setting, each calculated separately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MoreVms {
    /// If all are Low.
    pub low: u32,
    /// If all are Medium.
    pub medium: u32,
    /// If all are High.
    pub high: u32,
}

/// A node's adapters together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NodeCapacity {
    /// Its name.
    pub node: String,
    /// Whether it is down.
    pub down: bool,
    /// VFs.
    pub vfs: Share,
    /// Queue pairs.
    pub queue_pairs: Share,
}

/// Total, use and reserve of VFs or queue pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Share {
    /// Number available to accelerated VMs; none without a limit.
    pub total: Option<u32>,
    /// Number in use now.
    pub in_use: u32,
    /// Number allocated to accelerated VMs, running or stopped.
    pub allocated: u32,
    /// Number that is not allocated; none without a limit.
    pub free: Option<u32>,
    /// Free, but not available to new VMs, of whatever setting: kept for failover, or beyond what the other resource
    /// allows; none without a limit.
    pub unavailable: Option<u32>,
}

/// Result for a requested VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Answer {
    /// The VM.
    pub name: String,
    /// Whether it is admitted.
    pub admitted: bool,
    /// Its node, if it is admitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    /// The adapter of its VF, if it is admitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub adapter: Option<String>,
    /// Code, if it is not admitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// The scarce resource: `vfs` or `queue_pairs`; none for another reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binding: Option<String>,
    /// Nodes whose failure leaves too little capacity; empty if its own node has too little now; none for another
    /// reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worst_nodes: Option<Vec<String>>,
    /// VMs without a VF after that failure.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vms_without_vf: Vec<String>,
    /// True if it is proven that the VM does not fit; false if it could not be proven that it fits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proven: Option<bool>,
    /// Message, a sentence or more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// Changes that would make it fit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resolution: Option<String>,
}
