//! What would be done, before it is.

use serde::{Deserialize, Serialize};

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlannedStep {
    /// Node that runs the step.
    pub node: String,
    /// Subject: an intent, an adapter or a VM.
    pub subject: String,
    /// The action, an imperative: "create 7 VFs".
    pub action: String,
    /// The reason, a fragment.
    pub reason: String,
    /// VMs whose network it affects.
    pub affected_vms: Vec<String>,
    /// The device or service that restarts or is re-plugged; none without an interruption.
    pub restarts: Option<String>,
}

impl PlannedStep {
    /// A step that affects no VM and interrupts nothing.
    pub fn new(node: &str, subject: &str, action: impl Into<String>, reason: &str) -> Self {
        PlannedStep {
            node: node.to_owned(),
            subject: subject.to_owned(),
            action: action.into(),
            reason: reason.to_owned(),
            affected_vms: Vec::new(),
            restarts: None,
        }
    }
}

/// The steps that the agent would run now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlanAnswer {
    /// Time of the snapshot, RFC 3339, UTC.
    pub observed_at: String,
    /// Revision of the policy that the plan applies.
    pub policy_revision: u64,
    /// The steps, in this order; empty if the node has the requested state.
    pub steps: Vec<PlannedStep>,
    /// Steps that are not possible, with the reason: a sentence each.
    pub blocked: Vec<String>,
    /// Warnings about the intents: a sentence or more each.
    #[serde(default)]
    pub warnings: Vec<String>,
}
