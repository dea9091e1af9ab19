//! The last report of a node that does not report now.

use serde::{Deserialize, Serialize};

/// The last report of a node that does not report now: because the node is down, or because the node that
/// answers is cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LastReport {
    /// When the node was observed for that report, RFC 3339, UTC; the clock of that node.
    pub at: String,
    /// Minimum age of the report in seconds, by the clock of the node that answers: the time since it knows
    /// that the report is not current.
    pub seconds_ago: u64,
    /// Why there is no newer report, a fragment.
    pub reason: String,
}
