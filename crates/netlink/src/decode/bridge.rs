//! The bridges among the links of an answer, and what stands on a link.

use accelnet_model::switch::{Bridge, Stacked};

use super::link;
use super::link_body::LinkBody;
use crate::abi::*;
use crate::attr::{Attr, Malformed};

/// Reads the bridges of `RTM_NEWLINK` bodies, without their addresses.
pub fn bridges(bodies: &[&[u8]]) -> Result<Vec<Bridge>, Malformed> {
    let mut links = Vec::new();
    for body in bodies {
        links.push((link::decode(body)?, *body));
    }
    let mut bridges = Vec::new();
    for (link::Indexed { link, .. }, body) in &links {
        if link.kind.as_deref() != Some("bridge") {
            continue;
        }
        let ports = links
            .iter()
            .filter(|(port, _)| port.master == Some(link.index));
        let mut bridge = Bridge {
            name: link.name.clone(),
            index: link.index,
            mac: link.mac,
            mtu: link.mtu,
            up: link.up,
            ports: ports.map(|(port, _)| port.link.name.clone()).collect(),
            addresses: Vec::new(),
            spanning_tree: false,
            forward_delay_ms: 0,
            vlan_filtering: false,
        };
        for attr in LinkBody::read(body)?.attrs {
            let attr = attr?;
            if attr.kind == IFLA_LINKINFO {
                read_info(attr, &mut bridge)?;
            }
        }
        bridges.push(bridge);
    }
    Ok(bridges)
}

fn read_info(info: Attr<'_>, bridge: &mut Bridge) -> Result<(), Malformed> {
    for data in info.nested() {
        let data = data?;
        if data.kind != IFLA_INFO_DATA {
            continue;
        }
        for setting in data.nested() {
            let setting = setting?;
            match setting.kind {
                IFLA_BR_STP_STATE => bridge.spanning_tree = setting.u32()? != 0,
                IFLA_BR_FORWARD_DELAY => {
                    let ticks = setting.u32()?;
                    bridge.forward_delay_ms = ticks.saturating_mul(1000 / USER_HZ);
                }
                IFLA_BR_VLAN_FILTERING => bridge.vlan_filtering = setting.u8()? != 0,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Reads which links of `RTM_NEWLINK` bodies stand on link `index`. The other end of a veth
/// pair does not, though the kernel reports it in the same place.
pub fn stacked(bodies: &[&[u8]], index: u32) -> Result<Vec<Stacked>, Malformed> {
    let mut found = Vec::new();
    for body in bodies {
        let (mut below, mut elsewhere) = (None, false);
        for attr in LinkBody::read(body)?.attrs {
            let attr = attr?;
            match attr.kind {
                IFLA_LINK => below = Some(attr.u32()?),
                IFLA_LINK_NETNSID => elsewhere = true,
                _ => {}
            }
        }
        let link = link::decode(body)?.link;
        if elsewhere || below != Some(index) || link.index == index {
            continue;
        }
        match link.kind {
            Some(kind) if kind != "veth" => found.push(Stacked {
                name: link.name,
                kind,
            }),
            _ => {}
        }
    }
    Ok(found)
}
