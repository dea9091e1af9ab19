//! Who else configures a link, by the files and processes that they have.

mod clients;
mod cloud_init;
mod files;
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
