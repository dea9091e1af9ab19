//! Network links: what the kernel's route netlink and ethtool say of one.

use serde::{Deserialize, Serialize};

use crate::{Mac, Observed, PciAddress};

/// One network device, in one network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Link {
    /// Kernel index, unique in its network namespace.
    pub index: u32,
    /// Name, at most 15 bytes.
    pub name: String,
    /// Alternative names.
    pub alt_names: Vec<String>,
    /// Current MAC (`IFLA_ADDRESS`); none for links that have none.
    pub mac: Option<Mac>,
    /// Burned-in MAC (`IFLA_PERM_ADDRESS`); none where the driver reports none.
    pub permanent_mac: Option<Mac>,
    /// Bytes of the largest payload.
    pub mtu: u32,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Has carrier (`IFLA_CARRIER`).
    pub carrier: bool,
    /// Name of the bridge or bond it is a port of.
    pub master: Option<String>,
    /// `IFLA_INFO_KIND` for software links: bridge, bond, vlan, ...
    pub kind: Option<String>,
    /// The PCI function behind it (`IFLA_PARENT_DEV_NAME`, kernel 5.14 and later).
    pub parent: Option<PciAddress>,
    /// Number of VFs the kernel reports for it (`IFLA_NUM_VF`).
    pub vf_count: Option<u32>,
}

/// What ethtool says of a link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DriverInfo {
    /// Driver name.
    pub driver: String,
    /// Driver version; since Linux 5.x most in-tree drivers report the kernel's own.
    pub version: Option<String>,
    /// Firmware version.
    pub firmware: Option<String>,
    /// Bus address, `0000:01:00.0` for PCI.
    pub bus: Option<String>,
}

/// Queue counts of a link (ethtool channels). A combined channel is a queue pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Channels {
    /// Receive-only queues now.
    pub rx: u32,
    /// Transmit-only queues now.
    pub tx: u32,
    /// Queue pairs now.
    pub combined: u32,
    /// Receive-only queues at most.
    pub max_rx: u32,
    /// Transmit-only queues at most.
    pub max_tx: u32,
    /// Queue pairs at most.
    pub max_combined: u32,
}

impl Channels {
    /// Queue pairs now: combined ones and as many as rx and tx make together.
    pub fn pairs(&self) -> u32 {
        self.combined + self.rx.min(self.tx)
    }

    /// Queue pairs at most.
    pub fn max_pairs(&self) -> u32 {
        self.max_combined.max(self.max_rx.min(self.max_tx))
    }
}

/// A network device of an adapter, with all that was asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Interface {
    /// What route netlink says.
    #[serde(flatten)]
    pub link: Link,
    /// Link speed in Mb/s; none while there is no carrier.
    pub speed_mbps: Observed<Option<u32>>,
    /// ethtool's driver information.
    pub driver_info: Observed<DriverInfo>,
    /// Queue counts; none where the driver has no control of them.
    pub channels: Observed<Option<Channels>>,
}
