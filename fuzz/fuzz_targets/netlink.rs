//! Whatever a datagram holds: a value or an error, and what was read can be written and
//! read again.
#![no_main]

use accelnet_model::Mac;
use accelnet_model::link::Link;
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_netlink::{Ack, decode, encode};
use libfuzzer_sys::fuzz_target;

const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;

fuzz_target!(|data: &[u8]| {
    datagram(data);
    datagram(&framed(RTM_NEWLINK, data));
    datagram(&framed(NLMSG_ERROR, data));
    datagram(&wrecked(data));
    survives(&link(), &built_from(data));
});

/// Reads a datagram every way there is.
fn datagram(bytes: &[u8]) {
    let _ = Ack::find(bytes);
    let links = decode::links(bytes).unwrap_or_default();
    let vfs = decode::vf_settings(bytes);
    if let (Ok(vfs), [link]) = (&vfs, &links[..]) {
        // The kernel leaves out VFs that the driver does not answer for, and lists the others in order.
        let mut allowed = 0..link.vf_count.unwrap_or(0);
        for vf in vfs {
            assert!(
                allowed.contains(&vf.index),
                "VF {} is not in {allowed:?}",
                vf.index
            );
            allowed.start = vf.index + 1;
        }
    }
    // Lengths are 16 bits wide on the wire: longer names could not be written again.
    if bytes.len() <= 4096 {
        for link in links {
            survives(&link, vfs.as_deref().unwrap_or_default());
        }
    }
}

/// A message of one type around bytes.
fn framed(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes[..4].copy_from_slice(&(16 + body.len() as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
    bytes[6..8].copy_from_slice(&[0, 3]);
    bytes.extend(body);
    bytes
}

/// A good answer with some bytes changed: a place (two bytes) and a value each.
fn wrecked(data: &[u8]) -> Vec<u8> {
    let vfs = built_from(&[7; 60]);
    let mut bytes = encode::link_answer(&link(), &vfs, true);
    for change in data.chunks_exact(3).take(8) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[place] = change[2];
    }
    bytes
}

/// What is written is read. Masters have no number in an answer about one link, and no VF is left out.
fn survives(link: &Link, vfs: &[VfSettings]) {
    let vfs = vfs.iter().zip(0..).map(|(vf, index)| VfSettings {
        index,
        ..vf.clone()
    });
    let vfs: Vec<VfSettings> = vfs.collect();
    let link = Link {
        master: None,
        vf_count: Some(vfs.len() as u32),
        bond: None,
        ..link.clone()
    };
    let bytes = encode::link_answer(&link, &vfs, false);
    assert_eq!(decode::vf_settings(&bytes).as_deref(), Ok(&vfs[..]));
    assert_eq!(decode::links(&bytes), Ok(vec![link]));
}

fn link() -> Link {
    Link {
        index: 1,
        name: "x".to_owned(),
        link_type: accelnet_model::link::LinkType::Ether,
        alt_names: Vec::new(),
        mac: None,
        permanent_mac: None,
        mtu: 1500,
        up: false,
        carrier: false,
        master: None,
        kind: None,
        parent: None,
        vf_count: Some(3),
        bond: None,
    }
}

/// VFs made of the bytes, 20 each, as many as fit into one answer.
fn built_from(data: &[u8]) -> Vec<VfSettings> {
    let (records, _) = data.as_chunks::<20>();
    records.iter().take(220).zip(0..).map(vf).collect()
}

fn vf((record, index): (&[u8; 20], u32)) -> VfSettings {
    let number = |at: usize| {
        let bytes = [record[at], record[at + 1], record[at + 2], record[at + 3]];
        u32::from_le_bytes(bytes)
    };
    let flag = |byte: u8| [None, Some(false), Some(true)][usize::from(byte % 3)];
    let mut mac = Mac::ZERO;
    mac.0.copy_from_slice(&record[..6]);
    VfSettings {
        index,
        mac,
        // 4095 is read as none: mlx4 reports it where the guest tags.
        vlan: Some(u16::from_le_bytes([record[6], record[7]]))
            .filter(|vlan| *vlan != 4095)
            .unwrap_or(0),
        qos: record[8],
        vlan_protocol: match record[19] > 127 {
            true => VlanProtocol::Dot1Ad,
            false => VlanProtocol::Dot1Q,
        },
        max_tx_rate: number(9),
        min_tx_rate: number(13),
        spoof_check: flag(record[17]),
        trust: flag(record[18]),
        rss_query: flag(record[17] / 3),
        link_state: match record[19] % 4 {
            0 => None,
            1 => Some(VfLinkState::Auto),
            2 => Some(VfLinkState::Enable),
            _ => Some(VfLinkState::Disable),
        },
    }
}
