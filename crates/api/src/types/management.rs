//! Management of the cluster, asked and answered.

use accelnet_model::performance::{Performance, PerformanceSettings};
use accelnet_model::{Check, Code, LastReport, Mac, Management, PciAddress};
use serde::{Deserialize, Serialize};

use super::{PlannedStep, figures};

/// Enables management.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// The compute intent.
    pub intent: String,
    /// The share of nodes that may be down at once, in percent, 0..=99; as it was when none, and 50 where it was
    /// never set.
    #[serde(default)]
    pub node_reserve_percentage: Option<i64>,
    /// Values of the performance settings.
    #[serde(default, deserialize_with = "figures::strictly")]
    pub performance: Option<PerformanceSettings>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Changes management; settings that are not given remain unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Another compute intent.
    #[serde(default)]
    pub intent: Option<String>,
    /// Another reserve, in percent, 0..=99.
    #[serde(default)]
    pub node_reserve_percentage: Option<i64>,
    /// Values of the performance settings.
    #[serde(default, deserialize_with = "figures::strictly")]
    pub performance: Option<PerformanceSettings>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The result of a change of management.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ManagementChanged {
    /// The settings as they are now, or would be after a dry run.
    pub management: Management,
    /// Whether the change was applied; false after a dry run.
    pub applied: bool,
    /// The steps that were run, or would be run.
    pub steps: Vec<PlannedStep>,
    /// Warnings.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The settings before the change: equal to `management` if the request changes nothing.
    #[serde(default)]
    pub previous: Option<Management>,
}

/// Every prerequisite check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrereqAnswer {
    /// Whether every check passed.
    pub passed: bool,
    /// When the node was seen, RFC 3339, UTC.
    pub observed_at: String,
    /// Every row.
    pub checks: Vec<Check>,
}

/// Cluster status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// Whether management is enabled.
    pub enabled: bool,
    /// The compute intent.
    pub intent: Option<String>,
    /// The share of nodes that may be down at once, in percent.
    pub node_reserve_percentage: u8,
    /// Values of the performance settings.
    pub performance: PerformanceSettings,
    /// Nodes of the cluster.
    pub nodes: u32,
    /// Nodes that may be down at once by the reserve: `floor(nodes x reserve / 100)`.
    pub reserved_nodes: u32,
    /// Further node failures after which every accelerated VM still gets a VF; none without accelerated VMs, and
    /// 0 if a VM has no VF now.
    pub node_failures_survived: Option<u32>,
    /// Whether every accelerated VM gets a VF when any `reserved_nodes` nodes are down. Nodes that are down now
    /// count.
    pub failover_capacity_ok: bool,
    /// VFs and queue pairs, by adapter of the intent.
    pub adapters: Vec<AdapterUse>,
    /// Accelerated VMs, by setting: low, medium, high.
    pub accelerated_vms: Vec<(Performance, u32)>,
    /// Current faults.
    pub faults: Vec<Fault>,
    /// The agent that answers.
    pub agent: AgentInfo,
    /// Nodes that are down. Their last report is used.
    #[serde(default)]
    pub nodes_down: Vec<String>,
    /// Nodes that are drained: they provide no VFs to VMs.
    #[serde(default)]
    pub nodes_drained: Vec<String>,
}

/// An adapter's VFs and queue pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdapterUse {
    /// Node.
    pub node: String,
    /// Name of the adapter now.
    pub adapter: String,
    /// PCI address.
    pub address: PciAddress,
    /// Permanent MAC.
    pub mac: Option<Mac>,
    /// Number of VFs.
    pub vfs: u32,
    /// VFs in use.
    pub vfs_in_use: u32,
    /// VFs allocated to accelerated VMs, running or stopped.
    pub vfs_allocated: u32,
    /// Queue pairs of all VFs; none if unknown.
    pub queue_pairs: Option<u32>,
    /// Queue pairs allocated to accelerated VMs, running or stopped.
    pub queue_pairs_allocated: u32,
    /// Maximum queue pairs of one VF; none if unknown.
    pub queue_pairs_per_vf: Option<u32>,
    /// Queue pairs of the accelerated VMs that have their VF now.
    #[serde(default)]
    pub queue_pairs_in_use: u32,
    /// VFs in use by other users than accelerated VMs.
    #[serde(default)]
    pub vfs_in_use_by_others: u32,
    /// Queue pairs of these VFs.
    #[serde(default)]
    pub queue_pairs_in_use_by_others: u32,
}

/// A finding of health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// Node.
    pub node: String,
    /// Subject: an intent, an adapter or a VM.
    pub subject: String,
    /// Code.
    pub code: Code,
    /// Message, a sentence.
    pub message: String,
    /// How to fix it.
    pub resolution: String,
    /// When it was raised, RFC 3339, UTC.
    pub since: String,
    /// Set when the node does not report now: the fault is one of its last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something costs, or may fail later.
    Warning,
}

/// The agent that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentInfo {
    /// Its node.
    pub node: String,
    /// Its version.
    pub version: String,
    /// Whether its host is simulated.
    pub simulated: bool,
    /// Time of its last full snapshot of the node, RFC 3339, UTC.
    pub observed_at: String,
    /// Seconds since then.
    pub observed_seconds_ago: u64,
    /// Revision of the policy as it is in the store.
    pub policy_revision: u64,
    /// Revision of the policy that was last applied to the node.
    pub applied_revision: u64,
    /// Time since which its store does not answer, RFC 3339, UTC; the last known values are shown.
    #[serde(default)]
    pub cut_off_since: Option<String>,
    /// Why its store does not answer, a fragment.
    #[serde(default)]
    pub cut_off_reason: Option<String>,
}
