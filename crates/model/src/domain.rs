//! Domains: the VMs that libvirt knows on a node.

use serde::{Deserialize, Serialize};

use crate::port::{PortSettings, VnicVlan};
use crate::{Mac, PciAddress, Uuid};

/// Aliases that accelnet gives VFs begin so. A vNIC that has one stands in for a VF that was not
/// free when its VM came to the node.
pub const VF_ALIAS: &str = "ua-accelnet-vf-";

/// Aliases that accelnet gives the vNICs beside VFs begin so.
pub const PATH_ALIAS: &str = "ua-accelnet-path-";

/// One libvirt domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Domain {
    /// Name, unique on its node.
    pub name: String,
    /// UUID, the same wherever the VM runs.
    pub uuid: Uuid,
    /// What it is doing.
    pub state: DomainState,
    /// Whether its definition survives a stop.
    pub persistent: bool,
    /// vCPUs that it runs with.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Its network devices, in the order of its definition.
    pub vnics: Vec<Vnic>,
    /// Host PCI functions it holds (when running) or would take (when not), by
    /// `<hostdev>` or `<interface type='hostdev'>`.
    pub host_devices: Vec<PciAddress>,
    /// What else decides whether a VF goes with it.
    #[serde(default)]
    pub settings: DomainSettings,
}

/// The state of a domain (`virDomainState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DomainState {
    /// Running, blocked, or on its way down.
    Running,
    /// Paused: its devices are still held.
    Paused,
    /// Suspended by guest power management: its devices are still held.
    Suspended,
    /// Not running.
    ShutOff,
    /// Crashed; no devices held.
    Crashed,
    /// libvirt did not say.
    Unknown,
}

impl DomainState {
    /// Whether a domain in this state holds its devices.
    pub fn holds_devices(self) -> bool {
        !matches!(self, DomainState::ShutOff | DomainState::Crashed)
    }
}

/// Settings of a domain beside its devices' own.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainSettings {
    /// Kind of virtual machine: `hvm` for a whole one.
    pub os_type: Option<String>,
    /// Machine type, such as `pc-q35-10.0`.
    pub machine: Option<String>,
    /// Memory.
    pub memory: DomainMemory,
    /// Where a further PCI device can be plugged in.
    pub slots: PciSlots,
    /// `<hostdev>` elements: devices other than vNICs that are handed through.
    pub hostdevs: u32,
    /// Virtual IOMMU.
    pub iommu: Option<GuestIommu>,
    /// Memory encryption: the type of `<launchSecurity>`, such as `sev-snp`.
    pub encryption: Option<String>,
    /// The guest's system, as libosinfo's metadata names it: a URL.
    pub os_id: Option<String>,
}

/// A virtual IOMMU (`<iommu>`).
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuestIommu {
    /// Model: `intel`, `amd`, `smmuv3`, `virtio`.
    pub model: String,
    /// Whether the guest reports new mappings to QEMU (`caching_mode='on'`, Intel).
    pub caching_mode: bool,
}

/// How a domain's memory is backed. A VF needs all of it locked, so what is promised twice
/// or taken back does not go with one.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainMemory {
    /// Locked by its definition (`<memoryBacking><locked/>`).
    pub locked: bool,
    /// Backed by huge pages.
    pub hugepages: bool,
    /// Size of the huge pages in KiB, where the definition says; else the node's default size.
    pub hugepage_kib: Option<u64>,
    /// What backs it: `memfd`, `file` or `anonymous`, where the definition says.
    pub source: Option<String>,
    /// Shared with other processes (`<access mode='shared'/>`).
    pub shared: bool,
    /// Memory devices. Their sizes are part of `memory_mib`.
    pub devices: Vec<MemoryDevice>,
    /// Shared pages are not merged (`<nosharepages/>`).
    pub no_share_pages: bool,
    /// Model of the balloon; `none` when its definition says so.
    pub balloon: Option<String>,
    /// MiB that it has now (`<currentMemory>`), where the definition says: less than
    /// `memory_mib` when the balloon holds some.
    pub current_mib: Option<u64>,
    /// MiB that it may grow to by plugging memory (`<maxMemory>`).
    #[serde(rename = "max_mib")]
    pub most_mib: Option<u64>,
    /// MiB that its processes may use (`<memtune><hard_limit>`).
    pub hard_limit_mib: Option<u64>,
}

/// A memory device (`<memory>` below `<devices>`).
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryDevice {
    /// Model: `dimm`, `virtio-mem`, `nvdimm`, `virtio-pmem`, `sgx-epc`.
    pub model: String,
    /// Size in MiB; of a virtio-mem device, the most that can be plugged.
    pub size_mib: u64,
    /// MiB of a virtio-mem device that are plugged, or that are requested while the VM is stopped.
    pub plugged_mib: Option<u64>,
    /// File or device behind it.
    pub path: Option<String>,
}

/// PCI places of a domain.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PciSlots {
    /// PCIe root ports and switch ports.
    pub root_ports: u32,
    /// Places where a device can be plugged in while it runs: empty root ports, or empty
    /// slots of a conventional bus; none where the machine has no PCI or its devices have
    /// no addresses yet.
    pub free: Option<u32>,
    /// Root ports that accelnet added, and that hold nothing else: they go with its VF.
    pub accelnet_root_ports: u32,
    /// Whether the root bus is PCI Express; none where the definition has no root bus.
    pub pcie: Option<bool>,
}

/// Where a PCI device is in the guest.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuestPlace {
    /// Number of its bus.
    pub bus: u32,
    /// Model of the controller that provides the bus, such as `pcie-root-port`.
    pub controller: Option<String>,
    /// Why the device cannot be unplugged while the VM runs; none if it can.
    pub no_unplug_reason: Option<String>,
}

/// A network device of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Vnic {
    /// MAC, if the definition has one.
    pub mac: Option<Mac>,
    /// `type` of the interface: bridge, network, hostdev, ...
    pub kind: String,
    /// What it is connected to: a bridge, a network, a device.
    pub source: Option<String>,
    /// Model: virtio, e1000e, ...
    pub model: Option<String>,
    /// Host-side netdev of a running domain.
    pub target: Option<String>,
    /// Device alias.
    pub alias: Option<String>,
    /// Host PCI function behind it.
    pub host_device: Option<PciAddress>,
    /// Part in a teaming pair: `persistent`, or `transient` with its partner's alias. Of a
    /// running domain it is what QEMU started it with: a persistent one offers failover.
    pub teaming: Option<Teaming>,
    /// Port group of its network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portgroup: Option<String>,
    /// VLANs that libvirt puts it into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<VnicVlan>,
    /// Its PCI address in the guest, if the definition has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_address: Option<GuestPlace>,
    /// What else its host does with its packets.
    #[serde(default)]
    pub port: PortSettings,
}

impl Vnic {
    /// Whether accelnet gave it its alias, for the VF beside it.
    pub fn has_given_alias(&self) -> bool {
        let name = |mac: Mac| format!("{PATH_ALIAS}{}", mac.to_string().replace(':', ""));
        self.alias.is_some() && self.alias == self.mac.map(name)
    }
}

/// The part of a vNIC in a libvirt teaming pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Teaming {
    /// The virtio path, always there.
    Persistent,
    /// The VF, taken away for migration.
    Transient {
        /// Alias of the persistent partner.
        persistent: String,
    },
}
