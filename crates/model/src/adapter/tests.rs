use super::*;
use crate::link::LinkType;

fn identity() -> Identity {
    let link = |index: u32, name: &str| Link {
        index,
        name: name.to_owned(),
        link_type: LinkType::Ether,
        alt_names: vec![format!("alt{index}")],
        mac: "52:54:00:00:00:01".parse().ok(),
        permanent_mac: "52:54:00:00:00:02".parse().ok(),
        mtu: 1500,
        up: true,
        carrier: true,
        master: None,
        kind: None,
        parent: None,
        vf_count: None,
        bond: None,
    };
    Identity {
        address: "0000:01:00.0".parse().expect("an address"),
        links: vec![link(2, "ens1"), link(3, "ens1d1")],
    }
}

#[test]
fn an_adapter_answers_to_every_name_it_has() {
    let identity = identity();
    for name in [
        "ens1",
        "ens1d1",
        "alt2",
        "alt3",
        "0000:01:00.0",
        "01:00.0",
        "52:54:00:00:00:01",
        "52:54:00:00:00:02",
    ] {
        assert!(identity.answers_to(name), "{name}");
    }
    for name in ["", "ens", "ENS1", "0000:01:00.1", "52:54:00:00:00:03"] {
        assert!(!identity.answers_to(name), "{name}");
    }
    assert_eq!(identity.name(), "ens1");
}

#[test]
fn without_a_netdev_it_is_called_by_its_address() {
    let bare = Identity {
        links: Vec::new(),
        ..identity()
    };
    assert_eq!(bare.name(), "0000:01:00.0");
    assert!(!bare.answers_to("52:54:00:00:00:01"));
}

#[test]
fn a_pcie_link_carries_less_than_it_transfers() {
    let rate = |megatransfers, lanes| {
        let rate = PcieRate {
            megatransfers,
            lanes,
        };
        rate.megabits()
    };
    assert_eq!(rate(2_500, 1), 2_000);
    assert_eq!(rate(5_000, 8), 32_000);
    assert_eq!(rate(8_000, 8), 63_015);
    assert_eq!(rate(16_000, 16), 252_061);
    assert!(rate(64_000, 1) < 64_000);
}
