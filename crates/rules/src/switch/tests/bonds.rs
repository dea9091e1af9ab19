//! Adapters in bonds and what is like them.

use accelnet_model::link::{Bond, BondMode};

use super::*;

const MODES: [BondMode; 7] = [
    BondMode::BalanceRr,
    BondMode::BalanceXor,
    BondMode::Broadcast,
    BondMode::Lacp,
    BondMode::BalanceTlb,
    BondMode::BalanceAlb,
    BondMode::Unknown,
];

/// eth0 and eth1 in bond0, which is a port of nothing.
fn bonded(mode: BondMode) -> NetworkState {
    let mut standing = node(&["eth0", "eth1"]);
    let mut bond = a_link("bond0", Some("bond"), None);
    bond.bond = Some(Bond {
        mode,
        active: Some("eth0".to_owned()),
    });
    standing.links.push(bond);
    for link in &mut standing.links[..2] {
        link.master = Some("bond0".to_owned());
    }
    standing
}

#[test]
fn a_bridge_that_has_the_adapters_bond_is_adopted() {
    let standing = bonded(BondMode::ActiveBackup);
    let refusal = planned(&standing, &["eth0"]).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "eth0 is in bond0, which is no port of a bridge."
    );
    let standing = with_bridge(standing, "br0", &["bond0"]);
    let plan = planned(&standing, &["eth0", "eth1"]).unwrap();
    assert_eq!((&*plan.bridge, plan.steps.len()), ("br0", 0));
    assert_eq!(
        plan.why,
        "eth0 is in bond0, which is a port of bridge br0, which is adopted; no change is needed."
    );
}

#[test]
fn every_other_mode_is_refused_with_what_vfs_lose() {
    for mode in MODES {
        for standing in [bonded(mode), with_bridge(bonded(mode), "br0", &["bond0"])] {
            let refusal = planned(&standing, &["eth0"]).unwrap_err();
            let found = refusal.to_string();
            let begins = format!("eth0 is a port of bond0, a bond in mode {mode}. ");
            assert!(
                found.starts_with(&begins) && found.ends_with('.'),
                "{found}"
            );
            assert!(refusal.to_do().contains("active-backup"), "{refusal:?}");
            assert!(refusal.needed().contains("active-backup"), "{refusal:?}");
        }
    }
    let lacp = planned(&bonded(BondMode::Lacp), &["eth0"]).unwrap_err();
    assert_eq!(
        lacp.to_string(),
        "eth0 is a port of bond0, a bond in mode 802.3ad. A VF receives nothing of what the other switch sends to the bond's other ports."
    );
}

#[test]
fn an_adapter_that_only_gives_vfs_is_refused_in_such_a_bond_too() {
    let mut standing = bonded(BondMode::Lacp);
    standing.links[0].master = None;
    let standing = with_bridge(standing, "acn-vms", &["eth0"]);
    assert!(planned(&standing, &["eth0"]).is_ok());
    let refusal = planned(&standing, &["eth0", "eth1"]).unwrap_err();
    assert!(refusal.to_string().starts_with("eth1 is a port of bond0"));
}

#[test]
fn a_bond_of_unknown_mode_a_team_and_open_vswitch_are_refused() {
    let mut standing = with_bridge(bonded(BondMode::ActiveBackup), "br0", &["bond0"]);
    standing.links[2].bond = None;
    let refusal = planned(&standing, &["eth0"]).unwrap_err();
    assert!(refusal.to_string().contains("in mode unknown"), "{refusal}");
    for kind in ["team", "openvswitch"] {
        standing.links[2].kind = Some(kind.to_owned());
        let refusal = planned(&standing, &["eth0"]).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            format!("eth0 belongs to bond0, which is of the kind {kind}.")
        );
    }
}

#[test]
fn a_bridge_that_was_adopted_is_not_replaced_when_the_adapter_leaves_it() {
    let standing = with_bridge(node(&["eth0"]), "br0", &[]);
    let mut desired = DesiredSwitch {
        bridge: "acn-vms".to_owned(),
        uplinks: vec!["eth0".to_owned()],
        had: Some("br0".to_owned()),
    };
    let refusal = plan(&desired, &standing).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Bridge br0 is the intent's virtual switch, and eth0 is no longer its port."
    );
    assert!(refusal.to_do().contains("ip link set eth0 master br0"));
    // A bridge that is gone, and one of accelnet's own, are made again.
    desired.had = Some("acn-vms".to_owned());
    assert!(plan(&desired, &standing).is_ok());
    desired.had = Some("br0".to_owned());
    assert!(plan(&desired, &node(&["eth0"])).is_ok());
}

#[test]
fn the_port_that_leads_to_an_adapter_is_its_link_or_its_bond() {
    let at = |number: u8| accelnet_model::PciAddress {
        domain: 0,
        bus: number,
        device: 0,
        function: 0,
    };
    let mut standing = with_bridge(bonded(BondMode::ActiveBackup), "br0", &["bond0"]);
    for (link, number) in standing.links.iter_mut().zip(1..) {
        link.index = number;
    }
    standing.links[0].parent = Some(at(1));
    standing.links[1].parent = Some(at(2));
    assert_eq!(uplink_ports(&standing.links, &[at(1), at(2)]), [3]);
    assert_eq!(uplink_ports(&standing.links, &[at(2)]), [3]);
    assert_eq!(uplink_ports(&standing.links, &[at(3)]), [0; 0]);
    standing.links[0].master = Some("br0".to_owned());
    assert_eq!(uplink_ports(&standing.links, &[at(1)]), [1]);
    // A bond without a bridge, and an unused adapter, lead into none.
    standing.links[2].master = None;
    standing.links[0].master = None;
    assert_eq!(uplink_ports(&standing.links, &[at(1), at(2)]), [0; 0]);
}
