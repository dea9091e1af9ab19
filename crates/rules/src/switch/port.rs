//! By which link an adapter leads into a bridge.

use accelnet_model::PciAddress;
use accelnet_model::link::Link;

/// The ports of bridges that lead to the adapters at `addresses`, by index: an adapter's own link, or the
/// bond that it is in. What such a link receives is the bridge's; the kernel passes the filter of a bond
/// on to its active port alone, and moves it when another port becomes active.
pub fn uplink_ports(links: &[Link], addresses: &[PciAddress]) -> Vec<u32> {
    let mut ports = Vec::new();
    let own = links
        .iter()
        .filter(|link| link.parent.is_some_and(|at| addresses.contains(&at)));
    for port in own.filter_map(|link| port_of(links, link)) {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}

fn port_of(links: &[Link], link: &Link) -> Option<u32> {
    let master = links
        .iter()
        .find(|master| link.master.as_deref() == Some(&master.name))?;
    match master.kind.as_deref() {
        Some("bridge") => Some(link.index),
        // Bonds cannot be in bonds.
        Some("bond") => port_of(links, master),
        _ => None,
    }
}
