//! What a VM's VF is to be like, handed from the agent to libvirt's network hook, and what
//! became of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{IntentName, Mac, PciAddress, Uuid};

/// Where hook configs and outcomes lie, below the root: gone at boot.
pub const FOLDER: &str = "/run/accelnet/vms";

/// Where the pools lie, below the root: each as the agent found it.
pub const POOLS: &str = "/run/accelnet/pools";

/// A pool of VFs, handed from the agent to libvirt's hook: what a VM that comes from another node
/// would get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The libvirt network of the software path.
    pub network: String,
    /// Its VFs.
    pub vfs: Vec<PciAddress>,
}

/// Where the pool of an intent lies, below `folder`.
pub fn pool_file(folder: &Path, intent: &IntentName) -> PathBuf {
    folder.join(format!("{}.json", intent.pool_network()))
}

/// What the VF of one VM is to be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// MAC of the vNIC that the VF stands in for: a port with another MAC is left alone.
    pub mac: Mac,
    /// Maximum transmit rate in Mb/s; 0 for no limit.
    pub max_tx_rate_mbps: u32,
    /// The same for a VF of these PFs, where adapters have different speeds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub max_tx_rate_mbps_by_pf: BTreeMap<PciAddress, u32>,
    /// Minimum transmit rate in Mb/s; 0 for none.
    pub min_tx_rate_mbps: u32,
    /// VLAN id that its traffic is put into.
    pub vlan: Option<u16>,
    /// Source MAC and VLAN checking.
    pub spoof_check: bool,
    /// The guest may go promiscuous and change its MAC.
    pub trust: bool,
    /// Queue pairs, where the driver gives each VF its own number of MSI-X vectors.
    pub queue_pairs: Option<u32>,
}

impl HookConfig {
    /// Transmit rate at most of a VF of `pf`, in Mb/s; 0 for no limit.
    pub fn max_tx_rate_of(&self, pf: PciAddress) -> u32 {
        let own = self.max_tx_rate_mbps_by_pf.get(&pf);
        own.copied().unwrap_or(self.max_tx_rate_mbps)
    }
}

/// What became of a hook config, or of putting a VF back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VfOutcome {
    /// What libvirt did: `port-created` or `port-deleted`.
    pub operation: String,
    /// MAC of the port.
    pub mac: Option<Mac>,
    /// The VF that libvirt chose.
    pub vf: Option<PciAddress>,
    /// Netdev of its PF.
    pub pf: Option<String>,
    /// Number of the VF on its PF.
    pub index: Option<u32>,
    /// What was set, in words such as `set the rate to 0..1000 Mb/s`.
    pub done: Vec<String>,
    /// What was not, and why, as sentence fragments.
    pub failures: Vec<String>,
}

/// Where the hook config of a VM lies, below `folder`.
pub fn config_file(folder: &Path, uuid: &Uuid) -> PathBuf {
    folder.join(format!("{uuid}.json"))
}

/// Where the outcome of a VM's hook config lies, below `folder`.
pub fn outcome_file(folder: &Path, uuid: &Uuid) -> PathBuf {
    folder.join(format!("{uuid}.outcome.json"))
}

/// Where the note lies that a VM comes from another node, below `folder`.
pub fn coming_file(folder: &Path, uuid: &Uuid) -> PathBuf {
    folder.join(format!("{uuid}.coming"))
}
