//! Adapters, asked and answered.

use accelnet_model::Problem;
use serde::{Deserialize, Serialize};

use super::PlannedStep;

/// Switches SR-IOV of adapters on or off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdaptersChange {
    /// Netdev names, PCI addresses or MACs; every adapter that can have VFs when empty.
    #[serde(default)]
    pub names: Vec<String>,
    /// VFs of each; 0 switches SR-IOV off, none stands for all that the adapter can give.
    #[serde(default)]
    pub vfs: Option<u32>,
    /// Time limit of each change in seconds, 1..=86400; 180 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdaptersChanged {
    /// Whether all of them went well.
    pub ok: bool,
    /// One an adapter, in the order of the request.
    pub results: Vec<AdapterResult>,
}

/// What came of it for one adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdapterResult {
    /// The adapter, or what was asked for where there is none.
    pub name: String,
    /// Whether it went well.
    pub ok: bool,
    /// What is so now, or would be, in a sentence.
    pub message: String,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
    /// What was done, or would be.
    #[serde(default)]
    pub steps: Vec<PlannedStep>,
}
