//! Domains: the VMs that libvirt knows on a node.

use serde::{Deserialize, Serialize};

use crate::{Mac, PciAddress};

/// One libvirt domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Domain {
    /// Name, unique on its node.
    pub name: String,
    /// UUID, the same wherever the VM runs.
    pub uuid: String,
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

/// A network device of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Part in a teaming pair: `persistent`, or `transient` with its partner's alias.
    pub teaming: Option<Teaming>,
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
