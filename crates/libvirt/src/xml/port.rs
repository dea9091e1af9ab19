//! The port of a virtual network, as libvirt hands it to its network hook.

use accelnet_model::port::VnicVlan;
use accelnet_model::{Mac, PciAddress};

use super::document::{XmlError, child, of_child, parse};
use super::{address, interface, port_settings};

/// One interface on one network (`<hookData>` of the network hook, since libvirt 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Name of the network.
    pub network: String,
    /// UUID of the domain that owns it.
    pub owner: String,
    /// Its MAC.
    pub mac: Option<Mac>,
    /// The VLANs that libvirt puts it into.
    pub vlan: Option<VnicVlan>,
    /// The VF that libvirt chose; none on a network that hands out none.
    pub vf: Option<PciAddress>,
}

impl Port {
    /// Reads what the hook was handed.
    pub fn parse(xml: &str) -> Result<Self, XmlError> {
        let document = parse(xml)?;
        let data = document.root_element();
        let text = |node, name| {
            child(node, name)
                .and_then(|node| node.text())
                .map(|text| text.trim().to_owned())
        };
        let port = child(data, "networkport").ok_or(XmlError::Missing("the port"))?;
        let network = child(data, "network").ok_or(XmlError::Missing("the network"))?;
        let owner = child(port, "owner").ok_or(XmlError::Missing("the owner of the port"))?;
        let plug = child(port, "plug").ok_or(XmlError::Missing("the plug of the port"))?;
        Ok(Port {
            network: text(network, "name").ok_or(XmlError::Missing("the network's name"))?,
            owner: text(owner, "uuid").ok_or(XmlError::Missing("the owner's UUID"))?,
            mac: of_child(port, "mac", "address")
                .map(interface::mac)
                .transpose()?,
            vlan: child(port, "vlan").map(port_settings::vlan).transpose()?,
            // A plug is built like a source.
            vf: match plug.attribute("type") {
                Some("hostdev-pci") => address::of_source(plug)?,
                _ => None,
            },
        })
    }
}
