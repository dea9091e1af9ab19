//! Who else configures a link.

use accelnet_model::link::Link;
use accelnet_model::switch::Keeper;
use accelnet_pci::Root;

#[cfg(test)]
mod tests;

/// The programs that configure `link` of their own accord, by the files that they leave in
/// `/run`.
pub fn keepers(root: &Root, link: &Link) -> Vec<Keeper> {
    let (index, name) = (link.index, &link.name);
    let mut keepers = Vec::new();
    // sd-network(3): the administrative state of a link.
    let networkd = value(
        root,
        &format!("/run/systemd/netif/links/{index}"),
        "ADMIN_STATE",
    );
    if networkd.is_some_and(|state| state != "unmanaged" && state != "linger") {
        keepers.push(Keeper::Networkd);
    }
    let manager = value(
        root,
        &format!("/run/NetworkManager/devices/{index}"),
        "managed",
    );
    if manager.as_deref() == Some("true") {
        keepers.push(Keeper::NetworkManager);
    }
    let mut client = |program: &str| {
        keepers.push(Keeper::DhcpClient {
            program: program.to_owned(),
        });
    };
    if root.exists(&format!("/run/systemd/netif/leases/{index}")) {
        client("systemd-networkd");
    }
    for (program, files) in [
        ("dhclient", &["dhclient.NAME.pid", "dhclient-NAME.pid"][..]),
        (
            "dhcpcd",
            &[
                "dhcpcd/NAME.pid",
                "dhcpcd/NAME-4.pid",
                "dhcpcd-NAME.pid",
                "dhcpcd/pid",
            ],
        ),
        ("udhcpc", &["udhcpc.NAME.pid"]),
    ] {
        let runs = |file: &str| is_running(root, &format!("/run/{}", file.replace("NAME", name)));
        if files.iter().any(|file| runs(file)) {
            client(program);
        }
    }
    keepers
}

/// The value of a line `KEY=VALUE`.
fn value(root: &Root, path: &str, key: &str) -> Option<String> {
    let text = root.text(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| name.trim() == key)?;
    Some(value.trim().to_owned())
}

/// Whether the process that a file names is there.
fn is_running(root: &Root, file: &str) -> bool {
    let process: Result<u32, _> = root.number(file);
    process.is_ok_and(|process| root.exists(&format!("/proc/{process}")))
}
