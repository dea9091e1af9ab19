//! An interface in the text of its domain, and changed in as few places as can be.

use std::ops::Range;
use std::rc::Rc;

use accelnet_model::Mac;
use accelnet_model::domain::Vnic;
use roxmltree::{Document, Node, NodeId};

use super::device::Device;
use super::document::{XmlError, child, of_child, parse};
use super::interface;
use super::write::attribute;

/// Aliases that accelnet gives begin so.
pub(super) const OWN_ALIAS: &str = "ua-accelnet-";

/// An interface, in the text of its domain or alone. A change is spliced into its text.
#[derive(Debug, Clone)]
pub struct InterfaceXml<'a> {
    text: &'a str,
    document: Rc<Document<'a>>,
    id: NodeId,
}

impl<'a> InterfaceXml<'a> {
    /// Parses one that stands alone.
    pub fn parse(text: &'a str) -> Result<Self, XmlError> {
        let document = Rc::new(parse(text)?);
        let id = document.root_element().id();
        Ok(InterfaceXml { text, document, id })
    }

    pub(super) fn at(text: &'a str, document: &Rc<Document<'a>>, id: NodeId) -> Self {
        let document = document.clone();
        InterfaceXml { text, document, id }
    }

    pub(super) fn node(&self) -> Node<'_, 'a> {
        let node = self.document.get_node(self.id);
        node.unwrap_or_else(|| self.document.root_element())
    }

    /// Its text.
    pub fn as_str(&self) -> &'a str {
        &self.text[self.node().range()]
    }

    /// The vNIC; none where it is not as libvirt writes it.
    pub(super) fn vnic(&self) -> Option<Vnic> {
        interface::vnic(self.node()).ok()
    }

    pub(super) fn alias(&self) -> Option<&str> {
        of_child(self.node(), "alias", "name")
    }

    /// Its alias, if it is a user's.
    pub fn user_alias(&self) -> Option<String> {
        Device::read(self.node()).ok()?.alias().map(str::to_owned)
    }

    /// The VLAN that it names, where it names one and its guest does not see the tag.
    pub fn vlan(&self) -> Option<u16> {
        let vlan = self.vnic()?.vlan?;
        match vlan.tags.as_slice() {
            [only] if !vlan.trunk => Some(*only),
            _ => None,
        }
    }

    /// What it was asked to be connected to: its type, the source's name, and the port group.
    pub fn connected_to(&self) -> Option<(String, String, Option<String>)> {
        let vnic = self.vnic()?;
        Some((vnic.kind, vnic.source?, vnic.portgroup))
    }

    /// As the persistent path of a teaming pair, with `alias` unless it has a user's alias already
    /// ([`user_alias`](Self::user_alias) tells). An interface that is one stays as it is.
    pub fn with_teaming(&self, alias: &str) -> String {
        let root = self.node();
        let mut edits = Vec::new();
        let mut missing = Vec::new();
        if child(root, "teaming").is_none() {
            missing.push("<teaming type='persistent'/>".to_owned());
        }
        let named = format!("<alias name='{}'/>", attribute(alias));
        match child(root, "alias") {
            None => missing.push(named),
            Some(found) if self.user_alias().is_none() => edits.push((found.range(), named)),
            Some(_) => {}
        }
        if !missing.is_empty() {
            let indent = indent(self.text, root);
            let added: String = missing
                .iter()
                .flat_map(|element| [indent, element.as_str()])
                .collect();
            match root.last_element_child() {
                Some(last) => edits.push((last.range().end..last.range().end, added)),
                // It has no children: neither has it a MAC that libvirt could know it by.
                None => return self.as_str().to_owned(),
            }
        }
        self.edited(edits)
    }

    /// Without what [`with_teaming`](Self::with_teaming) gave it, its text as before. `teamed` says that
    /// it was the persistent path of a pair before, and stays one. An alias of a user's stays, and one
    /// that libvirt had made for a running domain does not come back.
    pub fn without_teaming(&self, teamed: bool) -> String {
        let root = self.node();
        let given = of_child(root, "mac", "address")
            .and_then(|mac| interface::mac(mac).ok())
            .map(persistent_alias);
        let own = child(root, "alias").filter(|alias| alias.attribute("name") == given.as_deref());
        let persistent =
            |node: &Node<'_, '_>| !teamed && node.attribute("type") == Some("persistent");
        self.without([own, child(root, "teaming").filter(persistent)])
    }

    /// A vNIC that runs, as it can be plugged in once more: without what libvirt alone gives it, which
    /// are the name of a tap that nobody chose and the number of its port.
    pub fn without_generated(&self) -> String {
        let root = self.node();
        let mut edits = Vec::new();
        if let Some(target) = child(root, "target").filter(|target| is_generated(*target)) {
            edits.push((with_white_space(self.text, target), String::new()));
        }
        let port = child(root, "source")
            .and_then(|source| source.attribute_node("portid"))
            .map(|port| port.range());
        if let Some(port) = port {
            let start = self.text[..port.start].trim_end().len();
            edits.push((start..port.end, String::new()));
        }
        self.edited(edits)
    }

    /// Without the place that it had on its guest's bus: libvirt finds another.
    pub fn without_place(&self) -> String {
        self.without([child(self.node(), "address")])
    }

    fn without<'n>(&self, gone: impl IntoIterator<Item = Option<Node<'n, 'a>>>) -> String
    where
        'a: 'n,
    {
        let gone = gone.into_iter().flatten();
        self.edited(
            gone.map(|node| (with_white_space(self.text, node), String::new()))
                .collect(),
        )
    }

    fn edited(&self, edits: Vec<(Range<usize>, String)>) -> String {
        edited(self.text, self.node().range(), edits)
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

/// Whether libvirt made the name of a tap, or macvtap: a definition does not keep those.
fn is_generated(target: Node<'_, '_>) -> bool {
    let name = target.attribute("dev").unwrap_or_default();
    target.attribute("managed") != Some("no")
        && ["vnet", "macvtap", "macvlan"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
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
pub(super) fn with_white_space(text: &str, node: Node<'_, '_>) -> Range<usize> {
    let range = node.range();
    text[..range.start].trim_end().len()..range.end
}

/// A part of the text with its parts replaced.
pub(super) fn edited(
    text: &str,
    of: Range<usize>,
    mut edits: Vec<(Range<usize>, String)>,
) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut after = String::new();
    let mut at = of.start;
    for (range, new) in edits {
        after.push_str(&text[at..range.start]);
        after.push_str(&new);
        at = range.end;
    }
    after + &text[at..of.end]
}

#[cfg(test)]
mod tests;
