//! Interfaces as libvirt writes them: its own order, quotes and indentation, without what it does not
//! keep in a definition.

use accelnet_libvirt::xml::InterfaceXml;
use roxmltree::{Document, Node};

use super::text;

/// Children of an `<interface>` in libvirt's order; it drops all others.
const ORDER: &[&str] = &[
    "mac",
    "source",
    "vlan",
    "virtualport",
    "bandwidth",
    "port",
    "ip",
    "route",
    "script",
    "downscript",
    "backenddomain",
    "target",
    "guest",
    "model",
    "driver",
    "backend",
    "filterref",
    "tune",
    "teaming",
    "link",
    "mtu",
    "coalesce",
    "boot",
    "alias",
    "rom",
    "acpi",
    "address",
];

/// The number of a port on a network.
const PORT: &str = "0f1e2d3c-0000-4000-8000-000000000001";

/// Which of the two texts of a domain an interface is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// What the domain starts with: without names that libvirt makes up again at each start.
    Definition,
    /// What runs.
    Running,
}

/// A domain's text with each interface as libvirt writes it.
pub fn domain(xml: &str) -> String {
    let mut after = xml.to_owned();
    for range in text::interface_ranges(xml).into_iter().rev() {
        let written = interface(&xml[range.clone()], Shows::Definition);
        after.replace_range(range, &written);
    }
    after
}

/// An interface as libvirt writes it.
pub fn interface(fragment: &str, shows: Shows) -> String {
    let Ok(document) = Document::parse(fragment) else {
        return fragment.to_owned();
    };
    let root = document.root_element();
    let alias = InterfaceXml::parse(fragment).ok();
    let alias = alias.and_then(|interface| interface.user_alias());
    let kept = |name: &str, node: &Node<'_, '_>| match (name, shows) {
        ("alias", Shows::Definition) => alias.is_some(),
        ("target", Shows::Definition) => !is_generated(*node),
        _ => true,
    };
    let mut out = String::new();
    open(&mut out, root);
    out.push_str(">\n");
    for name in ORDER {
        let named = root.children().filter(|node| node.has_tag_name(*name));
        for node in named.filter(|node| kept(name, node)) {
            write(&mut out, node, 6);
        }
    }
    out.push_str("    </interface>");
    out
}

/// What runs, as libvirt shows it: a vNIC on a network that leads to a bridge as one on that bridge,
/// with the network beside it.
pub fn connected(live: &str, bridge_of: impl Fn(&str) -> Option<String>) -> String {
    let mut shown = live.to_owned();
    for range in text::interface_ranges(live).into_iter().rev() {
        let fragment = &live[range.clone()];
        let network = text::child_text(fragment, "source").and_then(|source| {
            let source = Document::parse(&source).ok()?;
            source
                .root_element()
                .attribute("network")
                .map(str::to_owned)
        });
        let bridge = network.as_deref().and_then(&bridge_of);
        let (Some(network), Some(bridge)) = (network, bridge) else {
            continue;
        };
        let source = format!("<source network='{}'", escaped(&network));
        let actual = format!("{source} portid='{PORT}' bridge='{}'", escaped(&bridge));
        let written = fragment
            .replacen("type='network'", "type='bridge'", 1)
            .replacen(&source, &actual, 1);
        shown.replace_range(range, &written);
    }
    shown
}

/// Whether libvirt makes up such a name for a tap.
fn is_generated(target: Node<'_, '_>) -> bool {
    let name = target.attribute("dev").unwrap_or_default();
    let made_up = ["vnet", "macvtap", "macvlan"];
    target.attribute("managed") != Some("no")
        && made_up.iter().any(|prefix| name.starts_with(prefix))
}

fn write(out: &mut String, node: Node<'_, '_>, indent: usize) {
    out.push_str(&" ".repeat(indent));
    open(out, node);
    let name = node.tag_name().name();
    let text = node.text().map(str::trim).unwrap_or_default();
    if node.has_children() && node.children().any(|child| child.is_element()) {
        out.push_str(">\n");
        for child in node.children().filter(Node::is_element) {
            write(out, child, indent + 2);
        }
        out.push_str(&format!("{}</{name}>\n", " ".repeat(indent)));
    } else if text.is_empty() {
        out.push_str("/>\n");
    } else {
        out.push_str(&format!(">{}</{name}>\n", escaped(text)));
    }
}

/// The start tag, open.
fn open(out: &mut String, node: Node<'_, '_>) {
    let name = node.tag_name().name();
    out.push_str(&format!("<{name}"));
    for attribute in node.attributes() {
        let value = match (name, attribute.name()) {
            ("mac", "address") => attribute.value().to_lowercase(),
            _ => attribute.value().to_owned(),
        };
        out.push_str(&format!(" {}='{}'", attribute.name(), escaped(&value)));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}
