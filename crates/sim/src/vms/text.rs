//! Domains as text: devices found, put in, replaced and taken out, all else untouched.

use std::collections::BTreeSet;
use std::ops::Range;

use accelnet_libvirt::xml::{Device, DomainXml};
use roxmltree::{Document, Node};

/// Where the device stands that `wanted` names.
pub fn find(domain: &str, wanted: &Device) -> Option<Range<usize>> {
    DomainXml::parse(domain).ok()?.find(wanted)
}

/// Where the interfaces with that MAC stand.
pub fn with_mac(domain: &str, mac: &str) -> Vec<Range<usize>> {
    let Ok(document) = Document::parse(domain) else {
        return Vec::new();
    };
    interfaces(&document)
        .filter(|node| {
            let own = attribute(*node, "mac", "address");
            own.is_some_and(|own| own.eq_ignore_ascii_case(mac))
        })
        .map(|node| node.range())
        .collect()
}

/// The texts of all interfaces, in order.
pub fn interface_ranges(domain: &str) -> Vec<Range<usize>> {
    let Ok(document) = Document::parse(domain) else {
        return Vec::new();
    };
    interfaces(&document).map(|node| node.range()).collect()
}

/// Whether a device is a vNIC.
pub fn is_interface(device: &str) -> bool {
    Document::parse(device).is_ok_and(|one| one.root_element().has_tag_name("interface"))
}

/// With `device` behind the last one of its kind, or as the last device.
pub fn insert(domain: &str, device: &str) -> String {
    let Ok(document) = Document::parse(domain) else {
        return domain.to_owned();
    };
    let kind = match is_interface(device) {
        true => "interface",
        false => "controller",
    };
    let last = devices(&document)
        .filter(|one| one.has_tag_name(kind))
        .last()
        .or_else(|| devices(&document).last());
    let place = last.map_or(domain.len(), |node| node.range().end);
    format!("{}\n    {device}{}", &domain[..place], &domain[place..])
}

/// Without what stands in `range`, and the white space before it.
pub fn remove(domain: &str, range: Range<usize>) -> String {
    let start = domain[..range.start].trim_end().len();
    format!("{}{}", &domain[..start], &domain[range.end..])
}

/// With `device` where `range` is.
pub fn replace(domain: &str, range: Range<usize>, device: &str) -> String {
    format!("{}{device}{}", &domain[..range.start], &domain[range.end..])
}

/// A device with `element` as its last child.
pub fn with_child(device: &str, element: &str) -> String {
    let Ok(document) = Document::parse(device) else {
        return device.to_owned();
    };
    let last = document.root_element().last_element_child();
    let place = last.map_or(device.len(), |node| node.range().end);
    format!("{}{element}{}", &device[..place], &device[place..])
}

/// Whether a device has a child called `name`.
pub fn has_child(device: &str, name: &str) -> bool {
    Document::parse(device).is_ok_and(|document| child(document.root_element(), name).is_some())
}

/// The text of a child called `name`.
pub fn child_text(device: &str, name: &str) -> Option<String> {
    let document = Document::parse(device).ok()?;
    let found = child(document.root_element(), name)?;
    Some(device[found.range()].to_owned())
}

/// The text within the element called `name` of a domain or network.
pub fn value(xml: &str, name: &str) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let found = child(document.root_element(), name)?;
    found.text().map(|text| text.trim().to_owned())
}

/// With another text within the element called `name`.
pub fn with_value(xml: &str, name: &str, value: &str) -> String {
    let Ok(document) = Document::parse(xml) else {
        return xml.to_owned();
    };
    match child(document.root_element(), name) {
        Some(found) => replace(xml, found.range(), &format!("<{name}>{value}</{name}>")),
        None => xml.to_owned(),
    }
}

/// The place for one more device: an empty PCI Express port. Nothing for a domain that has
/// none of those.
///
/// # Errors
///
/// libvirt's words when all of them are taken.
pub fn place(domain: &str) -> Result<Option<String>, String> {
    let Ok(document) = Document::parse(domain) else {
        return Ok(None);
    };
    let ports: BTreeSet<u32> = devices(&document)
        .filter(|node| node.attribute("model") == Some("pcie-root-port"))
        .filter_map(|node| node.attribute("index").and_then(number))
        .collect();
    let taken: BTreeSet<u32> = devices(&document)
        .filter_map(|node| child(node, "address"))
        .filter_map(|address| address.attribute("bus").and_then(number))
        .collect();
    if ports.is_empty() {
        return Ok(None);
    }
    match ports.iter().find(|port| !taken.contains(port)) {
        Some(bus) => Ok(Some(format!(
            "<address type='pci' domain='0x0000' bus='{bus:#04x}' slot='0x00' function='0x0'/>"
        ))),
        None => Err("internal error: No more available PCI slots".to_owned()),
    }
}

/// Whether the place that a device asks for is free.
///
/// # Errors
///
/// libvirt's words when it is not.
pub fn is_free(domain: &str, device: &str) -> Result<(), String> {
    let (Ok(all), Ok(one)) = (Document::parse(domain), Document::parse(device)) else {
        return Ok(());
    };
    let wanted = place_of(one.root_element());
    match devices(&all).any(|other| place_of(other) == wanted) {
        true => Err(format!(
            "internal error: Attempted double use of PCI Address {wanted:?}"
        )),
        false => Ok(()),
    }
}

/// Bus, slot and function of a device.
fn place_of(device: Node<'_, '_>) -> Option<[u32; 3]> {
    let address = child(device, "address").filter(|one| one.attribute("type") == Some("pci"))?;
    let part = |name| address.attribute(name).and_then(number);
    Some([part("bus")?, part("slot")?, part("function")?])
}

/// With one more root port where no place is free, as libvirt adds it to a definition: behind the last
/// one, in its slot, which the first in it is marked with.
pub fn with_free_port(domain: &str) -> String {
    let Ok(document) = Document::parse(domain) else {
        return domain.to_owned();
    };
    let ports = devices(&document).filter(|one| one.attribute("model") == Some("pcie-root-port"));
    let Some(last) = ports.last().filter(|_| place(domain).is_err()) else {
        return domain.to_owned();
    };
    let index = last.attribute("index").and_then(number).unwrap_or(0) + 1;
    let [_, slot, function] = place_of(last).unwrap_or([0, 2, 0]);
    let port = format!(
        "<controller type='pci' index='{index}' model='pcie-root-port'>\n      \
         <model name='pcie-root-port'/>\n      <target chassis='{index}' port='{index:#x}'/>\n      \
         <address type='pci' domain='0x0000' bus='0x00' slot='{slot:#04x}' function='{:#x}'/>\n    \
         </controller>",
        function + 1
    );
    let first = devices(&document).find(|one| place_of(*one) == Some([0, slot, 0]));
    let with_port = insert(domain, &port);
    match first.and_then(|one| child(one, "address")) {
        // It stands before the new one.
        Some(address) if !address.has_attribute("multifunction") => {
            let end = address.range().end - 2;
            format!(
                "{} multifunction='on'{}",
                &with_port[..end],
                &with_port[end..]
            )
        }
        _ => with_port,
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn devices<'a, 'input>(document: &'a Document<'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    document
        .root_element()
        .children()
        .filter(|node| node.has_tag_name("devices"))
        .flat_map(|devices| devices.children())
        .filter(Node::is_element)
}

fn interfaces<'a, 'input>(
    document: &'a Document<'input>,
) -> impl Iterator<Item = Node<'a, 'input>> {
    devices(document).filter(|node| node.has_tag_name("interface"))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn attribute<'a>(node: Node<'a, '_>, name: &str, attribute: &str) -> Option<&'a str> {
    child(node, name)?.attribute(attribute)
}
