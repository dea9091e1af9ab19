//! Changes that a node is in the middle of, in the store: its next agent continues them after an
//! interruption, and records the event of a request exactly once.

use accelnet_api::Role;
use accelnet_api::types::{Origin, SubjectOutcome};
use accelnet_model::{Performance, Uuid, VfChoice};
use accelnet_store::{Document, MAX_TXN_BYTES};
use serde::{Deserialize, Serialize};

/// A disruptive change of the number of VFs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disruption {
    /// The number of VFs of each adapter before it; all when none.
    pub before: Option<u32>,
    /// Whether it failed, and the number before is being restored.
    pub going_back: bool,
}

/// What is requested for VMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// Enable acceleration.
    Enable,
    /// Change their settings.
    Set,
    /// Disable acceleration.
    Disable,
}

/// A request for VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// What is requested.
    #[serde(rename = "asked")]
    pub action: Action,
    /// The user.
    pub who: String,
    /// The role of the user.
    pub role: Option<Role>,
    /// Where the request came from.
    pub from: Option<Origin>,
    /// The requested performance; none keeps the current one.
    pub performance: Option<Performance>,
    /// The same of trust.
    pub trust: Option<VfChoice>,
    /// The same of the spoof check.
    pub spoof_check: Option<VfChoice>,
    /// The VMs that are changed.
    pub vms: Vec<Uuid>,
    /// The first names that were refused.
    pub refused: Vec<SubjectOutcome>,
    /// Number of further refused names.
    pub more_refused: usize,
    /// The order of another node that is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Uuid>,
}

impl Document for Request {
    const KIND: &'static str = "a request for VMs";
    const FORMAT: u32 = 1;
    const MOST_BYTES: usize = MAX_TXN_BYTES;
}
