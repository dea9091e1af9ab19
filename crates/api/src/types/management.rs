//! Management of the cluster, asked and answered.

use accelnet_model::performance::{Performance, PerformanceSettings};
use accelnet_model::{Check, Code, LastReport, Mac, Management, PciAddress, Problem};
use serde::{Deserialize, Serialize};

use super::{PlannedStep, figures};

/// Request to enable Accelerated Networking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// The compute intent.
    pub intent: String,
    /// Node reserve: the percentage of nodes that can be down at once, 0..=99; by default the current one, or 50 if
    /// it was never set.
    #[serde(default)]
    pub node_reserve_percentage: Option<i64>,
    /// Values of the performance settings.
    #[serde(default, deserialize_with = "figures::strictly")]
    pub performance: Option<PerformanceSettings>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Request to change the settings of Accelerated Networking; those that are not given remain unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// New compute intent.
    #[serde(default)]
    pub intent: Option<String>,
    /// New node reserve: the percentage of nodes that can be down at once, 0..=99.
    #[serde(default)]
    pub node_reserve_percentage: Option<i64>,
    /// Values of the performance settings.
    #[serde(default, deserialize_with = "figures::strictly")]
    pub performance: Option<PerformanceSettings>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The result of a change of the settings of Accelerated Networking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ManagementChanged {
    /// The settings after the change, or after the change that a dry run describes.
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

/// The results of the prerequisite checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrereqAnswer {
    /// Whether every check passed.
    pub passed: bool,
    /// Time of the snapshot of the node, RFC 3339, UTC.
    pub observed_at: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// Cluster status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// Whether Accelerated Networking is enabled.
    pub enabled: bool,
    /// The compute intent.
    pub intent: Option<String>,
    /// Node reserve: the percentage of nodes that can be down at once.
    pub node_reserve_percentage: u8,
    /// Values of the performance settings.
    pub performance: PerformanceSettings,
    /// Number of nodes of the cluster.
    pub nodes: u32,
    /// Number of nodes that can be down at once: `floor(nodes x reserve / 100)`.
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

/// A current fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Fault {
    /// Severity.
    pub severity: Severity,
    /// Node.
    pub node: String,
    /// Subject: an intent, an adapter or a VM.
    pub subject: String,
    /// Code.
    pub code: Code,
    /// Message, a sentence.
    pub message: String,
    /// The cause, in sentences; empty in a report of an earlier release.
    #[serde(default)]
    pub found: String,
    /// The message of the kernel, the driver or libvirt, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How to fix it.
    pub resolution: String,
    /// When it was raised, RFC 3339, UTC.
    pub since: String,
    /// Set when the node does not report now: the fault is one of its last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
}

impl Fault {
    /// `problem` of `subject` on `node`, raised at `since`.
    pub fn new(
        severity: Severity,
        (node, subject): (&str, &str),
        problem: &Problem,
        since: impl Into<String>,
    ) -> Self {
        Fault {
            severity,
            node: node.to_owned(),
            subject: subject.to_owned(),
            code: problem.code,
            message: problem.message.clone(),
            found: problem.found.clone(),
            cause: problem.cause.clone(),
            resolution: problem.resolution.clone(),
            since: since.into(),
            last_report: None,
        }
    }
}

/// The severity of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work now.
    Error,
    /// Something may fail later, or has a cost.
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
    /// Revision of the policy in the store.
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
