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
    /// Bound driver; none when unbound.
    pub driver: Observed<Option<String>>,
    /// IOMMU group; none without an IOMMU.
    pub iommu_group: Observed<Option<u32>>,
    /// Host network devices on it, in the namespace of the observer.
    pub netdevs: Vec<String>,
    /// MSI-X vectors it has now (`sriov_vf_msix_count` is write-only: read from its
    /// MSI-X capability, PCIe section 7.7.2).
    pub msix_vectors: Observed<Option<u16>>,
    /// What the PF's driver says of it.
    pub settings: Observed<VfSettings>,
    /// Who uses it; empty when nobody does.
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
    /// Administrative MAC; zero when none was set.
    pub mac: Mac,
    /// VLAN id, 0 for none.
    pub vlan: u16,
    /// VLAN priority, 0..=7.
    pub qos: u8,
    /// VLAN protocol.
    pub vlan_protocol: VlanProtocol,
    /// Transmit rate at most, in Mb/s; 0 for no limit.
    pub max_tx_rate: u32,
    /// Transmit rate at least, in Mb/s; 0 for none.
    pub min_tx_rate: u32,
    /// Source MAC and VLAN checking; none where the driver does not report it.
    pub spoof_check: Option<bool>,
    /// Trusted for promiscuous mode and MAC changes; none where not reported.
    pub trust: Option<bool>,
    /// Link state policy; none where not reported.
    pub link_state: Option<VfLinkState>,
    /// Whether the guest may query RSS configuration; none where not reported.
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

/// What decides whether a VF has link.
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

/// Somebody who would lose something if the VF went away.
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
        /// `comm` of the process, or what its command line names as the guest.
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
    /// Something has it that accelnet cannot name.
    Unnamed {
        /// What shows that it is used.
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
