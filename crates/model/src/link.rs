//! Network links: what the kernel's route netlink and ethtool report about one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Mac, Observed, PciAddress};

/// How a bond uses its ports (`Documentation/networking/bonding.rst`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum BondMode {
    /// Ports send in turn.
    #[serde(rename = "balance-rr")]
    BalanceRr,
    /// One port sends and receives; the others wait until it fails.
    #[serde(rename = "active-backup")]
    ActiveBackup,
    /// A hash chooses the port that sends.
    #[serde(rename = "balance-xor")]
    BalanceXor,
    /// All ports send everything.
    #[serde(rename = "broadcast")]
    Broadcast,
    /// Link aggregation with LACP.
    #[serde(rename = "802.3ad")]
    Lacp,
    /// The load chooses the port that sends.
    #[serde(rename = "balance-tlb")]
    BalanceTlb,
    /// The same, with different MACs for different neighbours.
    #[serde(rename = "balance-alb")]
    BalanceAlb,
    /// A mode that this release does not know.
    #[serde(other, rename = "unknown")]
    Unknown,
}

impl BondMode {
    /// The modes by their numbers (`BOND_MODE_*` of `linux/if_bonding.h`).
    const BY_NUMBER: [BondMode; 7] = [
        BondMode::BalanceRr,
        BondMode::ActiveBackup,
        BondMode::BalanceXor,
        BondMode::Broadcast,
        BondMode::Lacp,
        BondMode::BalanceTlb,
        BondMode::BalanceAlb,
    ];

    /// Its number; 255 for one that is not known.
    pub fn number(self) -> u8 {
        let place = Self::BY_NUMBER.iter().position(|mode| *mode == self);
        place
            .and_then(|place| u8::try_from(place).ok())
            .unwrap_or(u8::MAX)
    }

    /// The mode with that number.
    pub fn from_number(number: u8) -> Self {
        let known = Self::BY_NUMBER.get(usize::from(number));
        known.copied().unwrap_or(BondMode::Unknown)
    }
}

impl fmt::Display for BondMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BondMode::BalanceRr => "balance-rr",
            BondMode::ActiveBackup => "active-backup",
            BondMode::BalanceXor => "balance-xor",
            BondMode::Broadcast => "broadcast",
            BondMode::Lacp => "802.3ad",
            BondMode::BalanceTlb => "balance-tlb",
            BondMode::BalanceAlb => "balance-alb",
            BondMode::Unknown => "unknown",
        })
    }
}

/// What a link carries (`ARPHRD_*` of `linux/if_arp.h`), as `ip link` shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum LinkType {
    /// Ethernet.
    #[default]
    Ether,
    /// IP over InfiniBand.
    Infiniband,
    /// A netdev for control alone, without frames.
    None,
    /// Any other.
    #[serde(other)]
    Other,
}

impl LinkType {
    /// The type with that number.
    pub fn from_number(number: u16) -> Self {
        match number {
            1 => LinkType::Ether,
            32 => LinkType::Infiniband,
            0xfffe => LinkType::None,
            _ => LinkType::Other,
        }
    }

    /// Its number; that of `ARPHRD_VOID` for any other.
    pub fn number(self) -> u16 {
        match self {
            LinkType::Ether => 1,
            LinkType::Infiniband => 32,
            LinkType::None => 0xfffe,
            LinkType::Other => 0xffff,
        }
    }
}

/// The properties of a bond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bond {
    /// Its mode.
    pub mode: BondMode,
    /// Name of the active port; none if no port is active or the mode has no active port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<String>,
}

/// One network device, in one network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Link {
    /// Kernel index, unique in its network namespace.
    pub index: u32,
    /// Name, at most 15 bytes.
    pub name: String,
    /// The link type.
    #[serde(default)]
    pub link_type: LinkType,
    /// Alternative names.
    pub alt_names: Vec<String>,
    /// Current MAC (`IFLA_ADDRESS`); none for links that have none.
    pub mac: Option<Mac>,
    /// Permanent MAC (`IFLA_PERM_ADDRESS`); none if the driver reports none.
    pub permanent_mac: Option<Mac>,
    /// MTU in bytes.
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
    /// The properties of a bond; none for other kinds of links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bond: Option<Bond>,
}

/// ethtool's driver information of a link.
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
    /// Maximum number of receive-only queues.
    pub max_rx: u32,
    /// Maximum number of transmit-only queues.
    pub max_tx: u32,
    /// Maximum number of queue pairs.
    pub max_combined: u32,
}

impl Channels {
    /// Queue pairs now: combined ones and as many as rx and tx make together.
    pub fn pairs(&self) -> u32 {
        self.combined + self.rx.min(self.tx)
    }

    /// Maximum number of queue pairs.
    pub fn max_pairs(&self) -> u32 {
        self.max_combined.max(self.max_rx.min(self.max_tx))
    }
}

/// A network device of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Interface {
    /// What route netlink reports.
    #[serde(flatten)]
    pub link: Link,
    /// Link speed in Mb/s; none without carrier.
    pub speed_mbps: Observed<Option<u32>>,
    /// ethtool's driver information.
    pub driver_info: Observed<DriverInfo>,
    /// Queue counts; none if the driver does not support changing them.
    pub channels: Observed<Option<Channels>>,
}
