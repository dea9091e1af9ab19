//! systemd-networkd, and netplan where it writes networkd's files.

use accelnet_model::link::Link;
use accelnet_model::switch::{Keeper, Program};
use accelnet_pci::Root;

use super::files::{found, netplan_files, value};

/// networkd, if it configures the link.
pub fn keeper(root: &Root, link: &Link) -> Option<Keeper> {
    let index = link.index;
    let state = root.text(&format!("/run/systemd/netif/links/{index}"));
    let state = state.unwrap_or_default();
    let leased = root.exists(&format!("/run/systemd/netif/leases/{index}"));
    // sd-network(3): the administrative state of a link.
    let managed = value(&state, "ADMIN_STATE");
    let managed = managed.is_some_and(|state| state != "unmanaged" && state != "linger");
    if !managed && !leased {
        return None;
    }
    let file = value(&state, "NETWORK_FILE").filter(|file| !file.is_empty());
    let drop_ins = value(&state, "NETWORK_FILE_DROPINS").unwrap_or_default();
    let files = file.into_iter().chain(drop_ins.split_whitespace());
    let texts: Vec<String> = files.filter_map(|file| root.text(file).ok()).collect();
    let says = |key: &str| {
        let mut values = texts.iter().filter_map(|text| value(text, key));
        values.next().map(str::to_owned)
    };
    // By its own file, or by netplan's, `10-netplan-ID.network`.
    let name = file.and_then(|file| file.rsplit('/').next());
    let id = name.and_then(|name| name.strip_suffix(".network")?.split_once("netplan-"));
    let mut keeper = match id {
        Some((_, id)) => found(
            Program::Netplan { id: id.to_owned() },
            netplan_files(root, id),
        ),
        None => found(
            Program::Networkd,
            file.map(str::to_owned).into_iter().collect(),
        ),
    };
    let dhcp = says("DHCP");
    keeper.leases = leased || dhcp.is_some_and(|dhcp| !matches!(&*dhcp, "no" | "false" | "0"));
    keeper.as_port = says("Bridge").or_else(|| says("Bond")).is_some();
    Some(keeper)
}
