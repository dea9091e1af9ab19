use accelnet_model::link::LinkType;

use super::*;

fn link() -> Link {
    Link {
        index: 7,
        name: "eth0".to_owned(),
        link_type: LinkType::Ether,
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

/// A node with these files.
fn node(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let root = Root::new(folder.path());
    (folder, root)
}

/// Who keeps the link on a node with these files: program, files, `leases`, `port`, `cloud-init`.
fn seen(files: &[(&str, &str)]) -> Vec<String> {
    let (_folder, root) = node(files);
    let keepers = keepers(&root, &link(), &clients(&root));
    let keepers = keepers.iter().map(|keeper| {
        let mut text = keeper.to_string();
        if let Program::Netplan { id } = &keeper.program {
            text += &format!(" {id}");
        }
        if let Program::NetworkManager { connection } = &keeper.program {
            text += &format!(" {connection:?}");
        }
        for file in &keeper.files {
            text += &format!(" {file}");
        }
        for (word, so) in [
            ("leases", keeper.leases),
            ("port", keeper.as_port),
            ("cloud-init", keeper.cloud_init),
        ] {
            if so {
                text += &format!(" {word}");
            }
        }
        text
    });
    keepers.collect()
}

const STATE: &str = "run/systemd/netif/links/7";
const FILE: &str = "etc/systemd/network/10-lan.network";

#[test]
fn a_link_that_no_file_mentions_has_no_keeper() {
    assert_eq!(seen(&[]), [""; 0]);
}

#[test]
fn networkd_is_detected_by_its_administrative_state_and_its_file() {
    let text = "# private\nADMIN_STATE=configured\nOPER_STATE=routable\n";
    assert_eq!(seen(&[(STATE, text)]), ["systemd-networkd"]);
    assert_eq!(seen(&[(STATE, "ADMIN_STATE=unmanaged\n")]), [""; 0]);
    let other = "run/systemd/netif/links/8";
    assert_eq!(seen(&[(other, text)]), [""; 0]);
    let text = "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/10-lan.network\nNETWORK_FILE_DROPINS=\"\"\n";
    let dhcp = "[Match]\nName=eth0\n[Network]\nDHCP=yes\n";
    let plain = format!("systemd-networkd /{FILE}");
    assert_eq!(
        seen(&[(STATE, text), (FILE, dhcp)]),
        [format!("{plain} leases")]
    );
    let fixed = "[Match]\nName=eth0\n[Network]\nDHCP = no\nAddress=192.0.2.4/24\n";
    assert_eq!(seen(&[(STATE, text), (FILE, fixed)]), [plain.as_str()]);
    let port = "[Match]\nName=eth0\n[Network]\nBridge=br0\n";
    assert_eq!(
        seen(&[(STATE, text), (FILE, port)]),
        [format!("{plain} port")]
    );
    let leased = ("run/systemd/netif/leases/7", "ADDRESS=192.0.2.4\n");
    assert_eq!(seen(&[leased]), ["systemd-networkd leases"]);
}

#[test]
fn netplan_is_named_by_its_own_files_whatever_carries_it_out() {
    let yaml =
        "network:\n  ethernets:\n    lan:\n      match: {macaddress: aa:bb}\n      dhcp4: true\n";
    let state =
        "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-lan.network\n";
    let networkd = [
        (STATE, state),
        (
            "run/systemd/network/10-netplan-lan.network",
            "[Network]\nDHCP=ipv4\n",
        ),
        (
            "etc/netplan/01-other.yaml",
            "network:\n  ethernets:\n    wan: {}\n",
        ),
        ("etc/netplan/50-cloud-init.yaml", yaml),
    ];
    let named = "netplan lan /etc/netplan/50-cloud-init.yaml leases";
    assert_eq!(seen(&networkd), [named]);
    let manager = [
        (
            "run/NetworkManager/devices/7",
            "[device]\nmanaged=true\nconnection-uuid=x\n",
        ),
        (
            "run/NetworkManager/system-connections/netplan-lan.nmconnection",
            "[connection]\nid=netplan-lan\nuuid=x\n[ipv4]\nmethod=auto\n",
        ),
        ("etc/netplan/50-cloud-init.yaml", yaml),
    ];
    assert_eq!(seen(&manager), [named]);
    // cloud-init writes that file again, unless it was asked not to.
    let cloud = ("var/lib/cloud/instance/user-data.txt", "");
    let with = |more: &[(&'static str, &'static str)]| {
        let mut files = networkd.to_vec();
        files.extend(more);
        seen(&files)
    };
    assert_eq!(with(&[cloud]), [format!("{named} cloud-init")]);
    let off = (
        "etc/cloud/cloud.cfg.d/99-disable-network-config.cfg",
        "network: {config: disabled}\n",
    );
    assert_eq!(with(&[cloud, off]), [named]);
    assert_eq!(
        with(&[cloud, ("etc/cloud/cloud-init.disabled", "")]),
        [named]
    );
}

#[test]
fn network_manager_is_detected_by_its_flag_and_its_connection() {
    let device = "run/NetworkManager/devices/7";
    let text = "[device]\nmanaged=true\nconnection-uuid=x\n";
    assert_eq!(seen(&[(device, text)]), ["NetworkManager None"]);
    assert_eq!(seen(&[(device, "[device]\nmanaged=false\n")]), [""; 0]);
    let file = "etc/NetworkManager/system-connections/Wired.nmconnection";
    let other = (
        "etc/NetworkManager/system-connections/Other.nmconnection",
        "[connection]\nid=Other\nuuid=y\n[ipv4]\nmethod=manual\n",
    );
    let auto =
        "[connection]\nid=Wired connection 1\nuuid=x\n[ipv4]\nmethod=auto\n[ipv6]\nmethod=auto\n";
    let named = format!("NetworkManager Some(\"Wired connection 1\") /{file}");
    assert_eq!(
        seen(&[(device, text), (file, auto), other]),
        [format!("{named} leases")]
    );
    let manual = auto.replacen("method=auto", "method=manual", 1);
    assert_eq!(seen(&[(device, text), (file, &manual)]), [named.as_str()]);
    let port = auto.replace("uuid=x\n", "uuid=x\ncontroller=br0\n");
    assert_eq!(
        seen(&[(device, text), (file, &port)]),
        [format!("{named} leases port")]
    );
    // What it found as others made it.
    let found = format!("{auto}[.nmmeta]\nnm-generated=true\nexternal=true\n");
    let run = "run/NetworkManager/system-connections/acn-lan.nmconnection";
    assert_eq!(seen(&[(device, text), (run, &found)]), [""; 0]);
    // Of Red Hat's files.
    let ifcfg = "etc/sysconfig/network-scripts/ifcfg-eth0";
    let lines = "DEVICE=eth0\nNAME=\"System eth0\"\nUUID=x\nBOOTPROTO=dhcp\n";
    assert_eq!(
        seen(&[(device, text), (ifcfg, lines)]),
        [format!(
            "NetworkManager Some(\"System eth0\") /{ifcfg} leases"
        )]
    );
}

#[test]
fn ifupdown_is_detected_by_its_stanzas_in_all_files_that_it_reads() {
    let ifup = ("sbin/ifup", "");
    let interfaces = "etc/network/interfaces";
    let source = "# see interfaces(5)\nsource /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\n";
    let own = "auto eth0\niface eth0 inet dhcp\n    metric 10\niface eth0 inet6 auto\n";
    let cloud = "etc/network/interfaces.d/50-cloud-init";
    assert_eq!(
        seen(&[ifup, (interfaces, source), (cloud, own)]),
        [format!("ifupdown /{cloud} leases")]
    );
    assert_eq!(
        seen(&[ifup, (interfaces, own), ("var/lib/cloud/x", "")]),
        [format!("ifupdown /{interfaces} leases")]
    );
    assert_eq!(seen(&[(interfaces, own)]), [""; 0], "it is not installed");
    let fixed = "iface eth0 inet static\n  address 192.0.2.4/24\n";
    assert_eq!(
        seen(&[ifup, (interfaces, fixed)]),
        [format!("ifupdown /{interfaces}")]
    );
    let port = "iface eth0 inet manual\nauto br0\niface br0 inet dhcp\n  bridge_ports eth0\n";
    assert_eq!(
        seen(&[ifup, (interfaces, port)]),
        [""; 0],
        "it has nothing to put back"
    );
    let both = format!("{own}iface br0 inet dhcp\n  bridge-ports eth0 eth1\n");
    assert_eq!(
        seen(&[ifup, (interfaces, &both)]),
        [format!("ifupdown /{interfaces} leases port")]
    );
}

#[test]
fn files_ifcfg_are_of_network_scripts_or_of_wicked() {
    let red_hat = "etc/sysconfig/network-scripts/ifcfg-eth0";
    let suse = "etc/sysconfig/network/ifcfg-eth0";
    assert_eq!(
        seen(&[(red_hat, "BOOTPROTO=dhcp\nONBOOT=yes\n")]),
        [format!("network-scripts /{red_hat} leases")]
    );
    assert_eq!(
        seen(&[(red_hat, "BOOTPROTO=none\nBRIDGE=br0\n")]),
        [format!("network-scripts /{red_hat} port")]
    );
    assert_eq!(seen(&[(red_hat, "BOOTPROTO=none\nONBOOT=yes\n")]), [""; 0]);
    assert_eq!(
        seen(&[(suse, "BOOTPROTO='static'\nIPADDR='192.0.2.4/24'\n")]),
        [format!("wicked /{suse}")]
    );
}

#[test]
fn a_dhcp_client_is_detected_by_its_command_line() {
    for (comm, line, serves) in [
        ("dhclient", "/sbin/dhclient\0-4\0-v\0eth0\0", true),
        ("dhclient", "dhclient\0eth1\0", false),
        ("udhcpc", "udhcpc\0-b\0-i\0eth0\0", true),
        ("busybox", "/bin/busybox\0udhcpc\0-ieth0\0", true),
        ("busybox", "/bin/busybox\0sh\0eth0\0", false),
        ("dhcpcd", "dhcpcd: eth0 [ip4]\0", true),
        ("dhcpcd", "dhcpcd: [manager] [ip4] [ip6]\0", false),
        ("pump", "pump\0-i\0eth0\0", true),
        ("vim", "vim\0eth0\0", false),
    ] {
        let files = [("proc/812/comm", comm), ("proc/812/cmdline", line)];
        let found = seen(&files);
        assert_eq!(found.len(), usize::from(serves), "{line:?}: {found:?}");
        assert!(
            found.iter().all(|keeper| keeper.ends_with(" leases")),
            "{found:?}"
        );
    }
    // Without a link on its command line it has leases in a file.
    let manager = [
        ("proc/812/comm", "dhcpcd"),
        ("proc/812/cmdline", "dhcpcd: [manager] [ip4]\0"),
    ];
    let leased = ("var/lib/dhcpcd/eth0.lease", "");
    assert_eq!(seen(&[manager[0], manager[1], leased]), ["dhcpcd leases"]);
    assert_eq!(seen(&[leased]), [""; 0], "its process is gone");
    let dhclient = [
        ("proc/9/comm", "dhclient"),
        ("proc/9/cmdline", "dhclient\0"),
    ];
    let leases = (
        "var/lib/dhcp/dhclient.leases",
        "lease {\n  interface \"eth0\";\n}\n",
    );
    assert_eq!(
        seen(&[dhclient[0], dhclient[1], leases]),
        ["dhclient leases"]
    );
}

#[test]
fn the_kernel_takes_advertisements_where_it_is_set_to() {
    let conf = "proc/sys/net/ipv6/conf/eth0";
    let taken = |accept_ra: &str, forwarding: &str, autoconf: &str, disabled: &str| {
        let file = |name: &str| format!("{conf}/{name}");
        let names = ["accept_ra", "forwarding", "autoconf", "disable_ipv6"].map(file);
        let values = [accept_ra, forwarding, autoconf, disabled];
        let files: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
        let (_folder, root) = node(&files);
        renewal(&root, &link(), &[]).advertisements
    };
    assert!(taken("1", "0", "1", "0"));
    assert!(taken("2", "1", "1", "0"));
    for [accept_ra, forwarding, autoconf, disabled] in [
        ["0", "0", "1", "0"],
        ["1", "1", "1", "0"],
        ["1", "0", "0", "0"],
        ["1", "0", "1", "1"],
    ] {
        assert!(!taken(accept_ra, forwarding, autoconf, disabled));
    }
}
