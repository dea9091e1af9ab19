//! Intents, asked and answered.

use accelnet_model::intent::{Intent, IntentStatus, Role};
use serde::{Deserialize, Serialize};

use super::PlannedStep;

/// Request to add an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntentAdd {
    /// Its name.
    pub name: String,
    /// Its roles, at least one.
    pub roles: Vec<Role>,
    /// Its adapters: netdev name, PCI address or MAC; at least one.
    pub adapters: Vec<String>,
    /// VFs of each adapter; the default is all.
    #[serde(default)]
    pub vfs: Option<u32>,
    /// Whether guests can change the MAC of their VF and receive frames to other MACs; the default is no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<bool>,
    /// Whether the adapter drops frames that guests send from another MAC; the default is yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoof_check: Option<bool>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Request to change an intent; settings that are not given remain unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IntentSet {
    /// New roles.
    #[serde(default)]
    pub roles: Option<Vec<Role>>,
    /// New adapters.
    #[serde(default)]
    pub adapters: Option<Vec<String>>,
    /// New number of VFs of each adapter; 0 means all.
    #[serde(default)]
    pub vfs: Option<u32>,
    /// Whether guests can change the MAC of their VF and receive frames to other MACs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<bool>,
    /// Whether the adapter drops frames that guests send from another MAC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoof_check: Option<bool>,
    /// Change the number of VFs although VMs use VFs: these VMs fall back to their software path during the
    /// change.
    #[serde(default)]
    pub disruptive: bool,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// An intent with its state on each node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IntentView {
    /// The intent.
    #[serde(flatten)]
    pub intent: Intent,
    /// Revision of its last change.
    pub revision: u64,
    /// The bridge that it creates, if any, and the libvirt network of its virtual switch.
    pub switch_network: String,
    /// The libvirt network of its VFs.
    pub pool_network: String,
    /// Status, by node; pending on a node that has not applied the last change yet.
    pub status: Vec<IntentStatus>,
}

/// The result of a change of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IntentChanged {
    /// The intent as it is now; none when it was removed.
    pub intent: Option<IntentView>,
    /// Whether the change was applied; false after a dry run.
    pub applied: bool,
    /// Whether the intent already had the requested state.
    #[serde(default)]
    pub unchanged: bool,
    /// The steps that were run, or would be run.
    pub steps: Vec<PlannedStep>,
    /// Warnings.
    #[serde(default)]
    pub warnings: Vec<String>,
}
