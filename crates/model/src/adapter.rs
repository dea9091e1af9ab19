//! Adapters: the physical functions of network cards, and the way from them to the root.

use serde::{Deserialize, Serialize};

use crate::link::{Interface, Link};
use crate::{Mac, Observed, PciAddress, Vf};

/// One network adapter: a PCI function of class 02 that is not itself a VF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Adapter {
    /// PCI address.
    pub address: PciAddress,
    /// Its netdevs in the network namespace of accelnet; none without a bound driver.
    pub interfaces: Vec<Interface>,
    /// Vendor, by number and name.
    pub vendor: PciId,
    /// Device, by number and name.
    pub device: PciId,
    /// Whether its configuration space can be read; a device that left the bus reads as all ones.
    #[serde(default = "responds")]
    pub responds: Observed<bool>,
    /// Bound driver; none if unbound.
    pub driver: Observed<Option<Driver>>,
    /// Firmware version; none if the driver reports none.
    pub firmware: Observed<Option<String>>,
    /// NUMA node; none on machines with one.
    pub numa_node: Observed<Option<u32>>,
    /// PCIe link; none where the kernel reports none: functions of the root complex and of PCI have none.
    pub pcie_link: Observed<Option<PcieLink>>,
    /// IOMMU group; none without an IOMMU.
    pub iommu_group: Observed<Option<IommuGroup>>,
    /// Bridges from the adapter's slot up to the root, nearest first.
    pub bridges: Observed<Vec<Bridge>>,
    /// SR-IOV; none if the function does not have the capability.
    pub sriov: Observed<Option<Sriov>>,
    /// VF features of the adapter.
    pub features: VfFeatures,
    /// Its VFs, by number.
    pub vfs: Vec<Vf>,
}

/// Of a report of an earlier release.
fn responds() -> Observed<bool> {
    Observed::Known(true)
}

impl Adapter {
    /// What it is called.
    pub fn identity(&self) -> Identity {
        Identity {
            address: self.address,
            links: self
                .interfaces
                .iter()
                .map(|interface| interface.link.clone())
                .collect(),
        }
    }

    /// The name to call it by.
    pub fn name(&self) -> String {
        self.identity().name()
    }

    /// VFs that a user uses, or of which that cannot be determined.
    pub fn vfs_in_use(&self) -> impl Iterator<Item = &Vf> {
        self.vfs
            .iter()
            .filter(|vf| vf.users.known().is_none_or(|users| !users.is_empty()))
    }
}

/// What an adapter is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// PCI address.
    pub address: PciAddress,
    /// Its netdevs.
    pub links: Vec<Link>,
}

impl Identity {
    /// The name to call it by: its first netdev, or its PCI address without one.
    pub fn name(&self) -> String {
        match self.links.first() {
            Some(link) => link.name.clone(),
            None => self.address.to_string(),
        }
    }

    /// Whether `name` means this adapter: a netdev name, an alternative name, its PCI
    /// address or its MAC, permanent or present.
    pub fn answers_to(&self, name: &str) -> bool {
        let mac = name.parse::<Mac>().ok();
        name.parse() == Ok(self.address)
            || self.links.iter().any(|link| {
                link.name == name
                    || link.alt_names.iter().any(|alt| alt == name)
                    || (mac.is_some() && (link.permanent_mac == mac || link.mac == mac))
            })
    }
}

/// A PCI vendor or device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PciId {
    /// Its number.
    pub id: Observed<u16>,
    /// Its name in the distribution's `pci.ids`.
    pub name: Observed<Option<String>>,
}

/// A bound driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Driver {
    /// Name, as under `/sys/bus/pci/drivers`.
    pub name: String,
    /// Version, if the module or ethtool reports one.
    pub version: Option<String>,
}

/// The current and the maximum rate of a PCIe link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PcieLink {
    /// The negotiated rate; none if the link reports none (integrated endpoints).
    pub current: Option<PcieRate>,
    /// The maximum rate of the device.
    pub max: PcieRate,
}

/// Speed and width of a PCIe link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PcieRate {
    /// Transfer rate of a lane in MT/s: 2500, 5000, 8000, 16000, 32000, 64000.
    pub megatransfers: u32,
    /// Lanes: 1, 2, 4, 8, 12, 16, 32.
    pub lanes: u8,
}

impl PcieRate {
    /// Usable Mb/s after line encoding (8b/10b up to 5 GT/s, 128b/130b up to 32, flit mode above).
    pub fn megabits(&self) -> u64 {
        let raw = u64::from(self.megatransfers) * u64::from(self.lanes);
        match self.megatransfers {
            ..=5_000 => raw * 8 / 10,
            5_001..=32_000 => raw * 128 / 130,
            32_001.. => raw * 242 / 256,
        }
    }
}

/// An IOMMU group: devices that can only be assigned together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IommuGroup {
    /// Its number.
    pub id: u32,
    /// All functions of the group.
    pub members: Vec<PciAddress>,
}

/// One bridge above an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Bridge {
    /// PCI address.
    pub address: PciAddress,
    /// The kind of bridge, from a capability that only root can read.
    pub kind: Observed<BridgeKind>,
    /// Whether it is one of several functions of its device (header type bit 7).
    pub multifunction: Observed<bool>,
    /// Access Control Services; none if the bridge does not have the capability.
    pub acs: Observed<Option<Acs>>,
    /// Bus directly below it.
    pub secondary_bus: u8,
    /// Highest bus number below it.
    pub subordinate_bus: u8,
    /// ARI forwarding: required for VFs with a function number above 7.
    pub ari_forwarding: Observed<bool>,
}

/// The kind of a bridge (PCIe device/port type, PCIe section 7.5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BridgeKind {
    /// Root port.
    RootPort,
    /// Upstream port of a switch.
    SwitchUpstream,
    /// Downstream port of a switch.
    SwitchDownstream,
    /// PCI Express to PCI bridge, or the other way round, or a conventional bridge.
    Conventional,
}

/// Access Control Services of a port (PCIe section 7.7.7): supported and enabled ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Acs {
    /// Source validation, translation blocking, request redirect, completion redirect,
    /// upstream forwarding, egress control, direct translated: bits 0 to 6 of the
    /// capability register.
    pub capable: u16,
    /// The same bits of the control register.
    pub enabled: u16,
}

impl Acs {
    /// Source validation.
    pub const SOURCE_VALIDATION: u16 = 1;
    /// Request redirect.
    pub const REQUEST_REDIRECT: u16 = 1 << 2;
    /// Completion redirect.
    pub const COMPLETION_REDIRECT: u16 = 1 << 3;
    /// Upstream forwarding.
    pub const UPSTREAM_FORWARDING: u16 = 1 << 4;
    /// What the kernel asks of a port before it separates what lies below it
    /// (`REQ_ACS_FLAGS` in `drivers/iommu/iommu.c`).
    pub const ISOLATION: u16 = Self::SOURCE_VALIDATION
        | Self::REQUEST_REDIRECT
        | Self::COMPLETION_REDIRECT
        | Self::UPSTREAM_FORWARDING;

    /// Whether the port keeps what lies below it apart. What it is not capable of switching
    /// counts as always on (`pci_acs_flags_enabled` in `drivers/pci/pci.c`).
    pub fn isolates(&self) -> bool {
        let switched = self.capable & Self::ISOLATION;
        self.enabled & switched == switched
    }
}

/// The SR-IOV capability of an adapter (PCIe section 9.3.3) and the kernel's view of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sriov {
    /// `sriov_totalvfs`: number of VFs that the driver allows now; 0 if the firmware allows none.
    pub total_vfs: Observed<u32>,
    /// `sriov_numvfs`: number of enabled VFs.
    pub num_vfs: Observed<u32>,
    /// The VFs that exist, counted by their `virtfn` links.
    pub current_vfs: u32,
    /// TotalVFs of the capability: the maximum of the hardware.
    pub hardware_vfs: Observed<u16>,
    /// InitialVFs of the capability.
    pub initial_vfs: Observed<u16>,
    /// First VF offset: routing ids from the PF to VF 0.
    pub offset: Observed<u16>,
    /// VF stride: routing ids from one VF to the next.
    pub stride: Observed<u16>,
    /// Device id of the VFs.
    pub vf_device: Observed<u16>,
    /// Memory spaces of the VFs.
    pub bars: Observed<Vec<VfBar>>,
    /// Whether the kernel probes drivers for new VFs (`sriov_drivers_autoprobe`).
    pub drivers_autoprobe: Observed<bool>,
    /// MSI-X vectors that can be distributed to VFs (`sriov_vf_total_msix`); none if the driver does not
    /// support it.
    pub vf_total_msix: Observed<Option<u32>>,
    /// Whether the routing ID of every VF is on a bus behind the bridge of the adapter.
    pub bus_numbers: Observed<BusNumbers>,
}

impl Sriov {
    /// How many VFs can be switched on: those that the driver allows, as far as bus numbers reach.
    pub fn usable_vfs(&self) -> Observed<u32> {
        let reachable = self
            .bus_numbers
            .known()
            .map(|buses| buses.reachable_vfs.into());
        let most = reachable.unwrap_or(u32::MAX);
        self.total_vfs.clone().map(|total| total.min(most))
    }
}

/// A memory space (BAR) of the VFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VfBar {
    /// BAR number, 0..=5.
    pub index: u8,
    /// Bytes for one VF; none if the kernel assigned no space, or if the number of VFs that share the space
    /// is unknown.
    pub size: Option<u64>,
    /// 64-bit BAR.
    pub is_64bit: bool,
    /// Prefetchable.
    pub prefetchable: bool,
    /// Whether the firmware or the kernel assigned address space.
    pub assigned: bool,
}

/// Bus numbers that the VFs of an adapter need, and those behind its bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BusNumbers {
    /// Bus number of the last VF if all VFs are enabled.
    pub needed: u16,
    /// Highest bus number that leads to the adapter.
    pub available: u8,
    /// Number of VFs that these bus numbers allow.
    pub reachable_vfs: u16,
}

/// The VF features of an adapter, as the adapter reports them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VfFeatures {
    /// Transmit rate limit.
    pub max_tx_rate: Observed<Support>,
    /// Guaranteed transmit rate.
    pub min_tx_rate: Observed<Support>,
    /// Trust.
    pub trust: Observed<Support>,
    /// Spoof check.
    pub spoof_check: Observed<Support>,
    /// VLAN by 802.1Q.
    pub vlan: Observed<Support>,
    /// VLAN by 802.1ad.
    pub vlan_802_1ad: Observed<Support>,
    /// Link state policy.
    pub link_state: Observed<Support>,
    /// MSI-X vectors set per VF.
    pub msix_per_vf: Observed<Support>,
    /// Eswitch mode (devlink); none if the driver has no eswitch.
    pub eswitch: Observed<Option<EswitchMode>>,
}

impl VfFeatures {
    /// Nothing of it is known, for one `reason`.
    pub fn unknown(reason: &str) -> Self {
        let unknown = || Observed::unknown(reason);
        VfFeatures {
            max_tx_rate: unknown(),
            min_tx_rate: unknown(),
            trust: unknown(),
            spoof_check: unknown(),
            vlan: unknown(),
            vlan_802_1ad: unknown(),
            link_state: unknown(),
            msix_per_vf: unknown(),
            eswitch: Observed::unknown(reason),
        }
    }
}

/// Whether an operation is supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "supported")]
pub enum Support {
    /// It is supported.
    #[serde(rename = "yes")]
    Yes,
    /// It was refused.
    #[serde(rename = "no")]
    No {
        /// The error of the driver or of the kernel.
        reason: String,
    },
}

/// Mode of an embedded switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EswitchMode {
    /// The adapter switches by MAC and VLAN.
    Legacy,
    /// The host programs the switch through representors.
    Switchdev,
}

#[cfg(test)]
mod tests;
