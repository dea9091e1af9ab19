//! PCI places of a domain: which are free, and which devices can be unplugged.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_model::domain::{GuestPlace, PciSlots};
use roxmltree::Node;

use super::address;
use super::document::{child, of_child};

/// Ports that take one device each, on a bus of their own.
const PORTS: [&str; 2] = ["pcie-root-port", "pcie-switch-downstream-port"];
/// Buses with slots of conventional PCI.
const CONVENTIONAL: [&str; 2] = ["pci-root", "pci-bridge"];

/// The PCI controllers and addresses of a domain.
pub struct Places<'a> {
    /// Model of each controller and whether its `<target hotplug='off'/>` is set, by the number of
    /// its bus, which is the controller's index.
    buses: BTreeMap<u32, (&'a str, bool)>,
    /// Bus and slot of every device.
    placed: Vec<(u32, u32)>,
}

impl<'a> Places<'a> {
    /// Of the devices of a domain.
    pub fn of(devices: &[Node<'a, '_>]) -> Self {
        let buses = devices.iter().filter_map(|device| {
            let pci = device.has_tag_name("controller") && device.attribute("type") == Some("pci");
            let index = device.attribute("index").filter(|_| pci)?.parse().ok()?;
            let off = of_child(*device, "target", "hotplug") == Some("off");
            Some((index, (device.attribute("model")?, off)))
        });
        Places {
            buses: buses.collect(),
            placed: devices.iter().filter_map(|device| place(*device)).collect(),
        }
    }

    /// The places that are free for another device; accelnet's own ports are not counted.
    pub fn slots(&self) -> PciSlots {
        let taken: BTreeSet<(u32, u32)> = self.placed.iter().copied().collect();
        let ports = || {
            let ports = self.buses.iter();
            ports.filter(|(_, (model, _))| PORTS.contains(model))
        };
        let empty = ports()
            .filter(|(_, (_, off))| !off)
            .filter(|(port, _)| !taken.iter().any(|(bus, _)| bus == *port))
            .count() as u32;
        // Slot 0 of a conventional bus is the host bridge's or the bridge's own; of bus 0, slot 1
        // is the old board's.
        let conventional: u32 = self
            .buses
            .iter()
            .filter(|(_, (model, _))| CONVENTIONAL.contains(model))
            .map(|(bus, _)| {
                let taken_here = taken.iter().filter(|(on, slot)| on == bus && *slot > 0);
                let board = u32::from(*bus == 0 && !taken.contains(&(0, 1)));
                31u32.saturating_sub(taken_here.count() as u32 + board)
            })
            .sum();
        let pcie = match self.buses.get(&0) {
            Some(("pcie-root", _)) => Some(true),
            Some(("pci-root", _)) => Some(false),
            _ => None,
        };
        // A VF on a conventional bus behind a PCI Express root cannot be a failover device.
        let free = match pcie {
            Some(true) => empty,
            _ => empty + conventional,
        };
        let known = !taken.is_empty() && !self.buses.is_empty();
        PciSlots {
            root_ports: ports().count() as u32,
            free: known.then_some(free),
            pcie,
            accelnet_root_ports: 0,
        }
    }

    /// Where `device` is; none where it has no PCI address.
    pub fn of_device(&self, device: Node<'_, '_>) -> Option<GuestPlace> {
        let (bus, slot) = place(device)?;
        let controller = self.buses.get(&bus);
        let here = self.placed.iter().filter(|other| **other == (bus, slot));
        let fixed = match controller {
            Some((model, true)) => Some(format!("its {model} has hotplug='off'")),
            Some((model, false)) if *model == "pcie-root" => {
                Some("devices of the root bus are part of the machine".to_owned())
            }
            Some((model, false)) if !hotplugs(model) => Some(format!("a {model} has no hot-plug")),
            _ if here.count() > 1 => Some("other devices share its slot".to_owned()),
            // hw/pci/pci.c: "Hot-plugged device without ROM bar can't have an option ROM".
            _ if rom_without_bar(device) => {
                Some("QEMU plugs in no device with <rom bar='off'/>".to_owned())
            }
            _ => None,
        };
        Some(GuestPlace {
            bus,
            controller: controller.map(|(model, _)| (*model).to_owned()),
            no_unplug_reason: fixed,
        })
    }
}

fn rom_without_bar(device: Node<'_, '_>) -> bool {
    let rom = |attribute| of_child(device, "rom", attribute);
    rom("bar") == Some("off") && rom("enabled") != Some("no")
}

fn hotplugs(model: &str) -> bool {
    PORTS.contains(&model) || CONVENTIONAL.contains(&model) || model == "pcie-to-pci-bridge"
}

/// Bus and slot of a device.
pub(super) fn place(device: Node<'_, '_>) -> Option<(u32, u32)> {
    let address = child(device, "address")?;
    let pci = address.attribute("type") == Some("pci");
    let part = |name| address.attribute(name).and_then(address::number);
    Some((part("bus").filter(|_| pci)?, part("slot")?))
}

#[cfg(test)]
mod tests;
