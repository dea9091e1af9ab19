//! NetworkManager, and netplan where it writes NetworkManager's files.

use accelnet_model::link::Link;
use accelnet_model::switch::{Keeper, Program};
use accelnet_pci::Root;

use super::files::{found, netplan_files, texts, value};

/// Where its connections lie: on disk, those that it or others made up since the boot, and those
/// that it reads of Red Hat's files.
const CONNECTIONS: &[(&str, &str)] = &[
    ("/run/NetworkManager/system-connections", ".nmconnection"),
    ("/etc/NetworkManager/system-connections", ""),
    (
        "/usr/lib/NetworkManager/system-connections",
        ".nmconnection",
    ),
    ("/etc/sysconfig/network-scripts", ""),
];

/// NetworkManager, if it configures the link. What it only found configured by others is theirs.
pub fn keeper(root: &Root, link: &Link) -> Option<Keeper> {
    let device = root.text(&format!("/run/NetworkManager/devices/{}", link.index));
    let device = device.unwrap_or_default();
    if value(&device, "managed") != Some("true") {
        return None;
    }
    let uuid = value(&device, "connection-uuid");
    let all = CONNECTIONS
        .iter()
        .flat_map(|(folder, ending)| texts(root, folder, ending));
    let uuid_of = |text: &str| {
        value(text, "uuid")
            .or(value(text, "UUID"))
            .map(str::to_owned)
    };
    let mut all = all.filter(|(_, text)| uuid.is_some() && uuid_of(text).as_deref() == uuid);
    let Some((path, text)) = all.next() else {
        let program = Program::NetworkManager { connection: None };
        return Some(found(program, Vec::new()));
    };
    if value(section(&text, ".nmmeta"), "external") == Some("true") {
        return None;
    }
    let file = path.rsplit('/').next().unwrap_or_default();
    let id = file.strip_prefix("netplan-");
    let mut keeper = match id {
        Some(id) => {
            // `netplan-ID.nmconnection`, for Wi-Fi with the network's name behind it.
            let id = id.trim_end_matches(".nmconnection").to_owned();
            let files = netplan_files(root, &id);
            found(Program::Netplan { id }, files)
        }
        None => {
            let name = value(section(&text, "connection"), "id").or(value(&text, "NAME"));
            let connection = name.map(str::to_owned);
            found(Program::NetworkManager { connection }, vec![path.clone()])
        }
    };
    let dhcp = matches!(value(&text, "BOOTPROTO"), Some("dhcp" | "bootp"));
    keeper.leases = dhcp || value(section(&text, "ipv4"), "method") == Some("auto");
    let port = ["controller", "master", "BRIDGE", "MASTER"];
    keeper.as_port = port.iter().any(|key| value(&text, key).is_some());
    Some(keeper)
}

/// The lines of a section of a key file.
fn section<'a>(text: &'a str, name: &str) -> &'a str {
    let head = format!("[{name}]");
    let Some((_, rest)) = text.split_once(&head) else {
        return "";
    };
    rest.split_once("\n[").map_or(rest, |(own, _)| own)
}
