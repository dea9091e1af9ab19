//! What a bridge lets through its ports.

use accelnet_model::switch::{BridgePort, PortRules, PortVlan};

use super::link;
use super::link_body::LinkBody;
use crate::abi::*;
use crate::attr::{Attr, Malformed};

/// Reads the rules of the bridge called `name` for its ports: `links` are the bodies of all links, and
/// `ports` those of an answer about bridges. None where no link is called so.
pub fn rules(links: &[&[u8]], ports: &[&[u8]], name: &str) -> Result<Option<PortRules>, Malformed> {
    let mut rules = PortRules::default();
    let mut index = None;
    for body in links {
        let link = link::decode(body)?.link;
        if link.name != name {
            continue;
        }
        index = Some(link.index);
        rules.mtu = link.mtu;
        for attr in LinkBody::read(body)?.attrs {
            let attr = attr?;
            if attr.kind == IFLA_LINKINFO {
                read_info(attr, &mut rules)?;
            }
        }
    }
    let Some(index) = index else {
        return Ok(None);
    };
    for body in ports {
        rules.ports.extend(port(body, index)?);
    }
    Ok(Some(rules))
}

fn read_info(info: Attr<'_>, rules: &mut PortRules) -> Result<(), Malformed> {
    for data in info.nested() {
        let data = data?;
        if data.kind != IFLA_INFO_DATA {
            continue;
        }
        for setting in data.nested() {
            let setting = setting?;
            match setting.kind {
                IFLA_BR_VLAN_FILTERING => rules.vlan_filtering = setting.u8()? != 0,
                IFLA_BR_VLAN_PROTOCOL => {
                    rules.service_tags = u16::from_be(setting.u16()?) == ETH_P_8021AD;
                }
                IFLA_BR_VLAN_DEFAULT_PVID => {
                    rules.default_pvid = Some(setting.u16()?).filter(|id| *id != 0);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// One port of the bridge with number `bridge`; none for other links, and for what an adapter reports
/// of its own embedded switch, which stands in the same answer.
fn port(body: &[u8], bridge: u32) -> Result<Option<BridgePort>, Malformed> {
    let body = LinkBody::read(body)?;
    let own = body.index;
    let mut port = BridgePort::default();
    let (mut master, mut embedded) = (None, false);
    for attr in body.attrs {
        let attr = attr?;
        match attr.kind {
            IFLA_IFNAME => port.name = attr.text(),
            IFLA_MASTER => master = Some(attr.u32()?),
            IFLA_PROTINFO => {
                for setting in attr.nested() {
                    let setting = setting?;
                    match setting.kind {
                        IFLA_BRPORT_LEARNING => port.learning_off = setting.u8()? == 0,
                        IFLA_BRPORT_UNICAST_FLOOD => port.flood_off = setting.u8()? == 0,
                        IFLA_BRPORT_ISOLATED => port.isolated = setting.u8()? != 0,
                        IFLA_BRPORT_LOCKED => port.locked = setting.u8()? != 0,
                        _ => {}
                    }
                }
            }
            IFLA_AF_SPEC => {
                for setting in attr.nested() {
                    let setting = setting?;
                    match setting.kind {
                        IFLA_BRIDGE_FLAGS => embedded |= setting.u16()? & BRIDGE_FLAGS_SELF != 0,
                        IFLA_BRIDGE_VLAN_INFO => port.vlans.push(vlan(setting)?),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    // The bridge itself stands in the answer, too, as its own master.
    let is_port = master == Some(bridge) && own != bridge && !embedded;
    Ok(is_port.then_some(port))
}

/// `struct bridge_vlan_info`: flags, and the id.
fn vlan(attr: Attr<'_>) -> Result<PortVlan, Malformed> {
    let [f0, f1, i0, i1] = *attr.value else {
        return Err(Malformed(format!(
            "a VLAN of a port has {} bytes instead of 4",
            attr.value.len()
        )));
    };
    let flags = u16::from_ne_bytes([f0, f1]);
    Ok(PortVlan {
        id: u16::from_ne_bytes([i0, i1]),
        pvid: flags & BRIDGE_VLAN_INFO_PVID != 0,
        untagged: flags & BRIDGE_VLAN_INFO_UNTAGGED != 0,
    })
}
