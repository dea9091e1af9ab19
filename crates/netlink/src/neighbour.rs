//! The neighbour table of a link: list, fix, forget, and have the kernel ask again.

mod entry;

use std::net::IpAddr;

use accelnet_model::switch::Neighbour;

use crate::abi::*;
use crate::address::{family, octets};
use crate::attr::Writer;
use crate::by_name::index_of;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

pub use entry::{NeighbourEntry, NeighbourState};

/// Reads the neighbours on the link called `name`. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn neighbours(name: &str) -> Result<Vec<NeighbourEntry>, NetlinkError> {
    let index = index_of(name)?;
    let mut body = Writer::new(&[0; NDMSG_LEN]);
    body.words(NDA_IFINDEX, &[index]);
    let answer = ask(Request {
        what: format!("read the neighbours on {name}"),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETNEIGH,
        dump: true,
        flags: 0,
        body: body.finish(),
    })?;
    decode::neighbours(&answer.messages, index)
}

/// Has the kernel ask for `ip` on the link called `name`, by ARP or neighbour discovery; its
/// entry shows when it has answered. An entry that is fixed stays fixed, and is not asked.
/// Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn ask_neighbour(name: &str, ip: IpAddr) -> Result<(), NetlinkError> {
    let what = format!("ask for {ip} on {name}");
    let known = neighbours(name)?.into_iter().find(|entry| entry.ip == ip);
    let (state, flags) = match known.map(|entry| entry.state) {
        Some(NeighbourState::Permanent | NeighbourState::NoArp) => return Ok(()),
        // Packets go on to a neighbour that is asked again.
        Some(NeighbourState::Reachable | NeighbourState::Stale | NeighbourState::Delay) => {
            (NUD_PROBE, 0)
        }
        _ => (0, NTF_USE),
    };
    let body = head(name, ip, state, flags)?;
    change(what, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body)
}

/// Fixes a neighbour on the link called `name`. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn fix_neighbour(name: &str, neighbour: Neighbour) -> Result<(), NetlinkError> {
    let mut body = head(name, neighbour.ip, NUD_PERMANENT, 0)?;
    body.bytes(NDA_LLADDR, &neighbour.mac.0);
    let what = format!("add permanent neighbour {neighbour} on {name}");
    change(what, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body)
}

/// Removes a neighbour from the table of the link called `name`; that it is not in it is no
/// error. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn forget_neighbour(name: &str, ip: IpAddr) -> Result<(), NetlinkError> {
    let what = format!("remove neighbour {ip} on {name}");
    match change(what, RTM_DELNEIGH, 0, head(name, ip, 0, 0)?) {
        Err(error) if error.errno() == Some(libc::ENOENT) => Ok(()),
        gone => gone,
    }
}

/// `struct ndmsg` and the address.
fn head(name: &str, ip: IpAddr, state: u16, flags: u8) -> Result<Writer, NetlinkError> {
    let mut header = [0; NDMSG_LEN];
    header[0] = family(ip);
    header[4..8].copy_from_slice(&index_of(name)?.to_ne_bytes());
    header[8..10].copy_from_slice(&state.to_ne_bytes());
    header[10] = flags;
    let mut body = Writer::new(&header);
    body.bytes(NDA_DST, &octets(ip));
    Ok(body)
}

fn change(what: String, kind: u16, flags: u16, body: Writer) -> Result<(), NetlinkError> {
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
