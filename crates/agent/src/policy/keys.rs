//! Keys of the policy.

use accelnet_model::IntentName;

/// Prefix of all policy.
pub(crate) const POLICY: &str = "policy/";
pub(super) const MANAGEMENT: &str = "policy/management";
pub(super) const INTENTS: &str = "policy/intents/";
pub(super) const VMS: &str = "policy/vms/";
pub(super) const DRAINED: &str = "policy/drained/";
/// Removed intents. An intent that is only missing may have been lost, and stays on the nodes.
pub(super) const REMOVED: &str = "policy/removed/";
/// Each admission writes it, so that admissions exclude each other.
pub(super) const TURN: &str = "policy/turn";

pub(super) fn removed_key(intent: &IntentName) -> String {
    format!("{REMOVED}{intent}")
}

/// The key of a drained node.
pub(crate) fn drained_key(node: &str) -> String {
    format!("{DRAINED}{node}")
}
