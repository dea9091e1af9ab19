//! What a cluster has to give, what is promised of it, and what it still has room for.

use serde::{Deserialize, Serialize};

use crate::{Code, Problem};

/// The capacity of a cluster, as it is or as a file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Capacity {
    /// The share of nodes that may be down at once, in percent.
    pub node_reserve_percentage: u8,
    /// Nodes that may be down at once by that: `floor(nodes x reserve / 100)`.
    pub survives_nodes: u32,
    /// Whether every accelerated VM has its VF with any so many nodes down.
    pub failover_capacity_ok: bool,
    /// Why not; none where it holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
    /// How many nodes may go down besides those that are, whichever they are; none where the
    /// VMs do not even fit as it is.
    pub node_failures_survived: Option<u32>,
    /// The largest reserve, in percent, that would still hold; none where not even 0 does.
    pub largest_reserve: Option<u8>,
    /// How many more VMs are admitted, if all are of one setting.
    pub additional_vms: MoreVms,
    /// Nodes, as they are before anything is asked.
    pub nodes: Vec<NodeCapacity>,
    /// What came of the VMs that a file asks for, in their order.
    pub answers: Vec<Answer>,
}

/// Numbers of VMs by setting, each for itself.
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

/// How something is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Share {
    /// All that accelerated VMs can have; none without a limit.
    pub total: Option<u32>,
    /// What is in use now.
    pub in_use: u32,
    /// What is promised to accelerated VMs, running or not.
    pub allocated: u32,
    /// What is not promised; none without a limit.
    pub free: Option<u32>,
    /// What of that is kept from new VMs by the reserve: no number of VMs of one setting could
    /// be admitted that takes it; none without a limit.
    pub reserved_for_failover: Option<u32>,
}

/// What came of a VM that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Answer {
    /// The VM.
    pub name: String,
    /// Whether it is admitted.
    pub admitted: bool,
    /// The node where it is, when it is admitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    /// The adapter that gives it its VF, when it is admitted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub adapter: Option<String>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// What there is too little of: `vfs` or `queue_pairs`; none where that is not the reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binding: Option<String>,
    /// Nodes with which down it does not fit; empty where it has no room on its own node as
    /// it is; none where room is not the reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub worst_nodes: Option<Vec<String>>,
    /// VMs that would be left without a VF then.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vms_without_vf: Vec<String>,
    /// Whether it is proved that it does not fit; false where that it fits could not be proved.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proven: Option<bool>,
    /// What was found, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// What would help, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resolution: Option<String>,
}
