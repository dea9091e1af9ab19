//! A second opinion: `netlink-packet-route` reads what we write, and writes what we read.
//! It also shows why we do not read answers with it: what it loses is stated here.

use accelnet_model::Mac;
use accelnet_model::link::{Link, LinkType};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_netlink::{NetlinkError, decode, encode};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage, LinkVfInfo, VfInfo, VfVlan};

fn adapter(vfs: u32) -> (Link, Vec<VfSettings>) {
    let link = Link {
        index: 5,
        name: "enp1s0".to_owned(),
        link_type: LinkType::Ether,
        alt_names: vec!["blue".to_owned()],
        mac: Some(Mac([2, 0, 0, 0, 0, 1])),
        permanent_mac: None,
        mtu: 9000,
        up: true,
        carrier: true,
        master: None,
        kind: None,
        parent: "0000:01:00.0".parse().ok(),
        vf_count: Some(vfs),
        bond: None,
    };
    let vf = |index| VfSettings {
        index,
        mac: Mac([2, 0, 0, 0, 1, index as u8]),
        vlan: 100,
        qos: 3,
        vlan_protocol: VlanProtocol::Dot1Ad,
        max_tx_rate: 1000,
        min_tx_rate: 10,
        spoof_check: Some(true),
        trust: Some(false),
        link_state: Some(VfLinkState::Enable),
        rss_query: Some(false),
    };
    (link, (0..vfs).map(vf).collect())
}

fn read(bytes: &[u8]) -> LinkMessage {
    let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes);
    match message.map(|message| message.payload) {
        Ok(NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link))) => link,
        other => panic!("{other:?}"),
    }
}

fn vfs_of(message: &LinkMessage) -> &[LinkVfInfo] {
    let list = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::VfInfoList(list) => Some(list.as_slice()),
            _ => None,
        });
    list.unwrap_or_default()
}

#[test]
fn the_peer_reads_what_we_write() {
    let (link, vfs) = adapter(256);
    let message = read(&encode::link_answer(&link, &vfs, false));
    assert_eq!(message.header.index, 5);
    let has = |attribute| message.attributes.contains(&attribute);
    assert!(has(LinkAttribute::IfName("enp1s0".to_owned())));
    assert!(has(LinkAttribute::Mtu(9000)));
    assert!(has(LinkAttribute::NumVf(256)));
    assert!(has(LinkAttribute::ParentDevName("0000:01:00.0".to_owned())));
    let infos = vfs_of(&message);
    assert_eq!(infos.len(), 256);
    for (vf, info) in vfs.iter().zip(infos) {
        let mut seen = 0;
        for part in &info.0 {
            let same = match part {
                VfInfo::Mac(mac) => mac.vf_id == vf.index && mac.mac[..6] == vf.mac.0,
                VfInfo::Rate(rate) => (rate.min_tx_rate, rate.max_tx_rate) == (10, 1000),
                VfInfo::Vlan(vlan) => (vlan.vlan_id, vlan.qos) == (100, 3),
                VfInfo::SpoofCheck(check) => check.enabled,
                VfInfo::Trust(trust) => !trust.enabled,
                VfInfo::VlanList(list) => match &list[..] {
                    [VfVlan::Info(info)] => {
                        info.vlan_id == 100 && u16::from(info.protocol) == 0x88a8
                    }
                    _ => false,
                },
                _ => continue,
            };
            assert!(same, "{part:?}");
            seen += 1;
        }
        assert_eq!(seen, 6);
    }
}

#[test]
fn we_read_what_the_peer_writes() {
    let (link, vfs) = adapter(7);
    let message = read(&encode::link_answer(&link, &vfs, true));
    let mut again = NetlinkMessage::from(RouteNetlinkMessage::NewLink(message));
    again.finalize();
    let mut bytes = vec![0; again.buffer_len()];
    again.serialize(&mut bytes);
    assert_eq!(decode::vf_settings(&bytes), Ok(vfs));
    assert_eq!(decode::links(&bytes), Ok(vec![link]));
}

#[test]
fn vfs_that_the_driver_does_not_answer_for_are_left_out_for_the_peer_and_for_us() {
    let (link, vfs) = adapter(8);
    let bytes = encode::link_answer(&link, &vfs[..5], false);
    assert_eq!(vfs_of(&read(&bytes)).len(), 5);
    assert_eq!(decode::vf_settings(&bytes), Ok(vfs[..5].to_vec()));
}

#[test]
fn a_list_that_wrapped_around_hides_the_numbers_from_the_peer() {
    let (link, vfs) = adapter(256);
    let bytes = encode::link_answer(&link, &vfs, true);
    let peer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&bytes);
    let words = peer.map_or_else(|error| error.to_string(), |_| String::new());
    assert!(
        words.len() > 10_000,
        "the whole answer, in decimal: {words}"
    );
    assert_eq!(
        decode::vf_settings(&bytes),
        Err(NetlinkError::CutShort {
            got: 34,
            expected: 256
        })
    );
}

#[test]
fn what_a_driver_does_not_report_is_off_to_the_peer_and_none_to_us() {
    let (link, mut vfs) = adapter(1);
    vfs[0].spoof_check = None;
    vfs[0].trust = None;
    let bytes = encode::link_answer(&link, &vfs, false);
    let message = read(&bytes);
    let off = |part: &&VfInfo| match part {
        VfInfo::SpoofCheck(check) => !check.enabled,
        VfInfo::Trust(trust) => !trust.enabled,
        _ => false,
    };
    assert_eq!(vfs_of(&message)[0].0.iter().filter(off).count(), 2);
    assert_eq!(decode::vf_settings(&bytes), Ok(vfs));
}
