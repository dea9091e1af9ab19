//! XML that accelnet writes for libvirt.

use accelnet_model::{Mac, PciAddress};

/// Where the VFs of a pool come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolOf<'a> {
    /// All VFs of a PF, by its netdev. libvirt takes one PF only.
    Pf(&'a str),
    /// These VFs, of whichever PFs.
    Vfs(&'a [PciAddress]),
}

/// The VF of a teaming pair, from the network `pool`. Its partner is the interface with
/// `persistent_alias`; it gets `own_alias`. The model says nothing of a VF, and permits a vNIC to
/// stand in for it where a VM comes to a node without a free one. `place` is its `<address>`; libvirt
/// finds one where it is empty.
pub fn vf_interface(
    pool: &str,
    mac: Mac,
    persistent_alias: &str,
    own_alias: &str,
    vlan: Option<u16>,
    place: &str,
) -> String {
    let vlan = vlan.map_or_else(String::new, |id| format!("<vlan><tag id='{id}'/></vlan>"));
    format!(
        "<interface type='network'><mac address='{mac}'/><source network='{}'/>{vlan}\
         <model type='virtio'/><teaming type='transient' persistent='{}'/><alias name='{}'/>{place}</interface>",
        attribute(pool),
        attribute(persistent_alias),
        attribute(own_alias)
    )
}

/// A virtio vNIC on the network `network`, ready to be the persistent path of a pair.
pub fn bridge_interface(network: &str, mac: Mac, alias: &str) -> String {
    format!(
        "<interface type='network'><mac address='{mac}'/><source network='{}'/>\
         <model type='virtio'/><teaming type='persistent'/><alias name='{}'/></interface>",
        attribute(network),
        attribute(alias)
    )
}

/// A network that hands out VFs.
pub fn hostdev_network(name: &str, of: PoolOf<'_>) -> String {
    let members: String = match of {
        PoolOf::Pf(netdev) => format!("<pf dev='{}'/>", attribute(netdev)),
        PoolOf::Vfs(vfs) => vfs.iter().map(address).collect(),
    };
    format!(
        "<network><name>{}</name><forward mode='hostdev' managed='yes'>{members}</forward></network>",
        text(name)
    )
}

/// A network that connects to a bridge of the host.
pub fn bridge_network(name: &str, bridge: &str) -> String {
    format!(
        "<network><name>{}</name><forward mode='bridge'/><bridge name='{}'/></network>",
        text(name),
        attribute(bridge)
    )
}

fn address(vf: &PciAddress) -> String {
    format!(
        "<address type='pci' domain='{:#06x}' bus='{:#04x}' slot='{:#04x}' function='{:#x}'/>",
        vf.domain, vf.bus, vf.device, vf.function
    )
}

/// Text between tags.
fn text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The value of an attribute. Line ends and tabs would be read as blanks.
pub(super) fn attribute(value: &str) -> String {
    text(value)
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
        .replace('\r', "&#13;")
        .replace('\t', "&#9;")
}

#[cfg(test)]
mod tests;
