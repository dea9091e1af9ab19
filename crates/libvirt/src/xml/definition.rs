//! What the XML of a domain says about its size and its devices.

use accelnet_model::PciAddress;
use accelnet_model::domain::{DomainSettings, Vnic};
use roxmltree::Node;

use super::document::{XmlError, child};
use super::domain::DomainXml;
use super::{address, interface, memory, places, settings};

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

/// `<vcpu current='2'>4</vcpu>`: two now, four at most.
fn vcpus(node: Node<'_, '_>) -> Result<u32, XmlError> {
    let most = || node.text().unwrap_or_default().trim();
    let text = node.attribute("current").unwrap_or_else(most);
    text.parse().map_err(|_| XmlError::BadValue {
        what: "the number of vCPUs",
        found: text.to_owned(),
    })
}
