//! PCIe root ports that accelnet adds to a definition without a free one.
//!
//! libvirt would add one itself, never remove it, and mark the port beside it as multifunction.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::document::of_child;
use super::domain::DomainXml;
use super::fragment::OWN_ALIAS;
use super::places::place;

/// Aliases of the ports that accelnet adds begin so.
const PORT_ALIAS: &str = "ua-accelnet-port-";

/// Slots of bus 0 for a port, the first choice first: those above are the chipset's, and libvirt fills
/// from below.
const SLOTS: std::ops::RangeInclusive<u32> = 0x02..=0x1a;

/// A PCI controller of a definition.
struct Controller<'a, 'input> {
    node: Node<'a, 'input>,
    index: u32,
}

impl<'a> DomainXml<'a> {
    /// A root port, in a slot of its own, for a definition of a PCIe machine with addresses; none where
    /// no slot is free.
    pub fn port_to_add(&self) -> Option<String> {
        let all: Vec<Node<'_, '_>> = self.devices().collect();
        let controllers = controllers(&all);
        let express = controllers
            .iter()
            .any(|one| one.node.attribute("model") == Some("pcie-root"));
        let index = controllers.iter().map(|one| one.index).max()? + 1;
        let taken: BTreeSet<u32> = places(&all)
            .filter(|(bus, _)| *bus == 0)
            .map(|(_, slot)| slot)
            .collect();
        let slot = SLOTS.rev().find(|slot| !taken.contains(slot))?;
        express.then(|| {
            format!(
                "<controller type='pci' index='{index}' model='pcie-root-port'>\
                 <model name='pcie-root-port'/><target chassis='{index}' port='{:#x}'/>\
                 <alias name='{PORT_ALIAS}{index}'/>\
                 <address type='pci' domain='0x0000' bus='0x00' slot='{slot:#04x}' function='0x0'/>\
                 </controller>",
                slot << 3
            )
        })
    }

    /// The ports that accelnet added and that nothing needs any more, in the order in which they can be
    /// taken away: libvirt fills a gap between indexes with a port of its own.
    pub fn ports_to_remove(&self) -> Vec<&'a str> {
        let all: Vec<Node<'_, '_>> = self.devices().collect();
        let mut controllers = controllers(&all);
        controllers.sort_by_key(|one| std::cmp::Reverse(one.index));
        let own = controllers
            .iter()
            .take_while(|one| is_own_and_empty(one, &all));
        own.map(|one| &self.text[one.node.range()]).collect()
    }

    /// Where the next device goes if accelnet added a port for it: the address of an own port that is
    /// empty.
    pub fn place_on_own_port(&self) -> Option<String> {
        let all: Vec<Node<'_, '_>> = self.devices().collect();
        let mut controllers = controllers(&all).into_iter();
        let bus = controllers.find(|one| is_own_and_empty(one, &all))?.index;
        Some(format!(
            "<address type='pci' domain='0x0000' bus='{bus:#04x}' slot='0x00' function='0x0'/>"
        ))
    }
}

fn is_own_and_empty(port: &Controller<'_, '_>, devices: &[Node<'_, '_>]) -> bool {
    is_own(port.node) && places(devices).all(|(bus, _)| bus != port.index)
}

/// How many of these devices are ports that accelnet added and that hold nothing but what accelnet
/// added.
pub(super) fn own_ports(devices: &[Node<'_, '_>]) -> u32 {
    let foreign: BTreeSet<u32> = devices
        .iter()
        .filter(|device| !alias(**device).starts_with(OWN_ALIAS))
        .filter_map(|device| place(*device))
        .map(|(bus, _)| bus)
        .collect();
    let mut controllers = controllers(devices);
    controllers.sort_by_key(|one| std::cmp::Reverse(one.index));
    let own = controllers
        .iter()
        .take_while(|one| is_own(one.node) && !foreign.contains(&one.index));
    own.count() as u32
}

fn controllers<'a, 'input>(devices: &[Node<'a, 'input>]) -> Vec<Controller<'a, 'input>> {
    let pci = devices.iter().filter(|device| {
        device.has_tag_name("controller") && device.attribute("type") == Some("pci")
    });
    pci.filter_map(|node| {
        let index = node.attribute("index")?.parse().ok()?;
        Some(Controller { node: *node, index })
    })
    .collect()
}

/// Bus and slot of every device that has them.
fn places(devices: &[Node<'_, '_>]) -> impl Iterator<Item = (u32, u32)> {
    devices.iter().filter_map(|device| place(*device))
}

fn is_own(controller: Node<'_, '_>) -> bool {
    alias(controller).starts_with(PORT_ALIAS)
}

fn alias<'a>(device: Node<'a, '_>) -> &'a str {
    of_child(device, "alias", "name").unwrap_or_default()
}

#[cfg(test)]
mod tests;
