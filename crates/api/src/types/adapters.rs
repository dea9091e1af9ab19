//! Adapters, asked and answered.

use accelnet_model::Problem;
use serde::{Deserialize, Serialize};

use super::PlannedStep;

/// Request to enable or disable SR-IOV of adapters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdaptersChange {
    /// Netdev names, PCI addresses or MACs; if empty, every adapter that supports VFs.
    #[serde(default)]
    pub names: Vec<String>,
    /// VFs of each; 0 disables SR-IOV; the default is all VFs of the adapter.
    #[serde(default)]
    pub vfs: Option<u32>,
    /// Time limit of each change in seconds, 1..=86400; the default is 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// The results for the adapters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdaptersChanged {
    /// Whether all of them succeeded.
    pub ok: bool,
    /// One result for each adapter, in the order of the request.
    pub results: Vec<AdapterResult>,
}

/// The result for one adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdapterResult {
    /// The adapter, or the requested name if it does not exist.
    pub name: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// The result, a sentence.
    pub message: String,
    /// The error, if it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
    /// The steps that were run, or would be run.
    #[serde(default)]
    pub steps: Vec<PlannedStep>,
}
