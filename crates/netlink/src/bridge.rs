//! Bridges and their ports: list, make, delete, and changes of any link.

use std::fmt;

use accelnet_model::Mac;
use accelnet_model::link::Link;
use accelnet_model::switch::{Bridge, Stacked};

use crate::abi::*;
use crate::address::{all_addresses, unlabelled};
use crate::attr::Writer;
use crate::by_name::{index_of, is_missing, link};
use crate::decode::{self, ifinfo};
use crate::links::raw_links;
use crate::socket::{Request, ask};
use crate::{NetlinkError, links};

/// A bridge that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBridge {
    /// Name, at most 15 bytes.
    pub name: String,
    /// Its MAC; none for one that the kernel makes up, and changes with its ports.
    pub mac: Option<Mac>,
    /// Bytes of the largest payload, until a port has fewer.
    pub mtu: u32,
    /// Whether it reads VLAN tags.
    pub vlan_filtering: bool,
}

/// What to change of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkChange {
    /// Administratively up.
    Up,
    /// Administratively down; IPv6 addresses and routes go with it.
    Down,
    /// MAC.
    Mac(Mac),
    /// Bytes of the largest payload.
    Mtu(u32),
    /// Port of that bridge from now on.
    PortOf(String),
    /// Removes the link from its bridge.
    Free,
}

impl fmt::Display for LinkChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkChange::Up => write!(f, "set it up"),
            LinkChange::Down => write!(f, "set it down"),
            LinkChange::Mac(mac) => write!(f, "set MAC {mac}"),
            LinkChange::Mtu(mtu) => write!(f, "set MTU {mtu}"),
            LinkChange::PortOf(bridge) => write!(f, "make it a port of {bridge}"),
            LinkChange::Free => write!(f, "remove it from its bridge"),
        }
    }
}

/// Reads all bridges, with their ports and addresses. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn bridges() -> Result<Vec<Bridge>, NetlinkError> {
    let mut bridges = decode::bridges(&raw_links()?)?;
    if bridges.is_empty() {
        return Ok(bridges);
    }
    for (index, address) in all_addresses(0)? {
        if let Some(bridge) = bridges.iter_mut().find(|bridge| bridge.index == index) {
            let address = unlabelled(address, &bridge.name);
            bridge.addresses.push(address);
        }
    }
    Ok(bridges)
}

/// Reads which links of this network namespace stand on the link called `name`: VLANs,
/// macvlans and the like. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn stacked(name: &str) -> Result<Vec<Stacked>, NetlinkError> {
    decode::stacked(&raw_links()?, index_of(name)?)
}

/// Makes a bridge without a spanning tree; one of that name that is there already is left as
/// it is. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `EEXIST` where a link of that name is no bridge.
pub fn create_bridge(new: &NewBridge) -> Result<(), NetlinkError> {
    let mut body = Writer::new(&ifinfo(0));
    body.text(IFLA_IFNAME, &new.name)
        .words(IFLA_MTU, &[new.mtu]);
    if let Some(mac) = new.mac {
        body.bytes(IFLA_ADDRESS, &mac.0);
    }
    body.nest(IFLA_LINKINFO, |info| {
        info.text(IFLA_INFO_KIND, "bridge")
            .nest(IFLA_INFO_DATA, |data| {
                data.words(IFLA_BR_STP_STATE, &[0]);
                // A kernel without VLANs knows no such setting.
                if new.vlan_filtering {
                    data.bytes(IFLA_BR_VLAN_FILTERING, &[1]);
                }
            });
    });
    let made = route_netlink(
        format!("create bridge {}", new.name),
        RTM_NEWLINK,
        NLM_F_CREATE | NLM_F_EXCL,
        body,
    );
    match made {
        Err(error) if error.errno() == Some(libc::EEXIST) => match link(&new.name) {
            Ok(there) if is_bridge(&there) => Ok(()),
            _ => Err(error),
        },
        made => made,
    }
}

fn is_bridge(link: &Link) -> bool {
    link.kind.as_deref() == Some("bridge")
}

/// Deletes the bridge called `name`; that there is none is no error. Its ports stay. Needs
/// `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENOTSUP` where a link of that name is no bridge.
pub fn delete_bridge(name: &str) -> Result<(), NetlinkError> {
    let there = match link(name) {
        Err(error) if is_missing(&error) => return Ok(()),
        found => found?,
    };
    let what = format!("delete bridge {name}");
    if !is_bridge(&there) {
        return Err(NetlinkError::refused_here(
            &what,
            libc::EOPNOTSUPP,
            "it is no bridge",
        ));
    }
    let gone = route_netlink(what, RTM_DELLINK, 0, Writer::new(&ifinfo(there.index)));
    match gone {
        Err(error) if is_missing(&error) => Ok(()),
        gone => gone,
    }
}

/// Changes the link called `name`. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `EBUSY` for a link that is to be a port and is one elsewhere.
pub fn set_link(name: &str, change: &LinkChange) -> Result<(), NetlinkError> {
    let what = format!("change {name}: {change}");
    let now = link(name)?;
    let mut header = ifinfo(now.index);
    let mut set_up = |up: u32| {
        header[8..12].copy_from_slice(&up.to_ne_bytes());
        header[12..16].copy_from_slice(&IFF_UP.to_ne_bytes());
    };
    match change {
        LinkChange::Up => set_up(IFF_UP),
        LinkChange::Down => set_up(0),
        _ => {}
    }
    let mut body = Writer::new(&header);
    match change {
        LinkChange::Up | LinkChange::Down => {}
        LinkChange::Mac(mac) => {
            body.bytes(IFLA_ADDRESS, &mac.0);
        }
        LinkChange::Mtu(mtu) => {
            body.words(IFLA_MTU, &[*mtu]);
        }
        LinkChange::Free => {
            body.words(IFLA_MASTER, &[0]);
        }
        LinkChange::PortOf(bridge) => {
            // The kernel would move a port from one bridge to another without a word.
            if let Some(master) = master_of(name)?
                && master != *bridge
            {
                let words = format!("it is a port of {master}");
                return Err(NetlinkError::refused_here(&what, libc::EBUSY, &words));
            }
            body.words(IFLA_MASTER, &[index_of(bridge)?]);
        }
    }
    route_netlink(what, RTM_SETLINK, 0, body)
}

/// Takes `port` out of `bridge`; that it is not in it, or not there, is no error. Needs
/// `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn remove_port(bridge: &str, port: &str) -> Result<(), NetlinkError> {
    match master_of(port) {
        Ok(Some(master)) if master == bridge => set_link(port, &LinkChange::Free),
        Err(error) if !is_missing(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The name of what `name` is a port of.
fn master_of(name: &str) -> Result<Option<String>, NetlinkError> {
    if link(name)?.master.is_none() {
        return Ok(None);
    }
    let found = links()?.into_iter().find(|link| link.name == name);
    Ok(found.and_then(|link| link.master))
}

fn route_netlink(what: String, kind: u16, flags: u16, body: Writer) -> Result<(), NetlinkError> {
    ask(Request {
        what,
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind,
        dump: false,
        flags,
        body: body.finish(),
    })
    .map(drop)
}
