//! What a driver reports of its VFs, as netlink has it: lists with gaps, VLANs that the guest tags.

use accelnet_model::Mac;
use accelnet_model::link::{Link, LinkType};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_netlink::encode;
use serde_json::Value;

use crate::{Copy, adapter, behind_a_port};

fn vf(index: u32) -> VfSettings {
    let last = u8::try_from(index).expect("a small number");
    VfSettings {
        index,
        mac: Mac([0x52, 0x54, 0, 0, 1, last]),
        vlan: 0,
        qos: 0,
        vlan_protocol: VlanProtocol::Dot1Q,
        max_tx_rate: 0,
        min_tx_rate: 0,
        spoof_check: Some(true),
        trust: Some(false),
        link_state: Some(VfLinkState::Auto),
        rss_query: None,
    }
}

/// A copy of a node whose adapter has `count` VFs, of which the kernel lists these.
fn copy(ids: (u16, u16), driver: &str, count: u16, listed: &[VfSettings]) -> Copy {
    let pf = adapter(ids, driver, "ens1", 16).vfs(count);
    let copy = Copy::of(behind_a_port(pf.sriov(|sriov| sriov.vf_driver = None)));
    let link = Link {
        index: 2,
        name: "ens1".to_owned(),
        link_type: LinkType::Ether,
        alt_names: Vec::new(),
        mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        permanent_mac: None,
        mtu: 1500,
        up: true,
        carrier: true,
        master: None,
        kind: None,
        parent: Some("0000:01:00.0".parse().expect("an address")),
        vf_count: Some(count.into()),
        bond: None,
    };
    let folder = copy.root().join("run/accelnet/recorded");
    std::fs::create_dir_all(&folder).expect("a folder");
    let answer = encode::link_answer(&link, listed, true);
    std::fs::write(folder.join("ens1.netlink"), answer).expect("an answer");
    copy
}

/// Which VFs have settings in `adapter show`, by number.
fn known(copy: &Copy) -> Vec<bool> {
    let (shown, _) = copy.ask(&["adapter", "show", "ens1"]);
    let vfs = shown["vfs"].as_array().expect("VFs");
    let known = |vf: &Value| vf["settings"]["mac"].is_string();
    vfs.iter().map(known).collect()
}

/// A driver that answers nothing for a VF has the kernel leave it out of its list (`rtnl_fill_vfinfo`,
/// net/core/rtnetlink.c): the first, the last or all but one. Report: ethernet-linux-ice 31.
#[test]
fn vfs_that_are_not_in_the_list_are_unknown_and_the_others_are_whole() {
    for (ids, driver, listed, expected) in [
        (
            (0x8086, 0x1592),
            "ice",
            vec![1, 2, 3],
            [false, true, true, true],
        ),
        (
            (0x8086, 0x1572),
            "i40e",
            vec![0, 1, 2],
            [true, true, true, false],
        ),
        (
            (0x14e4, 0x16d7),
            "bnxt_en",
            vec![2],
            [false, false, true, false],
        ),
        ((0x15b3, 0x101d), "mlx5_core", vec![], [false; 4]),
    ] {
        let listed: Vec<VfSettings> = listed.into_iter().map(vf).collect();
        let copy = copy(ids, driver, 4, &listed);
        assert_eq!(known(&copy), expected, "{driver}");
        copy.stands_out(&[], &[]);
    }
}

/// mlx4 reports VLAN 4095 for a VF whose guest tags (`MLX4_VGT`, mlx4.h): it is no VLAN. Report:
/// sriov-network-device-plugin 58.
#[test]
fn a_guest_that_tags_has_no_vlan() {
    let tagged = VfSettings {
        vlan: 4095,
        ..vf(0)
    };
    let copy = copy((0x15b3, 0x1007), "mlx4_core", 2, &[tagged, vf(1)]);
    let (shown, _) = copy.ask(&["adapter", "show", "ens1"]);
    let vlan = &shown["vfs"][0]["settings"]["vlan"];
    assert_eq!(vlan, 0, "{:#}", shown["vfs"][0]["settings"]);
}
