//! The virtual switches of a node: read, changed step by step, and handed what the node
//! needs without cutting it off.

mod effects;
mod firewall;
pub mod guard;
pub mod hand_over;
mod keepers;
mod kernel;

use accelnet_model::switch::{NetworkState, Uplink};
use accelnet_netlink::NetlinkError;
use accelnet_pci::Root;

use crate::Links;

pub use effects::Switches;
pub use kernel::KernelSwitches;

/// Reads all that a plan for a virtual switch with these adapters is made from. An adapter
/// whose link is not there is left out.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn network_state(
    switches: &dyn Switches,
    links: &dyn Links,
    root: &Root,
    uplinks: &[String],
) -> Result<NetworkState, NetlinkError> {
    let links = links.links()?;
    let bridges = switches.list_bridges()?;
    let clients = keepers::clients(root);
    let mut network_state = NetworkState::default();
    for link in &links {
        let uplink = uplinks.contains(&link.name);
        if uplink {
            network_state.uplinks.push(Uplink {
                name: link.name.clone(),
                carried: switches.carried(&link.name)?,
                keepers: keepers::keepers(root, link, &clients),
            });
        }
        if uplink || bridges.iter().any(|bridge| bridge.name == link.name) {
            let renewal = keepers::renewal(root, link, &clients);
            network_state.renewals.push(renewal);
        }
    }
    Ok(NetworkState {
        bridges,
        links,
        ..network_state
    })
}
