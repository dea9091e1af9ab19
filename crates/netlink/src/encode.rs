//! Writes route netlink answers as the kernel does, byte for byte where this room reads
//! them: for tests, benchmarks, fuzzing, and the nodes that never existed.

use accelnet_model::link::Link;
use accelnet_model::vf::VfSettings;

use crate::abi::*;
use crate::attr::Writer;
use crate::message::Message;

mod vf;

pub(crate) use vf::{link_state, vlan_info};

/// The answer to a question about one link and its VFs (`rtnl_fill_ifinfo()` of the
/// kernel), with or without VF statistics. With them the length of the VF list wraps
/// around at 222 VFs, as in the kernel. A master is left out: it has no number here.
pub fn link_answer(link: &Link, vfs: &[VfSettings], with_stats: bool) -> Vec<u8> {
    message(link, [None; 2], vfs, with_stats, 0)
}

/// The answer to a question about all links, its `NLMSG_DONE` included. Masters and active ports are
/// numbered by their names among `links`; one that is not among them is left out.
pub fn links_answer(links: &[Link]) -> Vec<u8> {
    let index = |name: &str| links.iter().find(|link| link.name == name).map(|l| l.index);
    let mut bytes: Vec<u8> = links
        .iter()
        .flat_map(|link| {
            let master = link.master.as_deref().and_then(index);
            let active = link.bond.as_ref().and_then(|bond| bond.active.as_deref());
            message(
                link,
                [master, active.and_then(index)],
                &[],
                false,
                NLM_F_MULTI,
            )
        })
        .collect();
    let done = Message {
        kind: NLMSG_DONE,
        flags: NLM_F_MULTI,
        sequence: 1,
        body: &[0; 4],
    };
    bytes.extend(done.encode());
    bytes
}

fn message(
    link: &Link,
    [master, active]: [Option<u32>; 2],
    vfs: &[VfSettings],
    with_stats: bool,
    flags: u16,
) -> Vec<u8> {
    let mut header = [0; IFINFO_LEN];
    header[2..4].copy_from_slice(&link.link_type.number().to_ne_bytes());
    header[4..8].copy_from_slice(&link.index.to_ne_bytes());
    let up = if link.up { IFF_UP } else { 0 };
    header[8..12].copy_from_slice(&up.to_ne_bytes());
    let mut body = Writer::new(&header);
    body.text(IFLA_IFNAME, &link.name)
        .words(IFLA_MTU, &[link.mtu]);
    if let Some(master) = master {
        body.words(IFLA_MASTER, &[master]);
    }
    body.bytes(IFLA_CARRIER, &[u8::from(link.carrier)]);
    if let Some(mac) = link.mac {
        body.bytes(IFLA_ADDRESS, &mac.0);
    }
    if let Some(mac) = link.permanent_mac {
        body.bytes(IFLA_PERM_ADDRESS, &mac.0);
    }
    if let Some(count) = link.vf_count {
        body.words(IFLA_NUM_VF, &[count])
            .nest(IFLA_VFINFO_LIST, |list| {
                for settings in vfs {
                    vf::write(list, settings, with_stats);
                }
            });
    }
    if let Some(kind) = &link.kind {
        body.nest(IFLA_LINKINFO, |info| {
            info.text(IFLA_INFO_KIND, kind);
            if let Some(bond) = &link.bond {
                info.nest(IFLA_INFO_DATA, |data| {
                    data.bytes(IFLA_BOND_MODE, &[bond.mode.number()]);
                    if let Some(active) = active {
                        data.words(IFLA_BOND_ACTIVE_SLAVE, &[active]);
                    }
                });
            }
        });
    }
    if !link.alt_names.is_empty() {
        body.flagged_nest(IFLA_PROP_LIST, |list| {
            for name in &link.alt_names {
                list.text(IFLA_ALT_IFNAME, name);
            }
        });
    }
    if let Some(parent) = link.parent {
        body.text(IFLA_PARENT_DEV_NAME, &parent.to_string())
            .text(IFLA_PARENT_DEV_BUS_NAME, "pci");
    }
    Message {
        kind: RTM_NEWLINK,
        flags,
        sequence: 1,
        body: &body.finish(),
    }
    .encode()
}
