//! What decides whether a VF goes with a domain.

use std::collections::BTreeSet;

use accelnet_model::domain::{DomainMemory, DomainSettings, PciSlots};
use roxmltree::Node;

use super::{XmlError, address, child, children, memory};

/// Reads them of a `<domain>`.
pub fn settings(domain: Node<'_, '_>) -> Result<DomainSettings, XmlError> {
    let kind = child(domain, "os").and_then(|os| child(os, "type"));
    let devices: Vec<Node<'_, '_>> = children(domain, "devices")
        .flat_map(|devices| devices.children())
        .filter(Node::is_element)
        .collect();
    let machine = kind.and_then(|kind| kind.attribute("machine"));
    Ok(DomainSettings {
        os_type: kind
            .and_then(|kind| kind.text())
            .map(|text| text.trim().to_owned()),
        machine: machine.map(str::to_owned),
        memory: memory_settings(domain, &devices)?,
        slots: slots(&devices),
        hostdevs: devices
            .iter()
            .filter(|device| device.has_tag_name("hostdev"))
            .count() as u32,
    })
}

fn memory_settings(
    domain: Node<'_, '_>,
    devices: &[Node<'_, '_>],
) -> Result<DomainMemory, XmlError> {
    let backing = child(domain, "memoryBacking");
    let backed = |name| backing.is_some_and(|backing| child(backing, name).is_some());
    let balloon = devices
        .iter()
        .find(|device| device.has_tag_name("memballoon"));
    let mib = |node: Option<Node<'_, '_>>| node.map(memory::mib).transpose();
    Ok(DomainMemory {
        locked: backed("locked"),
        hugepages: backed("hugepages"),
        no_share_pages: backed("nosharepages"),
        balloon: balloon
            .and_then(|balloon| balloon.attribute("model"))
            .map(str::to_owned),
        current_mib: mib(child(domain, "currentMemory"))?,
        most_mib: mib(child(domain, "maxMemory"))?,
        hard_limit_mib: mib(child(domain, "memtune").and_then(|tune| child(tune, "hard_limit")))?,
    })
}

/// Counts the places. A PCI controller's index is the number of its bus.
fn slots(devices: &[Node<'_, '_>]) -> PciSlots {
    let controllers = |wanted: fn(&str) -> bool| {
        devices
            .iter()
            .filter(|device| {
                device.has_tag_name("controller") && device.attribute("type") == Some("pci")
            })
            .filter(move |device| device.attribute("model").is_some_and(wanted))
            .filter_map(|device| device.attribute("index")?.parse::<u32>().ok())
    };
    // Bus and slot of every device, in the guest.
    let placed: BTreeSet<(u32, u32)> = devices
        .iter()
        .filter_map(|device| child(*device, "address"))
        .filter(|address| address.attribute("type") == Some("pci"))
        .filter_map(|address| {
            let part = |name| address.attribute(name).and_then(address::number);
            Some((part("bus")?, part("slot")?))
        })
        .collect();
    let ports: BTreeSet<u32> =
        controllers(|model| ["pcie-root-port", "pcie-switch-downstream-port"].contains(&model))
            .collect();
    let empty = ports
        .iter()
        .filter(|port| !placed.iter().any(|(bus, _)| bus == *port))
        .count();
    // Slot 0 of a conventional bus is the host bridge's or the bridge's own; of bus 0, slot 1
    // is the old board's.
    let conventional: u32 = controllers(|model| ["pci-root", "pci-bridge"].contains(&model))
        .map(|bus| {
            let taken = placed.iter().filter(|(on, slot)| *on == bus && *slot > 0);
            let board = u32::from(bus == 0 && !placed.contains(&(0, 1)));
            31u32.saturating_sub(taken.count() as u32 + board)
        })
        .sum();
    let known = !placed.is_empty() && (controllers(|_| true).next().is_some());
    PciSlots {
        root_ports: ports.len() as u32,
        free: known.then_some(empty as u32 + conventional),
    }
}

#[cfg(test)]
mod tests;
