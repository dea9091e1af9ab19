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
    /// UUID, the same on every node.
    pub uuid: Uuid,
    /// State.
    pub state: DomainState,
    /// Whether its definition survives a stop.
    pub persistent: bool,
    /// Number of vCPUs.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Its network devices, in the order of its definition.
    pub vnics: Vec<Vnic>,
    /// PCI functions of the host that it uses (running) or requests (stopped), by `<hostdev>` or `<interface
    /// type='hostdev'>`.
    pub host_devices: Vec<PciAddress>,
    /// Other settings that decide whether it can have a VF.
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
    /// Not reported by libvirt.
    Unknown,
}

impl DomainState {
    /// Whether a domain in this state holds its devices.
    pub fn holds_devices(self) -> bool {
        !matches!(self, DomainState::ShutOff | DomainState::Crashed)
    }
}

/// The settings of a domain outside its devices.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainSettings {
    /// Kind of virtual machine: `hvm` for full virtualization.
    pub os_type: Option<String>,
    /// Machine type, such as `pc-q35-10.0`.
    pub machine: Option<String>,
    /// Memory.
    pub memory: DomainMemory,
    /// Free places for PCI devices.
    pub slots: PciSlots,
    /// `<hostdev>` elements: assigned devices other than vNICs.
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

/// The memory of a domain. A VF locks all of it, which excludes overcommitted and reclaimed memory.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainMemory {
    /// Locked by its definition (`<memoryBacking><locked/>`).
    pub locked: bool,
    /// Backed by huge pages.
    pub hugepages: bool,
    /// Size of the huge pages in KiB; none for the default size of the node.
    pub hugepage_kib: Option<u64>,
    /// Source of the memory: `memfd`, `file` or `anonymous`; none if the definition has none.
    pub source: Option<String>,
    /// Shared with other processes (`<access mode='shared'/>`).
    pub shared: bool,
    /// Memory devices. Their sizes are part of `memory_mib`.
    pub devices: Vec<MemoryDevice>,
    /// Shared pages are not merged (`<nosharepages/>`).
    pub no_share_pages: bool,
    /// Model of the balloon; `none` if the definition has none.
    pub balloon: Option<String>,
    /// Current memory in MiB (`<currentMemory>`), if the definition has it: less than `memory_mib` if the
    /// balloon holds some.
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
    /// Free places for a device of the running VM: empty root ports, or empty slots of a conventional bus;
    /// none if the machine has no PCI or its devices have no addresses yet.
    pub free: Option<u32>,
    /// Root ports that accelnet added for the VF and that it removes with the VF.
    pub accelnet_root_ports: u32,
    /// Whether the root bus is PCI Express; none if the definition has no root bus.
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

/// A vNIC of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Vnic {
    /// MAC, if the definition has one.
    pub mac: Option<Mac>,
    /// `type` of the interface: bridge, network, hostdev, ...
    pub kind: String,
    /// The bridge, network or device that it is connected to.
    pub source: Option<String>,
    /// Model: virtio, e1000e, ...
    pub model: Option<String>,
    /// Host-side netdev of a running domain.
    pub target: Option<String>,
    /// Device alias.
    pub alias: Option<String>,
    /// Host PCI function behind it.
    pub host_device: Option<PciAddress>,
    /// Role in a teaming pair: `persistent`, or `transient` with the alias of the virtio vNIC. For a running
    /// domain it is the role with which QEMU started it: a persistent vNIC offers failover.
    pub teaming: Option<Teaming>,
    /// Port group of its network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portgroup: Option<String>,
    /// Its VLANs in libvirt's definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<VnicVlan>,
    /// Its PCI address in the guest, if the definition has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_address: Option<GuestPlace>,
    /// Its port settings on the host.
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

/// The role of a vNIC in a libvirt teaming pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Teaming {
    /// The virtio vNIC, which is always present.
    Persistent,
    /// The VF, which is detached for a migration.
    Transient {
        /// Alias of the virtio vNIC of the pair.
        persistent: String,
    },
}
