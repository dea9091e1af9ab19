//! Where the node's firewalls name a link: nftables and iptables by their own programs, firewalld
//! by its files.

mod iptables;
mod nftables;
mod program;

use accelnet_model::switch::Mention;
use accelnet_pci::Root;

#[cfg(test)]
mod tests;

/// Where zones of firewalld are defined.
const ZONES: &str = "/etc/firewalld/zones";

/// Where the firewalls of the node name `link`.
pub fn mentions(root: &Root, link: &str) -> Vec<Mention> {
    let mut mentions = zones(root, link);
    let by_zone = !mentions.is_empty();
    mentions.extend(nftables::mentions(root, link, by_zone));
    mentions.extend(iptables::mentions(root, link));
    mentions
}

/// The zones that have `link`, by the files of an administrator.
fn zones(root: &Root, link: &str) -> Vec<Mention> {
    let names = root.names(ZONES).unwrap_or_default();
    let zones = names.iter().filter_map(|name| name.strip_suffix(".xml"));
    let has = |zone: &&str| {
        let text = root.text(&format!("{ZONES}/{zone}.xml"));
        text.is_ok_and(|text| {
            ['"', '\''].iter().any(|quote| {
                let mut elements = text.split("<interface").skip(1);
                elements.any(|rest| {
                    let element = rest.split('>').next().unwrap_or_default();
                    element.contains(&format!("name={quote}{link}{quote}"))
                })
            })
        })
    };
    let zones = zones.filter(has);
    zones
        .map(|zone| Mention::Firewalld {
            zone: zone.to_owned(),
        })
        .collect()
}
