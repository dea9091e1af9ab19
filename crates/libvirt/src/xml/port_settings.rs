//! What a host does with a vNIC's packets: said in the vNIC, its network and its port group.

use accelnet_model::port::{Bandwidth, NetworkSettings, PortGroup, PortSettings, VnicVlan};
use roxmltree::Node;

use super::document::{XmlError, child, children, of_child};

/// Of an `<interface>`; `shown` is what it came to on this host, its `<actual>` or itself.
pub(super) fn of_vnic(interface: Node<'_, '_>, shown: Node<'_, '_>) -> PortSettings {
    let own = of(interface);
    let actual = of(shown);
    PortSettings {
        filter: child(interface, "filterref").map(|filter| {
            let name = filter.attribute("filter").unwrap_or_default();
            name.to_owned()
        }),
        link_down: of_child(interface, "link", "state") == Some("down"),
        isolated: actual.isolated || own.isolated,
        virtual_port: actual.virtual_port.or(own.virtual_port),
        inbound: actual.inbound.or(own.inbound),
        outbound: actual.outbound.or(own.outbound),
        mtu: own.mtu,
        trust_guest_rx_filters: actual.trust_guest_rx_filters || own.trust_guest_rx_filters,
    }
}

/// Of a `<network>`.
pub(super) fn of_network(network: Node<'_, '_>) -> NetworkSettings {
    let groups = children(network, "portgroup").map(|group| PortGroup {
        name: group.attribute("name").unwrap_or_default().to_owned(),
        default: group.attribute("default") == Some("yes"),
        vlan: vlan_of(group),
        port: of(group),
    });
    NetworkSettings {
        vlan: vlan_of(network),
        port: of(network),
        libvirt_keeps_macs: of_child(network, "bridge", "macTableManager") == Some("libvirt"),
        groups: groups.collect(),
    }
}

/// What vNICs, networks and port groups have in common.
fn of(node: Node<'_, '_>) -> PortSettings {
    let bandwidth = child(node, "bandwidth");
    let direction = |name| Some(rates(child(bandwidth?, name)?));
    PortSettings {
        isolated: of_child(node, "port", "isolated") == Some("yes"),
        virtual_port: child(node, "virtualport").map(|port| {
            let kind = port.attribute("type").unwrap_or_default();
            kind.to_owned()
        }),
        inbound: direction("inbound"),
        outbound: direction("outbound"),
        mtu: of_child(node, "mtu", "size").and_then(|size| size.parse().ok()),
        trust_guest_rx_filters: node.attribute("trustGuestRxFilters") == Some("yes"),
        ..PortSettings::default()
    }
}

fn rates(node: Node<'_, '_>) -> Bandwidth {
    let number = |name| node.attribute(name)?.trim().parse().ok();
    Bandwidth {
        average: number("average"),
        peak: number("peak"),
        burst: number("burst"),
        floor: number("floor"),
    }
}

/// The VLAN of a network or a port group. One that makes no sense is a trunk without tags, which
/// no VF stands in for.
fn vlan_of(node: Node<'_, '_>) -> Option<VnicVlan> {
    let found = child(node, "vlan")?;
    Some(vlan(found).unwrap_or(VnicVlan {
        trunk: true,
        tags: Vec::new(),
        native: false,
    }))
}

/// `<vlan trunk='yes'><tag id='42' nativeMode='untagged'/><tag id='47'/></vlan>`.
pub(super) fn vlan(node: Node<'_, '_>) -> Result<VnicVlan, XmlError> {
    let tags = children(node, "tag").map(|tag| {
        let id = tag.attribute("id").unwrap_or_default();
        id.parse().map_err(|_| XmlError::BadValue {
            what: "the VLAN of an interface",
            found: id.to_owned(),
        })
    });
    Ok(VnicVlan {
        trunk: node.attribute("trunk") == Some("yes"),
        tags: tags.collect::<Result<_, _>>()?,
        native: children(node, "tag").any(|tag| tag.has_attribute("nativeMode")),
    })
}

#[cfg(test)]
mod tests;
