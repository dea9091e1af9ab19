//! Who else configures a link, by the files and processes that they have.

mod clients;
mod cloud_init;
mod ifcfg;
mod ifupdown;
mod network_manager;
mod networkd;

use accelnet_model::link::Link;
use accelnet_model::switch::{Keeper, Program, Renewal};
use accelnet_pci::Root;

#[cfg(test)]
mod tests;

pub use clients::{Client, clients};

/// The programs that configure `link` of their own accord; `clients` are the DHCP clients that
/// run.
pub fn keepers(root: &Root, link: &Link, clients: &[Client]) -> Vec<Keeper> {
    let mut keepers = Vec::new();
    keepers.extend(networkd::keeper(root, link));
    keepers.extend(network_manager::keeper(root, link));
    keepers.extend(ifupdown::keeper(root, link));
    if keepers.is_empty() {
        keepers.extend(ifcfg::keeper(root, link));
    }
    for keeper in &mut keepers {
        keeper.cloud_init = cloud_init::writes(root, &keeper.files);
    }
    let mut own = clients.iter().filter(|client| client.serves(&link.name));
    match keepers.first_mut() {
        // It started the client.
        Some(keeper) => keeper.leases |= own.next().is_some(),
        None => keepers.extend(own.map(|client| Keeper {
            program: Program::DhcpClient {
                name: client.name.clone(),
                process: client.process,
            },
            files: Vec::new(),
            leases: true,
            as_port: false,
            cloud_init: false,
        })),
    }
    keepers
}

/// What renews leases on `link`.
pub fn renewal(root: &Root, link: &Link, clients: &[Client]) -> Renewal {
    let name = &link.name;
    let set = |setting: &str| root.number(&format!("/proc/sys/net/ipv6/conf/{name}/{setting}"));
    let set = |setting: &str| -> u32 { set(setting).unwrap_or(0) };
    // Documentation/networking/ip-sysctl.rst: a node that forwards takes them only with 2.
    let taken = match set("accept_ra") {
        0 => false,
        1 => set("forwarding") == 0,
        _ => true,
    };
    Renewal {
        link: name.clone(),
        keepers: keepers(root, link, clients),
        advertisements: taken && set("autoconf") != 0 && set("disable_ipv6") == 0,
    }
}

/// A program that was found with these files.
fn found(program: Program, files: Vec<String>) -> Keeper {
    Keeper {
        program,
        files,
        leases: false,
        as_port: false,
        cloud_init: false,
    }
}

/// The value of the first line `KEY=VALUE` of a text, whatever blanks stand around the two.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| name.trim() == key)?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// The files of a folder whose names end so, with their texts.
fn texts(root: &Root, folder: &str, ending: &str) -> Vec<(String, String)> {
    let names = root.names(folder).unwrap_or_default();
    let names = names.into_iter().filter(|name| name.ends_with(ending));
    let paths = names.map(|name| format!("{folder}/{name}"));
    paths
        .filter_map(|path| Some((path.clone(), root.text(&path).ok()?)))
        .collect()
}

/// The files of netplan that tell of what is called `id` there.
fn netplan_files(root: &Root, id: &str) -> Vec<String> {
    let entry = |line: &str| {
        let name = line.trim().split_once(':').map(|(name, _)| name);
        name.is_some_and(|name| name.trim_matches(['"', '\'']) == id)
    };
    let files = texts(root, "/etc/netplan", ".yaml").into_iter();
    let files = files.filter(|(_, text)| text.lines().any(entry));
    files.map(|(path, _)| path).collect()
}
