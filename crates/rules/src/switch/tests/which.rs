//! Which adapter, which bridge, and which not.

use super::*;

#[test]
fn an_adapter_that_carries_nothing_gets_a_bridge_with_its_mac_and_mtu() {
    let plan = planned(&node(&["eth0"]), &["eth0"]).unwrap();
    assert_eq!(
        texts(&plan.steps),
        [
            "create bridge acn-vms",
            "set acn-vms up",
            "add port eth0 to bridge acn-vms"
        ]
    );
    assert_eq!(
        texts(&plan.undo),
        [
            "remove port eth0 from bridge acn-vms",
            "delete bridge acn-vms"
        ]
    );
    assert_eq!(
        plan.steps[0],
        SwitchStep::CreateBridge {
            bridge: "acn-vms".to_owned(),
            mac: Some(Mac([0x52, 0x54, 0, 0, 0, 7])),
            mtu: 9000
        }
    );
    assert_eq!(plan.why, "eth0 is not a port of a bridge yet.");
}

#[test]
fn of_two_adapters_the_first_is_the_uplink_and_the_other_is_left_alone() {
    let mut standing = node(&["eth0", "eth1"]);
    standing.uplinks[1].carried.addresses = vec![address("192.0.2.4/24")];
    let plan = planned(&standing, &["eth0", "eth1"]).unwrap();
    assert_eq!(plan.uplink, "eth0");
    assert!(!texts(&plan.steps).concat().contains("eth1"));
    assert_eq!(
        plan.why,
        "eth0 is not a port of a bridge yet; eth1 gives VFs only, since a second uplink of the bridge would be a loop."
    );
    let plan = planned(&standing, &["eth1", "eth0"]).unwrap();
    assert_eq!(plan.uplink, "eth1");
}

#[test]
fn an_adapter_that_is_gone_is_passed_over_and_the_port_stays_the_uplink() {
    let standing = node(&["eth1"]);
    let plan = planned(&standing, &["eth0", "eth1"]).unwrap();
    assert_eq!(plan.uplink, "eth1");
    let standing = with_bridge(node(&["eth0", "eth1"]), "acn-vms", &["eth1"]);
    let plan = planned(&standing, &["eth0", "eth1"]).unwrap();
    assert_eq!((&*plan.uplink, plan.steps.len()), ("eth1", 0));
}

#[test]
fn a_bridge_that_has_the_adapter_is_adopted() {
    let mut standing = with_bridge(node(&["eth0"]), "br0", &["eth0", "vnet3"]);
    standing
        .links
        .push(a_link("vnet3", Some("tun"), Some("br0")));
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!((&*plan.bridge, plan.steps.len()), ("br0", 0));
    assert_eq!(
        plan.why,
        "eth0 is a port of bridge br0 already, which is adopted; no change is needed."
    );
}

#[test]
fn a_bridge_that_another_users_adapter_is_in_is_not_adopted() {
    let mut standing = with_bridge(node(&["eth0", "eth9"]), "br0", &["eth0", "eth9"]);
    let refusal = planned(&standing, &["eth0"]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "eth0 is a port of bridge br0, and eth9 is another one."
    );
    assert!(planned(&standing, &["eth0", "eth9"]).is_ok());
    standing.links[0].master = None;
    standing.bridges[0].ports.remove(0);
    standing.bridges[0].name = "acn-vms".to_owned();
    let refusal = planned(&standing, &["eth0"]).unwrap_err();
    assert!(matches!(refusal, SwitchRefusal::BridgeHasUplink { .. }));
}

#[test]
fn a_bridge_that_stands_unused_gets_the_adapter_and_its_mac() {
    let mut standing = with_bridge(node(&["eth0"]), "acn-vms", &[]);
    standing.bridges[0].up = false;
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!(
        texts(&plan.steps),
        [
            "set the MAC of acn-vms to 52:54:00:00:00:07",
            "set acn-vms up",
            "add port eth0 to bridge acn-vms"
        ]
    );
    assert_eq!(
        texts(&plan.undo),
        [
            "remove port eth0 from bridge acn-vms",
            "set acn-vms down",
            "set the MAC of acn-vms to 52:54:00:00:00:09"
        ]
    );
    standing.bridges[0].addresses = vec![address("192.0.2.9/24")];
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!(texts(&plan.steps)[0], "set acn-vms up", "its MAC is in use");
}

#[test]
fn a_spanning_tree_is_refused_only_where_it_cuts_the_node_off() {
    let mut standing = with_bridge(node(&["eth0"]), "acn-vms", &[]);
    standing.bridges[0].spanning_tree = true;
    assert!(planned(&standing, &["eth0"]).is_ok());
    standing.uplinks[0].carried.addresses = vec![address("fe80::7/64")];
    assert!(planned(&standing, &["eth0"]).is_ok());
    standing.uplinks[0].carried.addresses = vec![address("192.0.2.4/24")];
    let refusal = planned(&standing, &["eth0"]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Bridge acn-vms runs a spanning tree: eth0, which carries addresses of the node, would be silent for 30 s."
    );
    standing.bridges[0].forward_delay_ms = 0;
    assert!(planned(&standing, &["eth0"]).is_ok());
}

#[test]
fn what_cannot_be_a_port_is_refused() {
    let refused = |change: &dyn Fn(&mut NetworkState)| {
        let mut standing = node(&["eth0"]);
        change(&mut standing);
        planned(&standing, &["eth0"]).unwrap_err()
    };
    let stacked = refused(&|standing| {
        standing.uplinks[0].carried.stacked = vec![
            Stacked {
                name: "eth0.5".to_owned(),
                kind: "vlan".to_owned(),
            },
            Stacked {
                name: "mv0".to_owned(),
                kind: "macvtap".to_owned(),
            },
        ];
    });
    assert_eq!(
        stacked.to_string(),
        "eth0 has upper devices: eth0.5 (vlan), mv0 (macvtap)."
    );
    let elsewhere = refused(&|standing| {
        standing.links[0].master = Some("ovs-system".to_owned());
        let ovs = a_link("ovs-system", Some("openvswitch"), None);
        standing.links.push(ovs);
    });
    assert_eq!(
        elsewhere.to_string(),
        "eth0 belongs to ovs-system, which is of the kind openvswitch."
    );
    let odd = refused(&|standing| standing.links[0].mac = None);
    assert!(matches!(odd, SwitchRefusal::NotEthernet { .. }));
    let taken = refused(&|standing| standing.links.push(a_link("acn-vms", Some("veth"), None)));
    assert_eq!(
        taken.to_string(),
        "acn-vms is the name of a link that is no bridge (veth)."
    );
    let route = refused(&|standing| {
        let mut route = route("203.0.113.0/24", None);
        route.peculiar = Some("several next hops".to_owned());
        standing.uplinks[0].carried.routes = vec![route];
    });
    assert_eq!(
        route.to_string(),
        "Route 203.0.113.0/24 goes out of eth0 and has several next hops."
    );
    for refusal in [stacked, elsewhere, odd, taken, route] {
        assert!(refusal.needed().ends_with('.'), "{refusal}");
        assert!(refusal.to_do().ends_with('.'), "{refusal}");
    }
}

#[test]
fn no_adapter_no_name() {
    let standing = node(&[]);
    assert_eq!(planned(&standing, &[]), Err(SwitchRefusal::NoUplink));
    let gone = planned(&standing, &["eth0"]).unwrap_err();
    assert_eq!(gone.to_string(), "Link eth0 does not exist.");
    for bridge in ["", "a-name-too-long-", "a/b", "a b", ".."] {
        let desired = DesiredSwitch {
            bridge: bridge.to_owned(),
            uplinks: vec!["eth0".to_owned()],
            had: None,
        };
        let refusal = plan(&desired, &node(&["eth0"])).unwrap_err();
        assert!(matches!(refusal, SwitchRefusal::BadName { .. }), "{bridge}");
    }
}

#[test]
fn adopting_a_bridge_that_filters_vlans_is_explained_for_as_long_as_it_does() {
    let mut standing = node(&["eth0"]);
    standing.links[0].master = Some("br7".to_owned());
    standing.links.push(a_link("br7", Some("bridge"), None));
    standing.bridges.push(a_bridge("br7", &["eth0"]));
    let plan = planned(&standing, &["eth0"]).expect("a plan");
    assert!(plan.warnings.is_empty(), "{plan:?}");
    standing.bridges[0].vlan_filtering = true;
    let plan = planned(&standing, &["eth0"]).expect("a plan");
    assert_eq!(plan.bridge, "br7");
    let [warning] = &plan.warnings[..] else {
        panic!("{plan:?}");
    };
    assert!(warning.starts_with("Bridge br7 filters VLANs"), "{warning}");
}
