//! Whatever a datagram holds: a value or an error, and what was read can be written and
//! read again.
#![no_main]

use accelnet_model::Mac;
use accelnet_model::link::Link;
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_netlink::{Ack, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Ack::find(data);
    let links = decode::links(data).unwrap_or_default();
    let vfs = decode::vf_settings(data);
    // Lengths are 16 bits wide on the wire: longer names could not be written again.
    if data.len() <= 4096 {
        for link in links {
            survives(&link, vfs.as_deref().unwrap_or_default());
        }
    }
    built_from(data);
});

/// What is written is read. Masters have no number in an answer about one link.
fn survives(link: &Link, vfs: &[VfSettings]) {
    let link = Link {
        master: None,
        vf_count: Some(vfs.len() as u32),
        ..link.clone()
    };
    let bytes = encode::link_answer(&link, vfs, false);
    assert_eq!(decode::vf_settings(&bytes).as_deref(), Ok(vfs));
    assert_eq!(decode::links(&bytes), Ok(vec![link]));
}

/// VFs made of the bytes, 20 each, as many as fit into one answer.
fn built_from(data: &[u8]) {
    let (records, _) = data.as_chunks::<20>();
    let vfs: Vec<_> = records.iter().take(220).zip(0..).map(vf).collect();
    let link = Link {
        index: 1,
        name: "x".to_owned(),
        alt_names: Vec::new(),
        mac: None,
        permanent_mac: None,
        mtu: 1500,
        up: false,
        carrier: false,
        master: None,
        kind: None,
        parent: None,
        vf_count: None,
    };
    survives(&link, &vfs);
}

fn vf((record, index): (&[u8; 20], u32)) -> VfSettings {
    let [mac @ .., v0, v1, qos, a0, a1, a2, a3, b0, b1, b2, b3, s, t, l] = *record;
    let flag = |byte: u8| [None, Some(false), Some(true)][usize::from(byte % 3)];
    let state = |byte: u8| match byte % 4 {
        0 => None,
        1 => Some(VfLinkState::Auto),
        2 => Some(VfLinkState::Enable),
        _ => Some(VfLinkState::Disable),
    };
    VfSettings {
        index,
        mac: Mac(mac),
        vlan: u16::from_le_bytes([v0, v1]),
        qos,
        vlan_protocol: match l > 127 {
            true => VlanProtocol::Dot1Ad,
            false => VlanProtocol::Dot1Q,
        },
        max_tx_rate: u32::from_le_bytes([a0, a1, a2, a3]),
        min_tx_rate: u32::from_le_bytes([b0, b1, b2, b3]),
        spoof_check: flag(s),
        trust: flag(t),
        link_state: state(l),
        rss_query: flag(s / 3),
    }
}
