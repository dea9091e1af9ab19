//! Virtual switches: the bridges of a node, what its links carry, and a change of them as
//! plain data.

mod address;
mod keeper;
mod mention;
mod plan;
mod port;
mod route;
mod setting;
mod step;

use serde::{Deserialize, Serialize};

use crate::Mac;
use crate::link::Link;

pub use address::{Address, AddressFlags, Expiry, Neighbour};
pub use keeper::{Keeper, Program, Renewal};
pub use mention::{DirectVnic, Mention};
pub use plan::{Gateway, Plan};
pub use port::{BridgePort, PortRules, PortVlan};
pub use route::{Network, Route, RouteMetric};
pub use setting::Setting;
pub use step::SwitchStep;

/// A Linux bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// Name.
    pub name: String,
    /// Kernel index.
    pub index: u32,
    /// Its own MAC.
    pub mac: Option<Mac>,
    /// MTU in bytes.
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// Names of its ports, in the order of their indexes.
    pub ports: Vec<String>,
    /// Its own addresses.
    pub addresses: Vec<Address>,
    /// Whether it takes part in a spanning tree (`IFLA_BR_STP_STATE`).
    pub spanning_tree: bool,
    /// How long a new port stays silent under a spanning tree, in milliseconds
    /// (`IFLA_BR_FORWARD_DELAY`).
    pub forward_delay_ms: u32,
    /// Whether it reads VLAN tags (`IFLA_BR_VLAN_FILTERING`).
    pub vlan_filtering: bool,
}

/// A link that stands on another one, such as a VLAN or a macvlan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stacked {
    /// Name.
    pub name: String,
    /// `IFLA_INFO_KIND`: vlan, macvlan, ...
    pub kind: String,
}

/// What a link carries of its node, and what stands on it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Addresses, in the kernel's order.
    pub addresses: Vec<Address>,
    /// Routes of all tables but `local` that go out of it.
    pub routes: Vec<Route>,
    /// Neighbours that an administrator fixed.
    pub neighbours: Vec<Neighbour>,
    /// Settings that differ from those a new link gets.
    pub settings: Vec<Setting>,
    /// Links that stand on it, in this network namespace.
    pub stacked: Vec<Stacked>,
}

/// An adapter that could be an uplink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uplink {
    /// Name of its link.
    pub name: String,
    /// The link type.
    pub carried: Carried,
    /// Who else configures it.
    pub keepers: Vec<Keeper>,
}

/// What a plan for a virtual switch is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkState {
    /// All links of the node.
    pub links: Vec<Link>,
    /// Its bridges.
    pub bridges: Vec<Bridge>,
    /// The adapters that were asked about, as far as they are there.
    pub uplinks: Vec<Uplink>,
    /// What renews leases on the adapters and the bridges.
    #[serde(default)]
    pub renewals: Vec<Renewal>,
    /// vNICs that are macvtaps.
    #[serde(default)]
    pub direct: Vec<DirectVnic>,
    /// When addresses run out that are valid for a time.
    #[serde(default)]
    pub expiries: Vec<Expiry>,
}
