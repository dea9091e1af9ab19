//! The definition of a domain, read from libvirt's XML (formatdomain), and the fragments of
//! it that accelnet changes.
//!
//! Only what names a device or a size is looked at; everything else is passed over. A whole
//! domain is never written: what accelnet does not know must not be lost.

mod address;
mod device;
mod domain;
mod fragment;
mod interface;
mod memory;
mod network;
mod places;
mod port;
mod port_settings;
mod root_port;
mod settings;
mod write;

use accelnet_model::PciAddress;
use accelnet_model::domain::{DomainSettings, Vnic};
use roxmltree::{Document, Node, ParsingOptions};

pub use device::Device;
pub use domain::{DomainXml, Part};
pub use fragment::{InterfaceXml, persistent_alias, vf_alias};
pub use network::{NetworkFacts, NetworkXml, network};
pub use port::Port;
pub use write::{PoolOf, bridge_interface, bridge_network, hostdev_network, vf_interface};

/// More elements, texts and comments than any domain has: text from elsewhere cannot take
/// the node's memory.
const MOST_NODES: u32 = 65_536;

/// What a definition says about sizes and devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definition {
    /// vCPUs that it starts with, where it says.
    pub vcpus: Option<u32>,
    /// Memory in MiB, rounded up, where it says.
    pub memory_mib: Option<u64>,
    /// Network devices, in order.
    pub vnics: Vec<Vnic>,
    /// Host PCI functions, each once, in order: of interfaces first.
    pub host_devices: Vec<PciAddress>,
    /// What else decides whether a VF goes with it.
    pub settings: DomainSettings,
}

/// Why a definition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is no XML, or too large.
    #[error("its definition is not XML as libvirt writes it: {0}")]
    NotXml(String),
    /// It is the XML of something else.
    #[error("its definition is a <{0}>, not a <domain>")]
    NotADomain(String),
    /// A part that has to be there is missing.
    #[error("{0} is missing in its definition")]
    Missing(&'static str),
    /// A value is not what the format has.
    #[error("{what} is {found:?} in its definition")]
    BadValue {
        /// Which value.
        what: &'static str,
        /// What stands there.
        found: String,
    },
}

impl DomainXml<'_> {
    /// What it says about sizes and devices.
    pub fn definition(&self) -> Result<Definition, XmlError> {
        let domain = self.document.root_element();
        if !domain.has_tag_name("domain") {
            return Err(XmlError::NotADomain(domain.tag_name().name().to_owned()));
        }
        let devices: Vec<Node<'_, '_>> = self.devices().collect();
        let places = places::Places::of(&devices);
        let mut definition = Definition {
            vcpus: child(domain, "vcpu").map(vcpus).transpose()?,
            memory_mib: child(domain, "memory").map(memory::mib).transpose()?,
            settings: settings::settings(domain, &devices, &places)?,
            ..Definition::default()
        };
        for device in devices {
            definition.add_device(device, &places)?;
        }
        Ok(definition)
    }
}

impl Definition {
    /// Reads a domain's XML.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        DomainXml::parse(xml)?.definition()
    }

    fn add_device(
        &mut self,
        device: Node<'_, '_>,
        places: &places::Places<'_>,
    ) -> Result<(), XmlError> {
        let held = if device.has_tag_name("interface") {
            let mut vnic = interface::vnic(device)?;
            vnic.guest_address = places.of_device(device);
            let held = vnic.host_device;
            self.vnics.push(vnic);
            held
        } else if device.has_tag_name("hostdev") && device.attribute("type") == Some("pci") {
            let source = child(device, "source").ok_or(XmlError::Missing("a hostdev's source"))?;
            let held = address::of_source(source)?;
            Some(held.ok_or(XmlError::Missing("the PCI address of a hostdev"))?)
        } else {
            None
        };
        match held {
            Some(held) if !self.host_devices.contains(&held) => self.host_devices.push(held),
            _ => {}
        }
        Ok(())
    }
}

fn parse(xml: &str) -> Result<Document<'_>, XmlError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(xml, options).map_err(|error| XmlError::NotXml(error.to_string()))
}

/// `<vcpu current='2'>4</vcpu>`: two now, four at most.
fn vcpus(node: Node<'_, '_>) -> Result<u32, XmlError> {
    let most = || node.text().unwrap_or_default().trim();
    let text = node.attribute("current").unwrap_or_else(most);
    text.parse().map_err(|_| XmlError::BadValue {
        what: "the number of vCPUs",
        found: text.to_owned(),
    })
}

/// The children of `node` named `name`, in no namespace.
fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

/// The first child of `node` named `name`.
fn child<'a, 'input>(node: Node<'a, 'input>, name: &'static str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// Attribute `attribute` of the first child named `name`.
fn of_child<'a>(node: Node<'a, '_>, name: &'static str, attribute: &str) -> Option<&'a str> {
    child(node, name)?.attribute(attribute)
}

#[cfg(test)]
mod tests;
