//! A device that a fragment of XML names, and whether a domain has it.

use accelnet_model::domain::Teaming;
use accelnet_model::{Mac, PciAddress};
use roxmltree::Node;

use super::document::{XmlError, child, parse};
use super::{address, interface};

/// Users' aliases begin so (formatdomain); libvirt makes all others, anew at each start.
const USERS: &str = "ua-";

/// What a device is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Kind: `interface`, `hostdev`, ...
    kind: String,
    alias: Option<String>,
    mac: Option<Mac>,
    host_device: Option<PciAddress>,
    teaming: Option<Teaming>,
}

impl Device {
    /// Reads the XML of one device.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        Device::read(parse(xml)?.root_element())
    }

    /// Its alias, if it is a user's.
    pub fn alias(&self) -> Option<&str> {
        self.alias.as_deref()
    }

    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, XmlError> {
        let alias = child(node, "alias").and_then(|alias| alias.attribute("name"));
        let mut device = Device {
            kind: node.tag_name().name().to_owned(),
            alias: alias
                .filter(|alias| alias.starts_with(USERS))
                .map(str::to_owned),
            mac: None,
            host_device: None,
            teaming: None,
        };
        match device.kind.as_str() {
            "interface" => {
                let vnic = interface::vnic(node)?;
                device.mac = vnic.mac;
                device.host_device = vnic.host_device;
                device.teaming = vnic.teaming;
            }
            "hostdev" => {
                if let Some(source) = child(node, "source") {
                    device.host_device = address::of_source(source)?;
                }
            }
            _ => {}
        }
        Ok(device)
    }

    /// Whether `node`, which a domain has, is this one.
    pub(super) fn is(&self, node: Node<'_, '_>) -> bool {
        let alike = node.has_tag_name(self.kind.as_str());
        let Some(other) = Device::read(node).ok().filter(|_| alike) else {
            return false;
        };
        if self.alias.is_some() {
            return self.alias == other.alias;
        }
        if self.host_device.is_some() {
            return self.host_device == other.host_device;
        }
        let may_be_teamed_so = self.teaming.is_none()
            || other.teaming.is_none()
            || matches!(self.teaming, Some(Teaming::Persistent))
                == matches!(other.teaming, Some(Teaming::Persistent));
        self.mac.is_some() && self.mac == other.mac && may_be_teamed_so
    }
}

#[cfg(test)]
mod tests;
