//! Virtual functions: settings, driver and who uses one.

use serde::{Deserialize, Serialize};

use crate::{Mac, Observed, PciAddress};

/// One virtual function of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Vf {
    /// Number on its adapter, from 0.
    pub index: u32,
    /// PCI address.
    pub address: PciAddress,
    /// Bound driver; none if unbound.
    pub driver: Observed<Option<String>>,
    /// IOMMU group; none without an IOMMU.
    pub iommu_group: Observed<Option<u32>>,
    /// Its netdevs in the network namespace of accelnet.
    pub netdevs: Vec<String>,
    /// Current number of MSI-X vectors, from its MSI-X capability (PCIe section 7.7.2): `sriov_vf_msix_count`
    /// is write-only.
    pub msix_vectors: Observed<Option<u16>>,
    /// Its settings, as the driver of the PF reports them.
    pub settings: Observed<VfSettings>,
    /// Its users; empty if it is not in use.
    pub users: Observed<Vec<VfUser>>,
}

impl Vf {
    /// Whether it can be handed to vfio: no host driver has it, or vfio itself does.
    pub fn is_ready(&self) -> bool {
        ready_for_vfio(&self.driver, &self.netdevs)
    }
}

/// Whether a VF with that driver and those netdevs can be handed to vfio.
pub fn ready_for_vfio(driver: &Observed<Option<String>>, netdevs: &[String]) -> bool {
    let free = match driver {
        Observed::Known(None) => true,
        Observed::Known(Some(driver)) => driver == "vfio-pci",
        Observed::Unknown(_) => false,
    };
    free && netdevs.is_empty()
}

/// The settings of a VF as the PF's driver reports them (`IFLA_VF_*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VfSettings {
    /// Number on its adapter, from 0.
    pub index: u32,
    /// Administrative MAC; zero if none is set.
    pub mac: Mac,
    /// VLAN id, 0 for none.
    pub vlan: u16,
    /// VLAN priority, 0..=7.
    pub qos: u8,
    /// VLAN protocol.
    pub vlan_protocol: VlanProtocol,
    /// Maximum transmit rate in Mb/s; 0 for no limit.
    pub max_tx_rate: u32,
    /// Minimum transmit rate in Mb/s; 0 for none.
    pub min_tx_rate: u32,
    /// Spoof check: whether the adapter checks the source MAC and VLAN; none if not reported.
    pub spoof_check: Option<bool>,
    /// Trust: whether the guest can use promiscuous mode and change its MAC; none if not reported.
    pub trust: Option<bool>,
    /// Link state policy; none if not reported.
    pub link_state: Option<VfLinkState>,
    /// Whether the guest can query the RSS configuration; none if not reported.
    pub rss_query: Option<bool>,
}

/// VLAN tag protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum VlanProtocol {
    /// 802.1Q, the ordinary tag.
    #[serde(rename = "802.1q")]
    Dot1Q,
    /// 802.1ad, the service tag.
    #[serde(rename = "802.1ad")]
    Dot1Ad,
}

/// The link state policy of a VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum VfLinkState {
    /// Follows the PF's link.
    Auto,
    /// Always up: VFs reach each other without the wire.
    Enable,
    /// Always down.
    Disable,
}

/// A user of a VF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum VfUser {
    /// A running libvirt domain.
    Domain {
        /// Its name.
        name: String,
    },
    /// A process that holds the VF open through vfio or uio.
    Process {
        /// Process id.
        pid: u32,
        /// `comm` of the process, or the name of the guest in its command line.
        name: String,
        /// The device file it holds, such as `/dev/vfio/12`.
        device: String,
    },
    /// The VF's netdev was moved to another network namespace.
    Namespace {
        /// `ip netns` name, or `pid N (comm)` of a process in it.
        namespace: String,
        /// Name of the netdev there.
        netdev: String,
    },
    /// A netdev of the host that is up or a port of a bridge or bond.
    Netdev {
        /// Name of the netdev.
        netdev: String,
        /// Bridge or bond it is a port of.
        master: Option<String>,
    },
    /// A user that accelnet cannot identify.
    Unnamed {
        /// The evidence of the use.
        evidence: String,
    },
}

impl std::fmt::Display for VfUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            VfUser::Domain { name } => write!(f, "VM {name}"),
            VfUser::Process { pid, name, device } => {
                write!(f, "process {pid} ({name}), which holds {device}")
            }
            VfUser::Namespace { namespace, netdev } => {
                write!(f, "network namespace {namespace}, as {netdev}")
            }
            VfUser::Netdev {
                netdev,
                master: None,
            } => write!(f, "host netdev {netdev}, which is up"),
            VfUser::Netdev {
                netdev,
                master: Some(master),
            } => write!(f, "host netdev {netdev}, a port of {master}"),
            VfUser::Unnamed { evidence } => write!(f, "someone unknown: {evidence}"),
        }
    }
}
