//! Definitions of virtual networks (formatnetwork).

use accelnet_model::PciAddress;
use accelnet_model::port::NetworkSettings;

use roxmltree::{Document, Node};

use super::document::{XmlError, child, parse};
use super::{address, port_settings};

/// What a virtual network leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// Its forward mode; `bridge` for one that only connects to a bridge, `hostdev` for a pool.
    pub mode: Option<String>,
    /// The host's bridge.
    pub bridge: Option<String>,
    /// Links of the host that it forwards to, or puts macvtaps on.
    pub links: Vec<String>,
    /// Netdevs of the PFs that a pool names.
    pub pfs: Vec<String>,
    /// VFs that a pool names, or has found once it runs.
    pub vfs: Vec<PciAddress>,
    /// How many interfaces of VMs it counts as connected, while it runs.
    pub connections: u32,
    /// What it gives the vNICs that are connected to it.
    pub settings: NetworkSettings,
}

/// The XML of a network and its tree. A change is spliced into the text.
#[derive(Debug)]
pub struct NetworkXml<'a> {
    text: &'a str,
    document: Document<'a>,
}

impl<'a> NetworkXml<'a> {
    /// Parses it.
    pub fn parse(text: &'a str) -> Result<Self, XmlError> {
        let document = parse(text)?;
        Ok(NetworkXml { text, document })
    }

    /// What the network leads to; none where it is none.
    pub fn facts(&self) -> Option<NetworkFacts> {
        let root = self.document.root_element();
        root.has_tag_name("network").then(|| facts(root))
    }

    /// The name of the network, and whether the text says which UUID it has.
    pub(crate) fn name(&self) -> Option<(String, bool)> {
        let network = self.document.root_element();
        let name = child(network, "name")?.text()?.trim().to_owned();
        Some((name, child(network, "uuid").is_some()))
    }

    /// The definition with that UUID beside its name: libvirt takes a definition without one for
    /// another network.
    pub(crate) fn with_uuid(&self, uuid: &str) -> String {
        let text = self.text;
        match child(self.document.root_element(), "name") {
            Some(name) => {
                let end = name.range().end;
                format!("{}<uuid>{uuid}</uuid>{}", &text[..end], &text[end..])
            }
            None => text.to_owned(),
        }
    }
}

/// Reads a network's XML; nothing when it is none.
pub fn network(xml: &str) -> Option<NetworkFacts> {
    NetworkXml::parse(xml).ok()?.facts()
}

fn facts(root: Node<'_, '_>) -> NetworkFacts {
    let mut facts = NetworkFacts {
        bridge: child(root, "bridge")
            .and_then(|bridge| bridge.attribute("name"))
            .map(str::to_owned),
        connections: root
            .attribute("connections")
            .and_then(|number| number.parse().ok())
            .unwrap_or(0),
        settings: port_settings::of_network(root),
        ..NetworkFacts::default()
    };
    if let Some(forward) = child(root, "forward") {
        facts.mode = forward.attribute("mode").map(str::to_owned);
        let pool = facts.mode.as_deref() == Some("hostdev");
        let mut link = |name: Option<&str>| {
            let name = name.filter(|name| !pool && !facts.links.iter().any(|link| link == name));
            facts.links.extend(name.map(str::to_owned));
        };
        link(forward.attribute("dev"));
        let interfaces = forward
            .children()
            .filter(|one| one.has_tag_name("interface"));
        interfaces.for_each(|one| link(one.attribute("dev")));
        for member in forward.children() {
            if member.has_tag_name("pf") {
                facts.pfs.extend(member.attribute("dev").map(str::to_owned));
            }
            if member.has_tag_name("address") {
                facts.vfs.extend(address::of_element(member).ok().flatten());
            }
        }
    }
    facts
}

#[cfg(test)]
mod tests;
