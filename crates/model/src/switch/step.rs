//! One step of a change of a virtual switch; each can be done twice.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Neighbour, Route, Setting};
use crate::Mac;

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum SwitchStep {
    /// Make a bridge, without a spanning tree, that is down.
    CreateBridge {
        /// Its name.
        bridge: String,
        /// Its MAC; none for one that the kernel makes up.
        mac: Option<Mac>,
        /// MTU in bytes.
        mtu: u32,
    },
    /// Delete a bridge; its ports stay.
    DeleteBridge {
        /// Its name.
        bridge: String,
    },
    /// Change a kernel setting of a link.
    Set {
        /// The link.
        link: String,
        /// What to set.
        setting: Setting,
    },
    /// Change the MAC of a link.
    SetMac {
        /// The link.
        link: String,
        /// Its MAC from then on.
        mac: Mac,
    },
    /// Change the MTU of a link.
    SetMtu {
        /// The link.
        link: String,
        /// MTU in bytes.
        mtu: u32,
    },
    /// Bring a link up.
    Up {
        /// The link.
        link: String,
    },
    /// Take a link down.
    Down {
        /// The link.
        link: String,
    },
    /// Make a link a port of a bridge.
    AddPort {
        /// The bridge.
        bridge: String,
        /// The link, which is no port of a bridge.
        port: String,
    },
    /// Take a port out of its bridge.
    RemovePort {
        /// The bridge.
        bridge: String,
        /// The port.
        port: String,
    },
    /// Give a link an address, or an address that it has its lifetime.
    AddAddress {
        /// The link.
        link: String,
        /// The address.
        address: Address,
    },
    /// Take an address from a link.
    RemoveAddress {
        /// The link.
        link: String,
        /// The address.
        address: Address,
    },
    /// Add a route, behind others of the same destination and metric.
    AddRoute {
        /// The link that it goes out of.
        link: String,
        /// The route.
        route: Route,
    },
    /// Remove a route.
    RemoveRoute {
        /// The link that it goes out of.
        link: String,
        /// The route.
        route: Route,
    },
    /// Fix a neighbour.
    AddNeighbour {
        /// The link.
        link: String,
        /// The neighbour.
        neighbour: Neighbour,
    },
    /// Forget a fixed neighbour.
    RemoveNeighbour {
        /// The link.
        link: String,
        /// The neighbour.
        neighbour: Neighbour,
    },
}

impl fmt::Display for SwitchStep {
    /// An order, as in "create bridge acn-vms".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SwitchStep::CreateBridge { bridge, .. } => write!(f, "create bridge {bridge}"),
            SwitchStep::DeleteBridge { bridge } => write!(f, "delete bridge {bridge}"),
            SwitchStep::Set { link, setting } => {
                write!(f, "set {} of {link} to {}", setting.name, setting.value)
            }
            SwitchStep::SetMac { link, mac } => write!(f, "set the MAC of {link} to {mac}"),
            SwitchStep::SetMtu { link, mtu } => write!(f, "set the MTU of {link} to {mtu}"),
            SwitchStep::Up { link } => write!(f, "set {link} up"),
            SwitchStep::Down { link } => write!(f, "set {link} down"),
            SwitchStep::AddPort { bridge, port } => {
                write!(f, "add port {port} to bridge {bridge}")
            }
            SwitchStep::RemovePort { bridge, port } => {
                write!(f, "remove port {port} from bridge {bridge}")
            }
            SwitchStep::AddAddress { link, address } => {
                write!(f, "add address {address} to {link}")
            }
            SwitchStep::RemoveAddress { link, address } => {
                write!(f, "remove address {address} from {link}")
            }
            SwitchStep::AddRoute { link, route } => write!(f, "add route {route} dev {link}"),
            SwitchStep::RemoveRoute { link, route } => {
                write!(f, "remove route {route} dev {link}")
            }
            SwitchStep::AddNeighbour { link, neighbour } => {
                write!(f, "add permanent neighbour {neighbour} on {link}")
            }
            SwitchStep::RemoveNeighbour { link, neighbour } => {
                write!(f, "remove neighbour {neighbour} on {link}")
            }
        }
    }
}
