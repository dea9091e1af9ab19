use super::*;

fn link() -> Link {
    Link {
        index: 7,
        name: "eth0".to_owned(),
        alt_names: Vec::new(),
        mac: None,
        permanent_mac: None,
        mtu: 1500,
        up: true,
        carrier: true,
        master: None,
        kind: None,
        parent: None,
        vf_count: None,
        bond: None,
    }
}

/// Who keeps the link on a node with these files.
fn seen(files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let keepers = keepers(&Root::new(folder.path()), &link());
    keepers.iter().map(Keeper::to_string).collect()
}

#[test]
fn nobody_keeps_a_link_that_nobody_mentions() {
    assert_eq!(seen(&[]), [""; 0]);
}

#[test]
fn networkd_tells_by_its_administrative_state() {
    let links = "run/systemd/netif/links/7";
    let text = "# private\nADMIN_STATE=configured\nOPER_STATE=routable\n";
    assert_eq!(seen(&[(links, text)]), ["systemd-networkd"]);
    assert_eq!(seen(&[(links, "ADMIN_STATE=unmanaged\n")]), [""; 0]);
    let other = "run/systemd/netif/links/8";
    assert_eq!(seen(&[(other, text)]), [""; 0]);
}

#[test]
fn network_manager_tells_by_its_flag() {
    let device = "run/NetworkManager/devices/7";
    let text = "[device]\nmanaged=true\nconnection-uuid=x\n";
    assert_eq!(seen(&[(device, text)]), ["NetworkManager"]);
    assert_eq!(seen(&[(device, "[device]\nmanaged=false\n")]), [""; 0]);
}

#[test]
fn a_dhcp_client_tells_by_its_process() {
    let file = ("run/dhclient.eth0.pid", "812\n");
    assert_eq!(seen(&[file]), [""; 0], "its process is gone");
    assert_eq!(seen(&[file, ("proc/812/comm", "dhclient")]), ["dhclient"]);
    let leased = ("run/systemd/netif/leases/7", "ADDRESS=192.0.2.4\n");
    assert_eq!(seen(&[leased]), ["systemd-networkd"]);
}
