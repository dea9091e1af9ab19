//! One link of an answer.

use std::collections::HashMap;

use accelnet_model::Mac;
use accelnet_model::link::{Bond, BondMode, Link, LinkType};

use super::link_body::LinkBody;
use crate::abi::*;
use crate::attr::{Attr, Malformed};

/// A link, and the indexes of other links that its message has.
pub struct Indexed {
    /// The link, as yet without the names of others.
    pub link: Link,
    /// Its master.
    pub master: Option<u32>,
    /// The active port of a bond.
    pub active: Option<u32>,
}

/// Reads the body of an `RTM_NEWLINK` message.
pub fn decode(body: &[u8]) -> Result<Indexed, Malformed> {
    let body = LinkBody::read(body)?;
    let mut name = None;
    let mut mtu = None;
    let mut master = None;
    let mut active = None;
    let mut parent = None;
    let mut bus = None;
    let mut link = Link {
        index: body.index,
        name: String::new(),
        link_type: LinkType::from_number(body.link_type),
        alt_names: Vec::new(),
        mac: None,
        permanent_mac: None,
        mtu: 0,
        up: body.flags & IFF_UP != 0,
        carrier: false,
        master: None,
        kind: None,
        parent: None,
        vf_count: None,
        bond: None,
    };
    for attr in body.attrs {
        let attr = attr?;
        match attr.kind {
            IFLA_IFNAME => name = Some(attr.text()),
            IFLA_MTU => mtu = Some(attr.u32()?),
            IFLA_ADDRESS => link.mac = mac(attr),
            IFLA_PERM_ADDRESS => link.permanent_mac = mac(attr),
            IFLA_CARRIER => link.carrier = attr.u8()? != 0,
            IFLA_MASTER => master = Some(attr.u32()?).filter(|index| *index != 0),
            IFLA_NUM_VF => link.vf_count = Some(attr.u32()?),
            IFLA_LINKINFO => {
                link.kind = texts(attr, IFLA_INFO_KIND)?.pop();
                if link.kind.as_deref() == Some("bond") {
                    let (mode, port) = bond(attr)?;
                    link.bond = Some(Bond { mode, active: None });
                    active = port;
                }
            }
            IFLA_PROP_LIST => link.alt_names = texts(attr, IFLA_ALT_IFNAME)?,
            IFLA_PARENT_DEV_NAME => parent = Some(attr.text()),
            IFLA_PARENT_DEV_BUS_NAME => bus = Some(attr.text()),
            _ => {}
        }
    }
    let missing = |field| Malformed(format!("link {} has no {field}", body.index));
    link.name = name.ok_or_else(|| missing("name"))?;
    link.mtu = mtu.ok_or_else(|| missing("MTU"))?;
    link.parent = match (bus.as_deref(), parent) {
        (Some("pci"), Some(parent)) => Some(
            parent
                .parse()
                .map_err(|error| Malformed(format!("the parent of {}: {error}", link.name)))?,
        ),
        _ => None,
    };
    Ok(Indexed {
        link,
        master,
        active,
    })
}

/// The mode of a bond and the index of its active port, from its `IFLA_LINKINFO`.
fn bond(info: Attr<'_>) -> Result<(BondMode, Option<u32>), Malformed> {
    let (mut mode, mut active) = (BondMode::Unknown, None);
    for data in info.nested() {
        let data = data?;
        if data.kind != IFLA_INFO_DATA {
            continue;
        }
        for setting in data.nested() {
            let setting = setting?;
            match setting.kind {
                IFLA_BOND_MODE => mode = BondMode::from_number(setting.u8()?),
                IFLA_BOND_ACTIVE_SLAVE => active = Some(setting.u32()?).filter(|port| *port != 0),
                _ => {}
            }
        }
    }
    Ok((mode, active))
}

/// Puts the names of masters and of active ports where their indexes were.
pub fn name_others(found: Vec<Indexed>) -> Vec<Link> {
    let names: HashMap<u32, String> = found
        .iter()
        .map(|one| (one.link.index, one.link.name.clone()))
        .collect();
    let name = |index: u32| match names.get(&index) {
        Some(name) => name.clone(),
        None => format!("link {index}"),
    };
    found
        .into_iter()
        .map(|one| Link {
            master: one.master.map(name),
            bond: one.link.bond.map(|bond| Bond {
                active: one.active.map(name),
                ..bond
            }),
            ..one.link
        })
        .collect()
}

/// An Ethernet address; none for addresses of other sizes (tunnels, InfiniBand).
fn mac(attr: Attr<'_>) -> Option<Mac> {
    attr.value.try_into().ok().map(Mac)
}

/// The texts of one type inside a nest.
fn texts(attr: Attr<'_>, kind: u16) -> Result<Vec<String>, Malformed> {
    let mut texts = Vec::new();
    for inner in attr.nested() {
        let inner = inner?;
        if inner.kind == kind {
            texts.push(inner.text());
        }
    }
    Ok(texts)
}
