//! What the list of adapters shows of one.

use serde::{Deserialize, Serialize};

use crate::{Code, LastReport, Observed};

/// An adapter in brief. Its JSON is part of the API.
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
    /// Whether it is up and has carrier; none without a netdev.
    pub link: Option<bool>,
    /// Whether VMs can get its VFs.
    pub supported: bool,
    /// Why not: the codes of the checks that it does not pass.
    pub reasons: Vec<Code>,
    /// VFs that it can have.
    pub vfs_total: Observed<u32>,
    /// VFs that exist.
    pub vfs: u32,
    /// VFs that are known to be in use.
    pub vfs_in_use: u32,
    /// VFs whose use is unknown.
    pub vfs_use_unknown: u32,
    /// Queue pairs that the adapter itself uses.
    pub queue_pairs: Observed<Option<u32>>,
    /// Queue pairs that it can use at most.
    pub queue_pairs_total: Observed<Option<u32>>,
    /// Set when its node does not report now: the adapter is shown as in the last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
}
