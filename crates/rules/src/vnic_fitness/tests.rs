use accelnet_model::port::{Bandwidth, PortGroup, PortSettings, VnicVlan};
use accelnet_model::switch::{BridgePort, PortRules, PortVlan};

use super::*;

const MAC: &str = "52:54:00:aa:00:01";

fn vnic(change: impl FnOnce(&mut Vnic)) -> Vnic {
    let mut vnic = Vnic {
        mac: MAC.parse().ok(),
        kind: "network".to_owned(),
        source: Some("lan".to_owned()),
        model: Some("virtio".to_owned()),
        ..Vnic::default()
    };
    change(&mut vnic);
    vnic
}

fn pf() -> Pf {
    Pf {
        name: "ens1".to_owned(),
        mtu: Some(1500),
        ..Pf::default()
    }
}

fn vlan(tags: &[u16]) -> VnicVlan {
    VnicVlan {
        trunk: false,
        tags: tags.to_vec(),
        native: false,
    }
}

fn rate(average: u64) -> Option<Bandwidth> {
    Some(Bandwidth {
        average: Some(average),
        ..Bandwidth::default()
    })
}

/// A bridge that filters VLANs or not, with uplink `ens1` and a VM at `vnet1`.
fn bridge(filters: bool, up: &[(u16, bool, bool)], vm: &[(u16, bool, bool)]) -> PortRules {
    let port = |name: &str, vlans: &[(u16, bool, bool)]| BridgePort {
        name: name.to_owned(),
        vlans: vlans
            .iter()
            .map(|(id, pvid, untagged)| PortVlan {
                id: *id,
                pvid: *pvid,
                untagged: *untagged,
            })
            .collect(),
        ..BridgePort::default()
    };
    PortRules {
        vlan_filtering: filters,
        default_pvid: Some(1),
        service_tags: false,
        mtu: 1500,
        ports: vec![port("ens1", up), port("vnet1", vm)],
    }
}

fn way<'a>(vnic: &'a Vnic, rules: &'a PortRules, pfs: &'a [Pf]) -> Way<'a> {
    Way {
        vm: "web1",
        vnic,
        port: None,
        network: None,
        bridge: Some(("br0", rules)),
        uplink: Some("ens1"),
        pfs,
    }
}

/// What a plain bridge makes of a vNIC on a network.
fn judged(vnic: &Vnic, network: Option<&NetworkSettings>) -> Result<Carried, Problem> {
    let (rules, pfs) = (bridge(false, &[], &[]), [pf()]);
    judge(&Way {
        network,
        ..way(vnic, &rules, &pfs)
    })
}

fn refused(judged: Result<Carried, Problem>, words: &str) {
    let problem = judged.expect_err(words);
    assert_eq!(problem.code, Code::VmUnfit);
    assert!(
        problem.found.contains(words),
        "{words:?}: {}",
        problem.found
    );
    assert!(!problem.resolution.is_empty() && !problem.needed.is_empty());
}

#[test]
fn a_plain_vnic_loses_nothing() {
    let carried = judged(&vnic(|_| {}), None).expect("fit");
    assert_eq!((carried.vlan, carried.max_tx_mbps), (Vlan::Is(0), None));
    assert_eq!((carried.lines, carried.costs), (Vec::new(), Vec::new()));
}

#[test]
fn what_a_vf_would_go_past_is_refused_and_named() {
    type Change = fn(&mut PortSettings);
    let table: [(Change, &str); 8] = [
        (
            |p| p.filter = Some("clean-traffic".to_owned()),
            "network filter clean-traffic",
        ),
        (
            |p| p.link_down = true,
            "link of its vNIC 52:54:00:aa:00:01 is down",
        ),
        (|p| p.isolated = true, "isolated"),
        (
            |p| p.virtual_port = Some("openvswitch".to_owned()),
            "of type openvswitch",
        ),
        (
            |p| p.virtual_port = Some(String::new()),
            "has a <virtualport>,",
        ),
        (|p| p.inbound = rate(1000), "may receive 1000 KiB/s"),
        (
            |p| {
                p.inbound = Some(Bandwidth {
                    floor: Some(200),
                    ..Bandwidth::default()
                });
            },
            "guaranteed inbound rate of 200 KiB/s",
        ),
        (
            |p| p.outbound = Some(Bandwidth::default()),
            "without an average",
        ),
    ];
    for (change, words) in table {
        refused(judged(&vnic(|vnic| change(&mut vnic.port)), None), words);
    }
}

#[test]
fn trunks_are_refused() {
    let table = [
        (vlan(&[42, 47]), "trunk of VLANs 42, 47"),
        (
            VnicVlan {
                trunk: true,
                ..vlan(&[42])
            },
            "trunk of VLANs 42",
        ),
        (
            VnicVlan {
                native: true,
                ..vlan(&[42])
            },
            "with a native one",
        ),
        (vlan(&[]), "without tags"),
    ];
    for (vlan, words) in table {
        refused(judged(&vnic(|vnic| vnic.vlan = Some(vlan)), None), words);
    }
}

#[test]
fn a_network_and_its_port_group_count_as_the_vnic_does() {
    let isolated = PortSettings {
        isolated: true,
        ..PortSettings::default()
    };
    let network =
        |port: &PortSettings, group: Option<(&str, bool, &PortSettings)>| NetworkSettings {
            vlan: None,
            port: port.clone(),
            libvirt_keeps_macs: false,
            groups: group
                .into_iter()
                .map(|(name, default, port)| PortGroup {
                    name: name.to_owned(),
                    default,
                    vlan: None,
                    port: port.clone(),
                })
                .collect(),
        };
    let none = PortSettings::default();
    let plain = vnic(|_| {});
    let mut fixed = network(&none, None);
    fixed.libvirt_keeps_macs = true;
    refused(
        judged(&plain, Some(&fixed)),
        "Network lan has macTableManager='libvirt'",
    );
    let named = vnic(|vnic| vnic.portgroup = Some("slow".to_owned()));
    refused(
        judged(&plain, Some(&network(&isolated, None))),
        "Network lan is isolated",
    );
    let slow = PortSettings {
        inbound: rate(7),
        ..PortSettings::default()
    };
    let found = "Port group slow of network lan may receive 7 KiB/s";
    refused(
        judged(&plain, Some(&network(&none, Some(("slow", true, &slow))))),
        found,
    );
    refused(
        judged(&named, Some(&network(&none, Some(("slow", false, &slow))))),
        found,
    );
    assert!(judged(&plain, Some(&network(&none, Some(("slow", false, &slow))))).is_ok());
    // What runs shows what its port came to; a bandwidth that all share counts in any case.
    let runs = vnic(|vnic| vnic.kind = "bridge".to_owned());
    assert!(judged(&runs, Some(&network(&none, Some(("slow", true, &slow))))).is_ok());
    refused(judged(&runs, Some(&network(&slow, None))), "its VMs share");
    let out = PortSettings {
        outbound: rate(7),
        ..PortSettings::default()
    };
    refused(judged(&plain, Some(&network(&out, None))), "its VMs share");
    let carried = judged(&plain, Some(&network(&none, Some(("slow", true, &out))))).expect("fit");
    assert_eq!(carried.max_tx_mbps, Some(1));
    assert_eq!(
        transmit_limit(&plain, Some(&network(&none, Some(("slow", true, &out))))),
        Some(1)
    );
}

#[test]
fn an_outbound_average_is_a_rate_and_a_burst_is_lost() {
    let table = [
        (1, 1),
        (122, 1),
        (245, 2),
        (128_000, 1048),
        (u64::MAX, u32::MAX),
    ];
    for (kib, mbps) in table {
        let limited = vnic(|vnic| vnic.port.outbound = rate(kib));
        let carried = judged(&limited, None).expect("fit");
        assert_eq!(carried.max_tx_mbps, Some(mbps), "{kib} KiB/s");
        assert_eq!(transmit_limit(&limited, None), Some(mbps));
        assert!(carried.costs.is_empty());
        assert_eq!(carried.lines.len(), 1);
    }
    let burst = vnic(|vnic| {
        vnic.port.outbound = Some(Bandwidth {
            average: Some(1000),
            burst: Some(64),
            ..Bandwidth::default()
        });
    });
    let costs = judged(&burst, None).expect("fit").costs;
    assert_eq!(costs.len(), 1);
    assert!(costs[0].found.contains("a burst"), "{}", costs[0].found);
    let (rules, unlimited) = (
        bridge(false, &[], &[]),
        [Pf {
            no_rate: Some("EOPNOTSUPP".to_owned()),
            ..pf()
        }],
    );
    let problem = judge(&way(&burst, &rules, &unlimited)).expect_err("no rate");
    assert_eq!(problem.cause.as_deref(), Some("EOPNOTSUPP"));
}

#[test]
fn a_vnic_has_no_larger_mtu_than_the_adapter() {
    let jumbo = vnic(|vnic| vnic.port.mtu = Some(9000));
    let problem = judged(&jumbo, None).expect_err("too large");
    assert!(problem.found.contains("MTU of 9000") && problem.found.contains("1500"));
    assert!(problem.resolution.contains("ip link set ens1 mtu 9000"));
    let rules = PortRules {
        mtu: 9000,
        ..bridge(false, &[], &[])
    };
    let (small, large) = (
        [pf()],
        [Pf {
            mtu: Some(9000),
            ..pf()
        }],
    );
    let carried = judge(&way(&jumbo, &rules, &large)).expect("fit");
    assert_eq!(carried.lines.len(), 1, "{:?}", carried.lines);
    // Without a setting, libvirt takes the bridge's.
    let plain = vnic(|_| {});
    refused(
        judge(&way(&plain, &rules, &small)),
        "Bridge br0 has an MTU of 9000",
    );
    let own = vnic(|vnic| vnic.port.mtu = Some(1400));
    assert!(judge(&way(&own, &rules, &small)).is_ok());
    let network = NetworkSettings {
        port: PortSettings {
            mtu: Some(9000),
            ..PortSettings::default()
        },
        ..NetworkSettings::default()
    };
    refused(
        judged(&plain, Some(&network)),
        "Network lan has an MTU of 9000",
    );
}

#[test]
fn the_vlan_of_the_port_is_the_one_of_the_vf_as_it_leaves_the_node() {
    // What the uplink and the port have, and what becomes of that.
    let own = (1, true, true);
    let plain = vnic(|_| {});
    type Vlans<'a> = &'a [(u16, bool, bool)];
    let table: [(Vlans<'_>, Vlans<'_>, Result<u16, &str>); 10] = [
        (&[own], &[own], Ok(0)),
        (&[own, (42, false, false)], &[(42, true, true)], Ok(42)),
        (&[(42, true, true)], &[(42, true, true)], Ok(0)),
        (&[own], &[(42, true, true)], Err("does not carry")),
        (
            &[own, (42, false, true)],
            &[(42, true, true)],
            Err("without a tag"),
        ),
        (
            &[own, (42, false, false)],
            &[own, (42, false, false)],
            Err("trunk: beside its PVID 1"),
        ),
        (
            &[own, (42, false, false)],
            &[(42, false, false)],
            Err("no PVID"),
        ),
        (&[own], &[], Err("no PVID")),
        (
            &[own, (42, false, false)],
            &[(42, true, false)],
            Err("with tags"),
        ),
        (&[], &[own], Err("does not carry")),
    ];
    for (up, vm, expected) in table {
        let (rules, pfs) = (bridge(true, up, vm), [pf()]);
        let plugged = Way {
            port: Some("vnet1"),
            ..way(&plain, &rules, &pfs)
        };
        match expected {
            Ok(vlan) => assert_eq!(holds(&plugged), Ok(Vlan::Is(vlan)), "{up:?} {vm:?}"),
            Err(words) => refused(judge(&plugged), words),
        }
    }
}

#[test]
fn a_vnic_that_is_not_plugged_gets_its_tag_or_what_a_new_port_gets() {
    let up = [(1, true, true), (7, false, false), (42, false, false)];
    let pfs = [pf()];
    let holds_with = |change: fn(&mut PortRules), tag: Option<u16>| {
        let mut rules = bridge(true, &up, &[]);
        change(&mut rules);
        let vnic = vnic(|vnic| vnic.vlan = tag.map(|tag| vlan(&[tag])));
        holds(&way(&vnic, &rules, &pfs))
    };
    assert_eq!(holds_with(|_| {}, None), Ok(Vlan::WouldBe(0)));
    assert_eq!(holds_with(|_| {}, Some(42)), Ok(Vlan::Is(42)));
    assert_eq!(
        holds_with(|r| r.default_pvid = Some(7), None),
        Ok(Vlan::WouldBe(7))
    );
    let none = holds_with(|r| r.default_pvid = None, None).expect_err("no VLAN");
    assert!(none.found.contains("vlan_default_pvid 0"), "{none:?}");
    assert_eq!(
        holds_with(|r| r.default_pvid = None, Some(7)),
        Ok(Vlan::Is(7))
    );
    let service = holds_with(|r| r.service_tags = true, Some(42)).expect_err("802.1ad");
    assert!(service.found.contains("802.1ad"));
    assert_eq!(
        holds_with(|r| r.service_tags = true, None),
        Ok(Vlan::WouldBe(0))
    );
    assert_eq!(
        holds_with(|r| r.ports.clear(), None),
        Ok(Vlan::Unknown),
        "no uplink now"
    );
    // A tag that the bridge does not read is none.
    let ignored = holds_with(|r| r.vlan_filtering = false, Some(42)).expect_err("no VLAN");
    assert!(
        ignored.found.contains("does not filter VLANs"),
        "{ignored:?}"
    );
    let unable = [Pf {
        no_vlan: Some("EPERM".to_owned()),
        ..pf()
    }];
    let (rules, vnic) = (
        bridge(true, &up, &[]),
        vnic(|vnic| vnic.vlan = Some(vlan(&[42]))),
    );
    let problem = holds(&way(&vnic, &rules, &unable)).expect_err("cannot");
    assert_eq!(problem.cause.as_deref(), Some("EPERM"));
    let unread = Way {
        bridge: None,
        ..way(&vnic, &rules, &pfs)
    };
    assert_eq!(holds(&unread), Ok(Vlan::Unknown));
}

#[test]
fn a_port_that_was_closed_past_libvirt_is_closed() {
    let plain = vnic(|_| {});
    let pfs = [pf()];
    for (change, words) in [
        (
            (|port| port.isolated = true) as fn(&mut BridgePort),
            "is isolated",
        ),
        (|port| port.locked = true, "is locked"),
        (|port| port.flood_off = true, "unicast flooding off"),
    ] {
        let mut rules = bridge(false, &[], &[]);
        rules.ports.iter_mut().for_each(change);
        let plugged = Way {
            port: Some("vnet1"),
            ..way(&plain, &rules, &pfs)
        };
        refused(judge(&plugged), words);
        assert!(judge(&way(&plain, &rules, &pfs)).is_ok(), "not plugged");
    }
}
