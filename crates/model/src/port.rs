//! What a host does with the packets of a vNIC, as libvirt's XML of the vNIC, its network and its
//! port group reports.

use serde::{Deserialize, Serialize};

/// VLANs of a vNIC.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VnicVlan {
    /// Whether the guest sees the tags.
    pub trunk: bool,
    /// VLAN ids, in order.
    pub tags: Vec<u16>,
    /// Whether one of them is a native VLAN, which only a trunk has.
    #[serde(default)]
    pub native: bool,
}

/// The settings of a port on the host, except its VLAN.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortSettings {
    /// Network filter (`<filterref>`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Its link is down (`<link state='down'/>`).
    pub link_down: bool,
    /// Whether it is isolated from other isolated ports (`<port isolated='yes'/>`).
    pub isolated: bool,
    /// Type of its `<virtualport>`; empty if it has no type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_port: Option<String>,
    /// Bandwidth in the direction of the VM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Bandwidth>,
    /// Bandwidth in the direction of the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Bandwidth>,
    /// MTU in bytes (`<mtu size=.../>`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The guest's own receive filter is trusted (`trustGuestRxFilters`).
    pub trust_guest_rx_filters: bool,
}

/// One direction of `<bandwidth>`: KiB/s, and KiB of a burst.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bandwidth {
    /// Rate on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<u64>,
    /// Rate in a burst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
    /// Size of a burst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u64>,
    /// Guaranteed rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<u64>,
}

/// What a libvirt network gives each vNIC that is connected to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSettings {
    /// VLAN, where neither vNIC nor port group has one.
    pub vlan: Option<VnicVlan>,
    /// What else. Its bandwidth is shared by all of its vNICs.
    pub port: PortSettings,
    /// libvirt keeps the bridge's forwarding entries (`<bridge macTableManager='libvirt'/>`).
    pub libvirt_keeps_macs: bool,
    /// Port groups, in order.
    pub groups: Vec<PortGroup>,
}

impl NetworkSettings {
    /// The port group of a vNIC that names `group`, or none: then it is the default one.
    pub fn group(&self, group: Option<&str>) -> Option<&PortGroup> {
        self.groups.iter().find(|one| match group {
            Some(name) => one.name == name,
            None => one.default,
        })
    }
}

/// A port group of a libvirt network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortGroup {
    /// Its name.
    pub name: String,
    /// Whether a vNIC that names none has it.
    pub default: bool,
    /// VLAN, where the vNIC has none.
    pub vlan: Option<VnicVlan>,
    /// What else.
    pub port: PortSettings,
}
