//! Network devices of a domain.

use accelnet_model::domain::{Teaming, Vnic};
use roxmltree::Node;

use super::document::{XmlError, child, of_child};
use super::{address, port_settings};

/// Reads one `<interface>`.
///
/// A running domain whose network is a pool of VFs shows the VF it was given: as an
/// interface of type `hostdev` in what libvirt hands out, as `<actual>` inside an interface
/// of type `network` in what it keeps for itself. Both end up the same here.
pub fn vnic(interface: Node<'_, '_>) -> Result<Vnic, XmlError> {
    let actual = child(interface, "actual");
    let shown = actual.unwrap_or(interface);
    let kind = shown
        .attribute("type")
        .ok_or(XmlError::Missing("the type of an interface"))?;
    let source = child(shown, "source");
    let host_device = match (kind, source) {
        ("hostdev", Some(source)) => address::of_source(source)?,
        ("hostdev", None) => return Err(XmlError::Missing("the source of a hostdev interface")),
        _ => None,
    };
    let connected = source.and_then(connected).or_else(|| {
        // Of an <actual>, the network stands in the interface around it.
        child(interface, "source").and_then(connected)
    });
    let text = |name, attribute| of_child(interface, name, attribute).map(str::to_owned);
    Ok(Vnic {
        mac: of_child(interface, "mac", "address").map(mac).transpose()?,
        kind: kind.to_owned(),
        source: connected.map(str::to_owned),
        model: text("model", "type"),
        target: text("target", "dev"),
        alias: text("alias", "name"),
        host_device,
        teaming: child(interface, "teaming").map(teaming).transpose()?,
        portgroup: source
            .and_then(|source| source.attribute("portgroup"))
            .or_else(|| of_child(interface, "source", "portgroup"))
            .map(str::to_owned),
        vlan: child(shown, "vlan")
            .or_else(|| child(interface, "vlan"))
            .map(port_settings::vlan)
            .transpose()?,
        guest_address: None,
        port: port_settings::of_vnic(interface, shown),
    })
}

/// What a `<source>` connects to: the network before the bridge that is behind it.
fn connected<'a>(source: Node<'a, '_>) -> Option<&'a str> {
    ["network", "bridge", "dev", "path", "switchid", "name"]
        .into_iter()
        .find_map(|name| source.attribute(name))
}

pub(super) fn mac(text: &str) -> Result<accelnet_model::Mac, XmlError> {
    text.parse().map_err(|_| XmlError::BadValue {
        what: "the MAC of an interface",
        found: text.to_owned(),
    })
}

/// `<teaming type='transient' persistent='ua-backup0'/>`, since libvirt 7.1.
fn teaming(node: Node<'_, '_>) -> Result<Teaming, XmlError> {
    match node.attribute("type") {
        Some("persistent") => Ok(Teaming::Persistent),
        Some("transient") => Ok(Teaming::Transient {
            persistent: node
                .attribute("persistent")
                .ok_or(XmlError::Missing("the partner of a transient teaming"))?
                .to_owned(),
        }),
        other => Err(XmlError::BadValue {
            what: "the teaming of an interface",
            found: other.unwrap_or_default().to_owned(),
        }),
    }
}
