//! What is warned of, before a bridge has the addresses and afterwards.

use super::*;
use crate::switch::{Lease, of_mentions, renewed_by};

fn keeper(program: Program, file: &str, leases: bool) -> Keeper {
    Keeper {
        program,
        files: vec![file.to_owned()],
        leases,
        as_port: false,
        cloud_init: false,
    }
}

fn leased(text: &str, seconds: u32) -> Address {
    Address {
        valid: Some(seconds),
        ..address(text)
    }
}

/// A node whose adapter is leased an address until a known time.
fn leasing(keepers: Vec<Keeper>) -> NetworkState {
    let mut standing = node(&["eth0"]);
    standing.uplinks[0].carried.addresses = vec![leased("192.0.2.4/24", 900)];
    standing.uplinks[0].keepers = keepers;
    standing.expiries = vec![Expiry {
        ip: "192.0.2.4".parse().unwrap(),
        at: "2026-01-02T03:19:05Z".to_owned(),
    }];
    standing
}

/// The same once the bridge has the address, with what renews leases on it.
fn moved(mut standing: NetworkState, renewal: Option<Keeper>) -> NetworkState {
    let addresses = std::mem::take(&mut standing.uplinks[0].carried.addresses);
    standing = with_bridge(standing, "acn-vms", &["eth0"]);
    standing.bridges[0].addresses = addresses;
    standing.renewals = vec![Renewal {
        link: "acn-vms".to_owned(),
        keepers: renewal.into_iter().collect(),
        advertisements: false,
    }];
    standing
}

fn warnings(standing: &NetworkState) -> Vec<String> {
    planned(standing, &["eth0"]).unwrap().warnings
}

const EXPIRES: &str = "Address 192.0.2.4/24 runs out at 2026-01-02T03:19:05Z: no program known to accelnet renews it on acn-vms, and the node is without it from then on.";

#[test]
fn warnings_are_the_same_before_and_after_until_they_no_longer_hold() {
    let file = "/etc/systemd/network/10-lan.network";
    let networkd = keeper(Program::Networkd, file, true);
    let before = leasing(vec![networkd.clone()]);
    let told = warnings(&before);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(told[1], EXPIRES);
    let after = moved(before.clone(), None);
    assert!(planned(&after, &["eth0"]).unwrap().steps.is_empty());
    assert_eq!(warnings(&after), told);
    // networkd renews the lease on the bridge, and knows that the adapter is its port.
    let mut mended = moved(before, Some(networkd.clone()));
    mended.uplinks[0].keepers = vec![Keeper {
        as_port: true,
        ..networkd
    }];
    assert_eq!(warnings(&mended), [""; 0]);
}

#[test]
fn addresses_without_a_time_and_link_local_ones_run_out_nowhere() {
    let mut standing = leasing(Vec::new());
    standing.uplinks[0].carried.addresses = vec![address("192.0.2.4/24"), leased("fe80::4/64", 9)];
    assert_eq!(warnings(&standing), [""; 0]);
}

#[test]
fn router_advertisements_renew_their_own_addresses_and_those_only() {
    let renewal = |advertisements, keepers: &[Keeper]| Renewal {
        link: "br0".to_owned(),
        keepers: keepers.to_vec(),
        advertisements,
    };
    let by = |text: &str, renewal: &Renewal| renewed_by(&leased(text, 900), renewal);
    let advertised = renewal(true, &[]);
    assert_eq!(
        by("2001:db8::4/64", &advertised).as_deref(),
        Some("router advertisements")
    );
    for text in ["2001:db8::4/128", "192.0.2.4/24"] {
        assert_eq!(by(text, &advertised), None, "{text}");
        let client = Program::DhcpClient {
            name: "dhclient".to_owned(),
            process: 812,
        };
        let renewal = renewal(false, &[keeper(client, "", true)]);
        assert_eq!(by(text, &renewal).as_deref(), Some("dhclient"), "{text}");
    }
    let fixed = renewal(false, &[keeper(Program::Ifupdown, "", false)]);
    assert_eq!(by("192.0.2.4/24", &fixed), None);
    // A bridge that is to be takes them as its adapter does.
    let mut standing = node(&["eth0"]);
    standing.uplinks[0].carried.addresses = vec![leased("2001:db8::4/64", 900)];
    assert_eq!(warnings(&standing).len(), 1);
    standing.renewals = vec![Renewal {
        link: "eth0".to_owned(),
        ..renewal(true, &[])
    }];
    assert_eq!(warnings(&standing), [""; 0]);
}

/// Each program that configures links, with the lines that make the bridge known to it.
#[test]
fn each_program_is_named_with_the_lines_to_change() {
    let connection = Some("Wired connection 1".to_owned());
    let client = |name: &str| Program::DhcpClient {
        name: name.to_owned(),
        process: 812,
    };
    let all = [
        keeper(
            Program::Networkd,
            "/etc/systemd/network/10-lan.network",
            true,
        ),
        keeper(
            Program::Networkd,
            "/usr/lib/systemd/network/00-all.network",
            false,
        ),
        keeper(
            Program::NetworkManager { connection },
            "/etc/NetworkManager/system-connections/a.nmconnection",
            true,
        ),
        Keeper {
            cloud_init: true,
            ..keeper(
                Program::Netplan {
                    id: "eth0".to_owned(),
                },
                "/etc/netplan/50-cloud-init.yaml",
                true,
            )
        },
        keeper(Program::Ifupdown, "/etc/network/interfaces", true),
        keeper(Program::Ifupdown, "/etc/network/interfaces.d/eth0", false),
        keeper(
            Program::NetworkScripts,
            "/etc/sysconfig/network-scripts/ifcfg-eth0",
            true,
        ),
        keeper(Program::Wicked, "/etc/sysconfig/network/ifcfg-eth0", false),
        keeper(client("dhclient"), "", true),
        keeper(client("dhcpcd"), "", true),
        keeper(client("udhcpc"), "", true),
    ];
    let mut standing = node(&["eth0"]);
    standing.uplinks[0].keepers = all.to_vec();
    let told = warnings(&standing).join("\n\n") + "\n";
    assert_eq!(told, include_str!("keepers.golden"));
}

#[test]
fn files_that_name_the_adapter_are_listed_by_kind_with_what_to_name_instead() {
    let nft = |number: u32| Mention::Nftables {
        place: format!("rule {number} of chain input of table inet filter"),
    };
    let all: Vec<Mention> = (10..20)
        .map(nft)
        .chain([nft(10)])
        .chain([
            Mention::Iptables {
                rule: "iptables -t filter -A INPUT -i eth0 -j DROP".to_owned(),
            },
            Mention::Firewalld {
                zone: "internal".to_owned(),
            },
            Mention::PolicyRule {
                rule: "100: from all iif eth0 lookup 7".to_owned(),
            },
            Mention::TrafficControl {
                what: "qdisc htb 1:".to_owned(),
            },
            Mention::VirtualNetwork {
                name: "routed".to_owned(),
            },
            Mention::Unread {
                what: "nft list ruleset".to_owned(),
                reason: "exit status: 1: no".to_owned(),
            },
        ])
        .collect();
    let told = of_mentions("eth0", "acn-vms", &all);
    assert_eq!(told.len(), 7, "{told:#?}");
    for (warning, (begins, says)) in told.iter().zip([
        ("nftables names eth0: rule 10 of chain input of table inet filter, ", "and 2 more. Packets for the node come in by acn-vms"),
        ("iptables names eth0: 'iptables -t filter -A INPUT -i eth0 -j DROP'.", "for acn-vms"),
        ("firewalld has eth0 in zone internal.", "--change-interface=acn-vms"),
        ("ip rule names eth0: '100: from all iif eth0 lookup 7'.", "with acn-vms in place of eth0"),
        ("Traffic control is set on eth0: qdisc htb 1:.", "the traffic of VMs on acn-vms"),
        ("Networks of libvirt forward to eth0: routed.", "name acn-vms"),
        ("Whether the firewall names eth0 could not be read: nft list ruleset: exit status: 1: no.", "acn-vms"),
    ]) {
        assert!(warning.starts_with(begins) && warning.contains(says), "{warning}");
    }
    assert_eq!(of_mentions("eth0", "acn-vms", &[]), [""; 0]);
}

#[test]
fn a_macvtap_of_a_vm_that_runs_is_refused_and_of_one_that_does_not_a_warning() {
    let mut standing = node(&["eth0", "eth1"]);
    let direct = |vm: &str, link: &str, running| DirectVnic {
        vm: vm.to_owned(),
        link: link.to_owned(),
        running,
    };
    standing.direct = vec![direct("web01", "eth0", false), direct("db", "eth1", true)];
    let told = warnings(&standing);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("do not start: web01."), "{told:#?}");
    standing.direct.push(direct("web02", "eth0", true));
    let refusal = planned(&standing, &["eth0"]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "These VMs run with a macvtap on eth0: web02."
    );
    assert!(refusal.to_do().contains("web02"), "{}", refusal.to_do());
}

#[test]
fn a_lease_is_wrong_once_it_should_have_been_renewed() {
    let lease = |renewed_by: Option<&str>, was_renewed, own_bridge| Lease {
        address: "192.0.2.4/24".to_owned(),
        bridge: "acn-vms".to_owned(),
        at: "2026-01-02T03:19:05Z".to_owned(),
        longest: 800,
        renewed_by: renewed_by.map(str::to_owned),
        was_renewed,
        own_bridge,
    };
    for (lease, last_good, found) in [
        (
            lease(None, false, true),
            None,
            "no program known to accelnet renews it on acn-vms",
        ),
        (
            lease(None, false, false),
            Some(401),
            "no program known to accelnet renews it on acn-vms",
        ),
        (
            lease(None, true, true),
            Some(101),
            "no program known to accelnet renews it on acn-vms",
        ),
        (
            lease(Some("dhclient"), false, true),
            Some(101),
            "dhclient has not renewed it",
        ),
    ] {
        if let Some(good) = last_good {
            assert_eq!(lease.problem(good), None, "{lease:?}");
        }
        let wrong = lease
            .problem(last_good.map_or(800, |good| good - 1))
            .unwrap();
        assert_eq!(
            wrong.found,
            format!("It runs out at 2026-01-02T03:19:05Z: {found}.")
        );
        assert!(
            lease
                .problem(0)
                .unwrap()
                .found
                .starts_with("It ran out at ")
        );
    }
}
