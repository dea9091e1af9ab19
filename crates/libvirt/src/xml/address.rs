//! PCI addresses of host devices.

use accelnet_model::PciAddress;
use roxmltree::Node;

use super::document::{XmlError, child};

/// The host's PCI function that `<source>` names; none where it names none.
///
/// `<source><address domain='0x0000' bus='0x06' slot='0x02' function='0x0'/></source>`;
/// of an interface, `type='pci'` stands beside, and other types are no PCI functions.
pub fn of_source(source: Node<'_, '_>) -> Result<Option<PciAddress>, XmlError> {
    match child(source, "address") {
        Some(address) => of_element(address),
        None => Ok(None),
    }
}

/// The PCI function that an `<address>` names; none where it is of another type.
pub fn of_element(address: Node<'_, '_>) -> Result<Option<PciAddress>, XmlError> {
    match address.attribute("type") {
        None | Some("pci") => pci(address).map(Some),
        Some(_) => Ok(None),
    }
}

fn pci(address: Node<'_, '_>) -> Result<PciAddress, XmlError> {
    let part = |name: &str, most: u32| match address.attribute(name) {
        // libvirt takes 0 for a part that is not there; it always writes all four.
        None => Some(0),
        Some(text) => number(text).filter(|&number| number <= most),
    };
    let read = || {
        Some(PciAddress {
            domain: part("domain", u32::MAX)?,
            bus: part("bus", 0xff)? as u8,
            device: part("slot", 0x1f)? as u8,
            function: part("function", 7)? as u8,
        })
    };
    let placed = address.has_attribute("bus") || address.has_attribute("slot");
    read().filter(|_| placed).ok_or_else(|| XmlError::BadValue {
        what: "the PCI address of a host device",
        found: ["domain", "bus", "slot", "function"]
            .map(|name| address.attribute(name).unwrap_or("-"))
            .join(" "),
    })
}

/// A number as C writes it: hexadecimal after `0x`, octal after `0`, else decimal.
pub(super) fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    match digits.starts_with('+') {
        true => None,
        false => u32::from_str_radix(digits, radix).ok(),
    }
}
