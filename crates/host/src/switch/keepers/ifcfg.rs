//! Files `ifcfg-LINK`: of the network scripts of Red Hat systems, and of wicked.

use accelnet_model::link::Link;
use accelnet_model::switch::{Keeper, Program};
use accelnet_pci::Root;

use super::files::{found, value};

/// The program that reads such a file of the link.
pub fn keeper(root: &Root, link: &Link) -> Option<Keeper> {
    let red_hat = format!("/etc/sysconfig/network-scripts/ifcfg-{}", link.name);
    let suse = format!("/etc/sysconfig/network/ifcfg-{}", link.name);
    let (program, path) = match (root.exists(&red_hat), root.exists(&suse)) {
        (true, _) => (Program::NetworkScripts, red_hat),
        (false, true) => (Program::Wicked, suse),
        (false, false) => return None,
    };
    let text = root.text(&path).ok()?;
    let protocol = value(&text, "BOOTPROTO").unwrap_or_default();
    let protocol = protocol.to_ascii_lowercase();
    let port = ["BRIDGE", "MASTER"]
        .iter()
        .any(|key| value(&text, key).is_some());
    // Neither addresses nor a lease: it only brings the link up.
    let address = text
        .lines()
        .any(|line| line.trim_start().starts_with("IPADDR"));
    let leases = protocol.starts_with("dhcp") || protocol == "bootp";
    if !port && !address && !leases {
        return None;
    }
    let mut keeper = found(program, vec![path]);
    keeper.leases = leases;
    keeper.as_port = port;
    Some(keeper)
}
