//! The XML of a domain, parsed once.

use std::ops::Range;
use std::rc::Rc;

use accelnet_model::domain::{Teaming, Vnic};
use accelnet_model::{Mac, Uuid};
use roxmltree::{Document, Node};

use super::device::Device;
use super::document::{XmlError, child, children, parse};
use super::fragment::InterfaceXml;
use super::fragment::{edited, with_white_space};
use super::write::attribute;

/// The XML of a domain and its tree. A change is spliced into the text, so that nothing is lost.
#[derive(Debug)]
pub struct DomainXml<'a> {
    pub(super) text: &'a str,
    pub(super) document: Rc<Document<'a>>,
}

/// Which of the two interfaces of a teaming pair, which share a MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The virtio path, in a pair or not.
    Persistent,
    /// The VF: in a pair, or a host device.
    Transient,
}

impl<'a> DomainXml<'a> {
    /// Parses it.
    pub fn parse(text: &'a str) -> Result<Self, XmlError> {
        let document = Rc::new(parse(text)?);
        Ok(DomainXml { text, document })
    }

    /// The devices; the format has one `<devices>`, and more are read as libvirt reads them, as one.
    pub(super) fn devices(&self) -> impl Iterator<Item = Node<'_, 'a>> {
        children(self.document.root_element(), "devices")
            .flat_map(|devices| devices.children())
            .filter(Node::is_element)
    }

    /// The place of a device in the text.
    pub fn find(&self, wanted: &Device) -> Option<Range<usize>> {
        let found = self.devices().find(|node| wanted.is(*node))?;
        Some(found.range())
    }

    /// The UUID of the domain, where it has one.
    pub fn uuid(&self) -> Option<Uuid> {
        let uuid = child(self.document.root_element(), "uuid")?;
        uuid.text()?.trim().parse().ok()
    }

    /// Whether the domain runs, which has a number then; a definition has none.
    pub(crate) fn is_live(&self) -> bool {
        self.document.root_element().has_attribute("id")
    }

    /// The interface with that MAC.
    pub fn interface(&self, mac: Mac, part: Part) -> Option<InterfaceXml<'a>> {
        self.interfaces().find(|one| {
            one.vnic().is_some_and(|vnic| {
                let vf = vnic.kind == "hostdev"
                    || matches!(vnic.teaming, Some(Teaming::Transient { .. }));
                vnic.mac == Some(mac) && vf == (part == Part::Transient)
            })
        })
    }

    /// The interface with that alias.
    pub fn interface_called(&self, alias: &str) -> Option<InterfaceXml<'a>> {
        self.interfaces().find(|one| one.alias() == Some(alias))
    }

    /// A domain that comes from another node, with a vNIC whose cable is out in the place of each VF
    /// for which `network_for` names a network; none where nothing changes.
    ///
    /// libvirt takes no other number of interfaces than the domain has where it runs, and compares
    /// MAC, model and place of each. A VF whose interface names no model cannot be replaced: any other
    /// kind of interface has one.
    pub fn with_stand_ins(
        &self,
        mut network_for: impl FnMut(&Vnic) -> Option<String>,
    ) -> Option<String> {
        let mut edits = Vec::new();
        for interface in self.interfaces() {
            let Some(vnic) = interface.vnic() else {
                continue;
            };
            let transient = matches!(vnic.teaming, Some(Teaming::Transient { .. }));
            if !transient || vnic.kind != "network" || vnic.model.is_none() {
                continue;
            }
            let node = interface.node();
            let (Some(source), Some(teaming)) = (child(node, "source"), child(node, "teaming"))
            else {
                continue;
            };
            let Some(network) = network_for(&vnic) else {
                continue;
            };
            let network = attribute(&network);
            let source_xml = format!("<source network='{network}'/><link state='down'/>");
            edits.push((source.range(), source_xml));
            let gone = [Some(teaming), child(node, "link")].into_iter().flatten();
            edits.extend(gone.map(|node| (with_white_space(self.text, node), String::new())));
        }
        (!edits.is_empty()).then(|| edited(self.text, 0..self.text.len(), edits))
    }

    fn interfaces(&self) -> impl Iterator<Item = InterfaceXml<'a>> {
        let interfaces = self.devices().filter(|node| node.has_tag_name("interface"));
        interfaces.map(|node| InterfaceXml::at(self.text, &self.document, node.id()))
    }
}
