//! What the ports of a bridge let through.

/// The rules of a bridge for its ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortRules {
    /// Whether it reads VLAN tags (`IFLA_BR_VLAN_FILTERING`); else VLANs of its ports mean nothing.
    pub vlan_filtering: bool,
    /// VLAN of what a new port sends without a tag (`IFLA_BR_VLAN_DEFAULT_PVID`).
    pub default_pvid: Option<u16>,
    /// Whether its tags are those of 802.1ad (`IFLA_BR_VLAN_PROTOCOL`).
    pub service_tags: bool,
    /// MTU in bytes.
    pub mtu: u32,
    /// Its ports, in the kernel's order.
    pub ports: Vec<BridgePort>,
}

impl PortRules {
    /// The port called `name`.
    pub fn port(&self, name: &str) -> Option<&BridgePort> {
        self.ports.iter().find(|port| port.name == name)
    }
}

/// A port of a bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgePort {
    /// Name of its link.
    pub name: String,
    /// It does not reach other isolated ports (`IFLA_BRPORT_ISOLATED`).
    pub isolated: bool,
    /// It sends from known addresses only (`IFLA_BRPORT_LOCKED`).
    pub locked: bool,
    /// Its bridge learns nothing from what it receives (`IFLA_BRPORT_LEARNING`).
    pub learning_off: bool,
    /// It is not sent what its bridge has no entry for (`IFLA_BRPORT_UNICAST_FLOOD`).
    pub flood_off: bool,
    /// Its VLANs, in order.
    pub vlans: Vec<PortVlan>,
}

/// One VLAN of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortVlan {
    /// Its id.
    pub id: u16,
    /// What comes in without a tag belongs to it.
    pub pvid: bool,
    /// It goes out without a tag.
    pub untagged: bool,
}
