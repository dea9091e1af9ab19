//! Definitions of virtual networks.

use super::{child, parse};

/// The name of the network that this defines, and whether it says which UUID it has.
pub fn network_name(xml: &str) -> Option<(String, bool)> {
    let document = parse(xml).ok()?;
    let network = document.root_element();
    let name = child(network, "name")?.text()?.trim().to_owned();
    Some((name, child(network, "uuid").is_some()))
}

/// The definition with that UUID beside its name: libvirt takes a definition without one for
/// another network.
pub fn with_uuid(xml: &str, uuid: &str) -> String {
    let Ok(document) = parse(xml) else {
        return xml.to_owned();
    };
    match child(document.root_element(), "name") {
        Some(name) => {
            let end = name.range().end;
            format!("{}<uuid>{uuid}</uuid>{}", &xml[..end], &xml[end..])
        }
        None => xml.to_owned(),
    }
}

#[cfg(test)]
mod tests;
