//! Reads raw route netlink answers. Any bytes end in a value or an error; nothing that is
//! cut, contradictory or unknown is passed over in silence.

use accelnet_model::link::Link;
use accelnet_model::switch::{Address, Bridge, PortRules, Route, Stacked};
use accelnet_model::vf::VfSettings;

use crate::NetlinkError;
use crate::abi::*;
use crate::ack::Ack;
use crate::attr::Malformed;
use crate::fdb::FdbEntry;
use crate::message::Messages;
use crate::neighbour::NeighbourEntry;

mod address;
mod bridge;
mod fdb;
mod ip;
mod link;
mod link_body;
mod neighbour;
mod port;
mod route;
mod rule;
mod traffic;
mod vf;

use ip::ip;

#[cfg(test)]
mod tests;

/// Reads the links of one or more `RTM_NEWLINK` messages. Masters and active ports are named by the
/// links of the same answer; one that is not among them is called `link N`.
pub fn links(bytes: &[u8]) -> Result<Vec<Link>, NetlinkError> {
    let what = "read the links";
    let mut found = Vec::new();
    for body in bodies(what, bytes, RTM_NEWLINK)? {
        found.push(link::decode(body).map_err(|e| NetlinkError::malformed(what, e))?);
    }
    Ok(link::name_others(found))
}

/// Reads the VF settings of an answer about one link: of the VFs that the driver answers for.
///
/// # Errors
///
/// [`NetlinkError::CutShort`] where the list is cut, which the overflow of its 16-bit length does, or
/// holds more VFs than the adapter has;
/// [`NetlinkError::NoVfSettings`] where there are VFs and no list; and
/// [`NetlinkError::Malformed`] for everything else, an answer of no or two links included.
pub fn vf_settings(bytes: &[u8]) -> Result<Vec<VfSettings>, NetlinkError> {
    let what = "read the VF settings";
    let bodies = bodies(what, bytes, RTM_NEWLINK)?;
    let [body] = bodies[..] else {
        let reason = format!("it is about {} links instead of one", bodies.len());
        return Err(NetlinkError::malformed(what, Malformed(reason)));
    };
    vf::decode(what, body)
}

/// Reads the bridges among the links of an answer, without their addresses.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn bridges(bytes: &[u8]) -> Result<Vec<Bridge>, NetlinkError> {
    let what = "read the bridges";
    let bodies = bodies(what, bytes, RTM_NEWLINK)?;
    bridge::bridges(&bodies).map_err(|e| NetlinkError::malformed(what, e))
}

/// Reads which links of an answer stand on link `index`.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn stacked(bytes: &[u8], index: u32) -> Result<Vec<Stacked>, NetlinkError> {
    let what = "read the upper devices of a link";
    let bodies = bodies(what, bytes, RTM_NEWLINK)?;
    bridge::stacked(&bodies, index).map_err(|e| NetlinkError::malformed(what, e))
}

/// Reads the rules of the bridge called `name` for its ports, from an answer about all links and one about
/// bridges; none where no link is called so.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn port_rules(
    links: &[u8],
    ports: &[u8],
    name: &str,
) -> Result<Option<PortRules>, NetlinkError> {
    let what = "read the ports of bridges";
    let links = bodies(what, links, RTM_NEWLINK)?;
    let ports = bodies(what, ports, RTM_NEWLINK)?;
    port::rules(&links, &ports, name).map_err(|e| NetlinkError::malformed(what, e))
}

/// Reads the IP addresses of an answer, with the indexes of their links.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn addresses(bytes: &[u8]) -> Result<Vec<(u32, Address)>, NetlinkError> {
    each("read the addresses", bytes, RTM_NEWADDR, address::decode)
}

/// Reads the routes of one family (2 for IPv4, 10 for IPv6) that go out of link `index`.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn routes(bytes: &[u8], family: u8, index: u32) -> Result<Vec<Route>, NetlinkError> {
    each("read the routes", bytes, RTM_NEWROUTE, |body| {
        route::decode(body, family, index)
    })
}

/// Reads the IP neighbours on link `index`.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn neighbours(bytes: &[u8], index: u32) -> Result<Vec<NeighbourEntry>, NetlinkError> {
    each("read the neighbours", bytes, RTM_NEWNEIGH, |body| {
        neighbour::decode(body, index)
    })
}

/// Reads forwarding entries.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn fdb(bytes: &[u8]) -> Result<Vec<FdbEntry>, NetlinkError> {
    each(
        "list the forwarding entries",
        bytes,
        RTM_NEWNEIGH,
        fdb::decode,
    )
}

/// Reads one forwarding entry, that came or went.
pub(crate) fn fdb_entry(body: &[u8]) -> Result<Option<FdbEntry>, Malformed> {
    fdb::decode(body)
}

/// Reads the rules of policy routing that name a link, as `ip rule` shows them.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn rules_of(bytes: &[u8], link: &str) -> Result<Vec<String>, NetlinkError> {
    each("read the rules", bytes, RTM_NEWRULE, |body| {
        rule::decode(body, link)
    })
}

/// Reads the queueing disciplines that a process set on link `index`, as `tc` calls them.
///
/// # Errors
///
/// [`NetlinkError::Malformed`].
pub fn disciplines(bytes: &[u8], index: u32) -> Result<Vec<String>, NetlinkError> {
    each(
        "read the queueing disciplines",
        bytes,
        RTM_NEWQDISC,
        |body| traffic::decode(body, index),
    )
}

/// Decodes every message of one type.
fn each<T>(
    what: &str,
    bytes: &[u8],
    kind: u16,
    decode: impl Fn(&[u8]) -> Result<Option<T>, Malformed>,
) -> Result<Vec<T>, NetlinkError> {
    let mut found = Vec::new();
    for body in bodies(what, bytes, kind)? {
        found.extend(decode(body).map_err(|e| NetlinkError::malformed(what, e))?);
    }
    Ok(found)
}

/// The bodies of all messages in `bytes`, which are of type `wanted`.
fn bodies<'a>(what: &str, bytes: &'a [u8], wanted: u16) -> Result<Vec<&'a [u8]>, NetlinkError> {
    let mut bodies = Vec::new();
    for message in Messages(bytes) {
        let message = message.map_err(|reason| NetlinkError::malformed(what, reason))?;
        match message.kind {
            kind if kind == wanted => bodies.push(message.body),
            NLMSG_ERROR | NLMSG_DONE => match Ack::of(&message) {
                Some(ack) if ack.errno == 0 => {}
                Some(ack) => return Err(NetlinkError::refused(what, ack)),
                None => {
                    let reason = Malformed::new("an acknowledgement is short");
                    return Err(NetlinkError::malformed(what, reason));
                }
            },
            kind => {
                let reason = Malformed(format!("unexpected message type {kind}"));
                return Err(NetlinkError::malformed(what, reason));
            }
        }
    }
    Ok(bodies)
}

/// `struct ifinfomsg` for a question about link `index`: everything else zero, as strict
/// checking wants it.
pub(crate) fn ifinfo(index: u32) -> [u8; IFINFO_LEN] {
    let mut header = [0; IFINFO_LEN];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header
}
