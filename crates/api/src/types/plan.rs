//! What would be done, before it is.

use serde::{Deserialize, Serialize};

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlannedStep {
    /// Node that does it.
    pub node: String,
    /// What it is about: an intent, an adapter, a VM.
    pub subject: String,
    /// What is done, as an imperative: "create 7 VFs".
    pub action: String,
    /// The reason, a fragment.
    pub reason: String,
    /// VMs whose network it affects.
    pub affected_vms: Vec<String>,
    /// Whether something restarts or is re-plugged, and what; none when nothing does.
    pub restarts: Option<String>,
}

/// All that would be done now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlanAnswer {
    /// When the node was looked at, RFC 3339, UTC.
    pub observed_at: String,
    /// Revision of the policy that it answers.
    pub policy_revision: u64,
    /// In this order; none when everything is as it should be.
    pub steps: Vec<PlannedStep>,
    /// What cannot be done, and why: a sentence each.
    pub blocked: Vec<String>,
    /// What is worth knowing of the intents: a sentence or more each.
    #[serde(default)]
    pub warnings: Vec<String>,
}
