//! What the list of adapters shows of one.

use serde::{Deserialize, Serialize};

use crate::{Code, LastReport, Observed};

/// A summary of an adapter. Its JSON is part of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdapterSummary {
    /// Its node.
    #[serde(default)]
    pub node: String,
    /// Its name.
    pub name: String,
    /// Its PCI address.
    pub address: String,
    /// Vendor and device.
    pub model: String,
    /// Bound driver.
    pub driver: Observed<Option<String>>,
    /// Whether it is up with carrier; none without a netdev.
    pub link: Option<bool>,
    /// Whether VMs can get its VFs.
    pub supported: bool,
    /// Codes of the failed checks, if VMs cannot get its VFs.
    pub reasons: Vec<Code>,
    /// Maximum number of VFs.
    pub vfs_total: Observed<u32>,
    /// Number of VFs.
    pub vfs: u32,
    /// Number of VFs in use.
    pub vfs_in_use: u32,
    /// Number of VFs whose use is unknown.
    pub vfs_use_unknown: u32,
    /// Queue pairs that the adapter itself uses.
    pub queue_pairs: Observed<Option<u32>>,
    /// Maximum number of queue pairs.
    pub queue_pairs_total: Observed<Option<u32>>,
    /// Set when its node does not report now: the adapter is shown as in the last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
}
