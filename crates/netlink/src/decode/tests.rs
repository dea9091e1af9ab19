use accelnet_model::Mac;
use accelnet_model::link::LinkType;
use accelnet_model::vf::{VfLinkState, VlanProtocol};
use proptest::prelude::*;

use super::*;
use crate::attr::Writer;
use crate::encode;
use crate::message::{HEADER, Message};

mod cut;
mod ports;
mod roundtrip;

/// An adapter with `count` VFs.
fn adapter(count: usize) -> (Link, Vec<VfSettings>) {
    let link = Link {
        index: 5,
        name: "enp1s0".to_owned(),
        link_type: LinkType::Ether,
        alt_names: vec!["blue".to_owned()],
        mac: Some(Mac([0x52, 0x54, 0, 0xaa, 0, 1])),
        permanent_mac: Some(Mac([0x52, 0x54, 0, 0xaa, 0, 1])),
        mtu: 1500,
        up: true,
        carrier: true,
        master: None,
        kind: None,
        parent: "0000:01:00.0".parse().ok(),
        vf_count: Some(count as u32),
        bond: None,
    };
    (link, (0..count as u32).map(vf).collect())
}

fn vf(index: u32) -> VfSettings {
    VfSettings {
        index,
        mac: Mac([2, 0, 0, 0, (index >> 8) as u8, index as u8]),
        vlan: (index % 4095) as u16,
        qos: (index % 8) as u8,
        vlan_protocol: match index % 3 {
            0 => VlanProtocol::Dot1Ad,
            _ => VlanProtocol::Dot1Q,
        },
        max_tx_rate: index * 10,
        min_tx_rate: index,
        spoof_check: [None, Some(false), Some(true)][index as usize % 3],
        trust: [Some(true), None, Some(false)][index as usize % 3],
        link_state: [
            None,
            Some(VfLinkState::Auto),
            Some(VfLinkState::Enable),
            Some(VfLinkState::Disable),
        ][index as usize % 4],
        rss_query: [None, Some(true)][index as usize % 2],
    }
}

/// An answer about one link that `fill` completes.
fn answer(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut body = Writer::new(&ifinfo(5));
    fill(&mut body);
    Message {
        kind: RTM_NEWLINK,
        flags: 0,
        sequence: 1,
        body: &body.finish(),
    }
    .encode()
}

fn words(result: Result<Vec<VfSettings>, NetlinkError>) -> String {
    result.map_or_else(
        |error| error.to_string(),
        |vfs| format!("{} VFs", vfs.len()),
    )
}

#[test]
fn a_link_without_vfs_has_none() {
    assert_eq!(words(vf_settings(&answer(|_| {}))), "0 VFs");
    let zero = answer(|body| {
        body.words(IFLA_NUM_VF, &[0]);
    });
    assert_eq!(words(vf_settings(&zero)), "0 VFs");
}

#[test]
fn a_driver_without_an_answer_is_named() {
    let mute = answer(|body| {
        body.words(IFLA_NUM_VF, &[7]);
    });
    assert_eq!(
        words(vf_settings(&mute)),
        "read the settings of 7 VFs: the driver reports none"
    );
}

#[test]
fn answers_about_no_link_or_two_are_refused() {
    let one = answer(|_| {});
    assert!(vf_settings(&[]).is_err());
    assert!(vf_settings(&[one.clone(), one].concat()).is_err());
}

#[test]
fn a_refusal_in_the_datagram_is_a_refusal() {
    let bytes = Message {
        kind: NLMSG_ERROR,
        flags: NLM_F_CAPPED,
        sequence: 1,
        body: &[&(-19i32).to_ne_bytes()[..], &[0; HEADER]].concat(),
    }
    .encode();
    assert_eq!(
        words(vf_settings(&bytes)),
        "read the VF settings: no such device (ENODEV)"
    );
    assert!(links(&bytes).is_err());
}

#[test]
fn vfs_out_of_order_are_refused() {
    let (link, mut vfs) = adapter(3);
    vfs.swap(1, 2);
    assert_eq!(
        words(vf_settings(&encode::link_answer(&link, &vfs, false))),
        "read the VF settings: the answer is invalid: VF 1 is listed after the last one"
    );
}

#[test]
fn an_old_kernel_shows_less() {
    let bytes = answer(|body| {
        body.words(IFLA_NUM_VF, &[1])
            .nest(IFLA_VFINFO_LIST, |list| {
                list.nest(IFLA_VF_INFO, |info| {
                    info.bytes(IFLA_VF_MAC, &[0; 36])
                        .words(IFLA_VF_VLAN, &[0, 9, 1])
                        .words(IFLA_VF_TX_RATE, &[0, 300]);
                });
            });
    });
    let vfs = vf_settings(&bytes).unwrap();
    assert_eq!(
        (vfs[0].vlan, vfs[0].max_tx_rate, vfs[0].trust),
        (9, 300, None)
    );
    assert_eq!(vfs[0].vlan_protocol, VlanProtocol::Dot1Q);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let one = |change: &dyn Fn(&mut Writer)| {
        vf_settings(&answer(|body| {
            body.words(IFLA_NUM_VF, &[1])
                .nest(IFLA_VFINFO_LIST, |list| {
                    list.nest(IFLA_VF_INFO, |info| {
                        info.bytes(IFLA_VF_MAC, &[0; 36])
                            .words(IFLA_VF_VLAN, &[0, 0, 0])
                            .words(IFLA_VF_RATE, &[0, 0, 0]);
                        change(info);
                    });
                });
        }))
    };
    assert!(one(&|_| {}).is_ok());
    let wrong: [&dyn Fn(&mut Writer); 7] = [
        &|info| _ = info.words(IFLA_VF_VLAN, &[0, 65536, 0]),
        &|info| _ = info.words(IFLA_VF_VLAN, &[0, 1, 256]),
        &|info| _ = info.words(IFLA_VF_LINK_STATE, &[0, 3]),
        &|info| _ = info.words(IFLA_VF_TRUST, &[1, 0]),
        &|info| _ = info.words(IFLA_VF_TRUST, &[0]),
        &|info| _ = info.bytes(IFLA_VF_MAC, &[0; 35]),
        &|info| {
            info.nest(IFLA_VF_VLAN_LIST, |list| {
                list.words(IFLA_VF_VLAN_INFO, &[0, 1, 0, 0x0091]);
            });
        },
    ];
    for (number, change) in wrong.iter().enumerate() {
        let result = one(change);
        assert!(
            matches!(result, Err(NetlinkError::Malformed { .. })),
            "{number}"
        );
    }
}

#[test]
fn parents_count_on_the_pci_bus_only() {
    let parent = |bus: &str, name: &str| {
        let bytes = answer(|body| {
            body.text(IFLA_IFNAME, "x")
                .words(IFLA_MTU, &[1500])
                .text(IFLA_PARENT_DEV_NAME, name)
                .text(IFLA_PARENT_DEV_BUS_NAME, bus);
        });
        links(&bytes).map(|links| links[0].parent)
    };
    assert_eq!(
        parent("pci", "0000:01:00.0"),
        Ok("0000:01:00.0".parse().ok())
    );
    assert_eq!(parent("virtio", "virtio2"), Ok(None));
    assert!(parent("pci", "virtio2").is_err());
}

#[test]
fn a_link_without_name_or_mtu_and_a_short_one_are_refused() {
    for (name, mtu) in [(true, false), (false, true)] {
        let bytes = answer(|body| {
            if name {
                body.text(IFLA_IFNAME, "x");
            }
            if mtu {
                body.words(IFLA_MTU, &[1500]);
            }
        });
        assert!(links(&bytes).is_err());
    }
    let short = Message {
        kind: RTM_NEWLINK,
        flags: 0,
        sequence: 1,
        body: &[0; 15],
    };
    assert!(links(&short.encode()).is_err());
}

#[test]
fn a_master_that_is_not_listed_is_called_by_its_number() {
    let bytes = answer(|body| {
        body.text(IFLA_IFNAME, "x")
            .words(IFLA_MTU, &[1500])
            .words(IFLA_MASTER, &[9]);
    });
    let masters = links(&bytes).map(|links| links[0].master.clone());
    assert_eq!(masters, Ok(Some("link 9".to_owned())));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = (links(&bytes), vf_settings(&bytes));
        let framed = Message { kind: RTM_NEWLINK, flags: 0, sequence: 1, body: &bytes }.encode();
        let _ = (links(&framed), vf_settings(&framed));
        let _ = port_rules(&framed, &framed, "x");
    }

    #[test]
    fn any_changed_byte_is_survived(at in 0usize..1600, value: u8) {
        let (link, vfs) = adapter(7);
        let mut bytes = encode::link_answer(&link, &vfs, false);
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = links(&bytes);
        if let Ok(read) = vf_settings(&bytes) {
            // A changed count or list type leaves none, never some.
            prop_assert!(read.is_empty() || read.len() == vfs.len());
        }
    }
}
