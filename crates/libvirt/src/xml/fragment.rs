//! Interfaces cut out of a definition's text, and changed in as few places as can be.

use std::ops::Range;

use accelnet_model::Mac;
use accelnet_model::domain::{Teaming, Vnic};
use roxmltree::Node;

use super::device::devices;
use super::write::attribute;
use super::{child, interface, of_child, parse};

/// Aliases that accelnet gives begin so.
pub(super) const OWN_ALIAS: &str = "ua-accelnet-";

/// Which of the two interfaces of a teaming pair, which share a MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The virtio path, in a pair or not.
    Persistent,
    /// The VF: in a pair, or a host device.
    Transient,
}

/// The text of the interface with that MAC, as it stands in a domain's XML.
pub fn interface_fragment(domain_xml: &str, mac: Mac, part: Part) -> Option<String> {
    let document = parse(domain_xml).ok()?;
    let found = devices(&document)
        .filter(|node| node.has_tag_name("interface"))
        .find(|node| {
            interface::vnic(*node).is_ok_and(|vnic| {
                let vf = vnic.kind == "hostdev"
                    || matches!(vnic.teaming, Some(Teaming::Transient { .. }));
                vnic.mac == Some(mac) && vf == (part == Part::Transient)
            })
        })?;
    Some(domain_xml[found.range()].to_owned())
}

/// The alias of an interface, if it is a user's.
pub fn user_alias(fragment: &str) -> Option<String> {
    super::Device::parse(fragment)
        .ok()?
        .alias()
        .map(str::to_owned)
}

/// The VLAN that an interface names, where it names one and its guest does not see the tag.
pub fn interface_vlan(fragment: &str) -> Option<u16> {
    let document = parse(fragment).ok()?;
    let vlan = interface::vnic(document.root_element()).ok()?.vlan?;
    match vlan.tags.as_slice() {
        [only] if !vlan.trunk => Some(*only),
        _ => None,
    }
}

/// The alias that accelnet gives the virtio path with that MAC.
pub fn persistent_alias(mac: Mac) -> String {
    format!("{}{}", accelnet_model::domain::PATH_ALIAS, hex(mac))
}

/// The alias that accelnet gives the VF with that MAC.
pub fn vf_alias(mac: Mac) -> String {
    format!("{}{}", accelnet_model::domain::VF_ALIAS, hex(mac))
}

fn hex(mac: Mac) -> String {
    mac.to_string().replace(':', "")
}

/// An interface as the persistent path of a teaming pair, with `alias` unless it has a
/// user's alias already ([`user_alias`] tells). An interface that is one stays as it is.
pub fn with_teaming(fragment: &str, alias: &str) -> String {
    let Ok(document) = parse(fragment) else {
        return fragment.to_owned();
    };
    let root = document.root_element();
    let mut edits = Vec::new();
    let mut missing = Vec::new();
    if child(root, "teaming").is_none() {
        missing.push("<teaming type='persistent'/>".to_owned());
    }
    let named = format!("<alias name='{}'/>", attribute(alias));
    match child(root, "alias") {
        None => missing.push(named),
        Some(found) if user_alias(fragment).is_none() => edits.push((found.range(), named)),
        Some(_) => {}
    }
    if !missing.is_empty() {
        let indent = indent(fragment, root);
        let added: String = missing
            .iter()
            .flat_map(|element| [indent, element.as_str()])
            .collect();
        match root.last_element_child() {
            Some(last) => edits.push((last.range().end..last.range().end, added)),
            // It has no children: neither has it a MAC that libvirt could know it by.
            None => return fragment.to_owned(),
        }
    }
    edited(fragment, edits)
}

/// An interface without what [`with_teaming`] gave it, its text as before. `teamed` says that it was
/// the persistent path of a pair before, and stays one. An alias of a user's stays, and one that
/// libvirt had made for a running domain does not come back.
pub fn without_teaming(fragment: &str, teamed: bool) -> String {
    let Ok(document) = parse(fragment) else {
        return fragment.to_owned();
    };
    let root = document.root_element();
    let given = of_child(root, "mac", "address")
        .and_then(|mac| interface::mac(mac).ok())
        .map(persistent_alias);
    let own = child(root, "alias").filter(|alias| alias.attribute("name") == given.as_deref());
    let persistent = |node: &Node<'_, '_>| !teamed && node.attribute("type") == Some("persistent");
    let gone = [own, child(root, "teaming").filter(persistent)];
    let gone = gone.into_iter().flatten();
    edited(
        fragment,
        gone.map(|node| (with_white_space(fragment, node), String::new()))
            .collect(),
    )
}

/// A vNIC that runs, as it can be plugged in once more: without what libvirt alone gives it, which
/// are the name of a tap that nobody chose and the number of its port.
pub fn without_generated(fragment: &str) -> String {
    let Ok(document) = parse(fragment) else {
        return fragment.to_owned();
    };
    let root = document.root_element();
    let mut edits = Vec::new();
    if let Some(target) = child(root, "target").filter(|target| is_generated(*target)) {
        edits.push((with_white_space(fragment, target), String::new()));
    }
    let port = child(root, "source")
        .and_then(|source| source.attribute_node("portid"))
        .map(|port| port.range());
    if let Some(port) = port {
        let start = fragment[..port.start].trim_end().len();
        edits.push((start..port.end, String::new()));
    }
    edited(fragment, edits)
}

/// Whether libvirt made the name of a tap, or macvtap: a definition does not keep those.
fn is_generated(target: Node<'_, '_>) -> bool {
    let name = target.attribute("dev").unwrap_or_default();
    target.attribute("managed") != Some("no")
        && ["vnet", "macvtap", "macvlan"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// A device without the place that it had on its guest's bus: libvirt finds another.
pub fn without_place(fragment: &str) -> String {
    let Ok(document) = parse(fragment) else {
        return fragment.to_owned();
    };
    let place = child(document.root_element(), "address");
    edited(
        fragment,
        place
            .map(|node| (with_white_space(fragment, node), String::new()))
            .into_iter()
            .collect(),
    )
}

/// A device at that place on its guest's bus, which is an `<address>`.
pub fn with_place(fragment: &str, address: &str) -> String {
    let Ok(document) = parse(fragment) else {
        return fragment.to_owned();
    };
    match document.root_element().last_element_child() {
        Some(last) => {
            let end = last.range().end;
            edited(fragment, vec![(end..end, address.to_owned())])
        }
        None => fragment.to_owned(),
    }
}

/// What a vNIC was asked to be connected to: its type, the source's name, and the port group.
pub fn connected_to(fragment: &str) -> Option<(String, String, Option<String>)> {
    let document = parse(fragment).ok()?;
    let vnic = interface::vnic(document.root_element()).ok()?;
    Some((vnic.kind, vnic.source?, vnic.portgroup))
}

/// The text of the interface with that alias.
pub fn interface_called(domain_xml: &str, alias: &str) -> Option<String> {
    let document = parse(domain_xml).ok()?;
    let found = devices(&document)
        .filter(|node| node.has_tag_name("interface"))
        .find(|node| child(*node, "alias").and_then(|one| one.attribute("name")) == Some(alias))?;
    Some(domain_xml[found.range()].to_owned())
}

/// A domain that comes from another node, with a vNIC whose cable is out in the place of each VF
/// for which `network_for` names a network; none where nothing changes.
///
/// libvirt takes no other number of interfaces than the domain has where it runs, and compares
/// MAC, model and place of each. A VF whose interface names no model cannot be replaced: any other
/// kind of interface has one.
pub fn with_stand_ins(
    domain_xml: &str,
    mut network_for: impl FnMut(&Vnic) -> Option<String>,
) -> Option<String> {
    let document = parse(domain_xml).ok()?;
    let mut edits = Vec::new();
    for node in devices(&document).filter(|node| node.has_tag_name("interface")) {
        let Ok(vnic) = interface::vnic(node) else {
            continue;
        };
        let transient = matches!(vnic.teaming, Some(Teaming::Transient { .. }));
        if !transient || vnic.kind != "network" || vnic.model.is_none() {
            continue;
        }
        let (Some(source), Some(teaming)) = (child(node, "source"), child(node, "teaming")) else {
            continue;
        };
        let Some(network) = network_for(&vnic) else {
            continue;
        };
        let source_xml = format!(
            "<source network='{}'/><link state='down'/>",
            attribute(&network)
        );
        edits.push((source.range(), source_xml));
        edits.push((with_white_space(domain_xml, teaming), String::new()));
        if let Some(link) = child(node, "link") {
            edits.push((with_white_space(domain_xml, link), String::new()));
        }
    }
    (!edits.is_empty()).then(|| edited(domain_xml, edits))
}

/// What stands before the first child: the end of the line and the indentation.
fn indent<'a>(text: &'a str, root: Node<'_, '_>) -> &'a str {
    let first = root
        .first_element_child()
        .map_or(0, |first| first.range().start);
    let before = &text[..first];
    &before[before.trim_end().len()..]
}

/// The text of a node with the white space before it.
fn with_white_space(text: &str, node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    text[..range.start].trim_end().len()..range.end
}

/// The text with its parts replaced.
fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    // From the end, so that the places before stay where they are.
    edits.sort_by_key(|(range, _)| range.start);
    let mut text = text.to_owned();
    for (range, new) in edits.into_iter().rev() {
        text.replace_range(range, &new);
    }
    text
}

#[cfg(test)]
mod tests;
