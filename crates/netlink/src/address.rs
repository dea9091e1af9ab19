//! IP addresses of links: list, add, remove.

use std::net::IpAddr;

use accelnet_model::switch::{Address, AddressFlags};

use crate::abi::*;
use crate::attr::Writer;
use crate::by_name::index_of;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads the addresses of the link called `name`, in the kernel's order. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn addresses(name: &str) -> Result<Vec<Address>, NetlinkError> {
    let index = index_of(name)?;
    let all = all_addresses(index)?;
    let own = all.into_iter().filter(|(of, _)| *of == index);
    Ok(own.map(|(_, address)| unlabelled(address, name)).collect())
}

/// Reads the addresses of all links, or of one where the kernel can filter; with the index
/// of their links.
pub(crate) fn all_addresses(index: u32) -> Result<Vec<(u32, Address)>, NetlinkError> {
    let mut header = [0; IFADDR_LEN];
    header[4..].copy_from_slice(&index.to_ne_bytes());
    let answer = ask(Request {
        what: "read the addresses".to_owned(),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETADDR,
        dump: true,
        flags: 0,
        body: header.to_vec(),
    })?;
    decode::addresses(&answer.messages)
}

/// Without a label that equals the link's name.
pub(crate) fn unlabelled(address: Address, name: &str) -> Address {
    Address {
        label: address.label.filter(|label| label != name),
        ..address
    }
}

/// Gives the link called `name` an address, or an address that it has its lifetime and
/// metric. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn add_address(name: &str, address: &Address) -> Result<(), NetlinkError> {
    let what = format!("add address {address} to {name}");
    let (mut body, flags) = (head(name, address)?, NLM_F_CREATE | NLM_F_REPLACE);
    let chosen = address.flags.0 & AddressFlags::CHOSEN;
    body.words(IFA_FLAGS, &[chosen]);
    if let Some(broadcast) = address.broadcast {
        body.bytes(IFA_BROADCAST, &broadcast.octets());
    }
    if address.ip.is_ipv4() {
        body.text(IFA_LABEL, address.label.as_deref().unwrap_or(name));
    }
    if address.metric != 0 {
        body.words(IFA_RT_PRIORITY, &[address.metric]);
    }
    if address.origin != 0 {
        body.bytes(IFA_PROTO, &[address.origin]);
    }
    let seconds = |time: Option<u32>| time.unwrap_or(FOR_EVER);
    let lifetime = [seconds(address.preferred), seconds(address.valid), 0, 0];
    body.words(IFA_CACHEINFO, &lifetime);
    change(what, RTM_NEWADDR, flags, body)
}

/// Takes an address from the link called `name`; that it has none is no error. Needs
/// `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn remove_address(name: &str, address: &Address) -> Result<(), NetlinkError> {
    let what = format!("remove address {address} from {name}");
    let gone = change(what, RTM_DELADDR, 0, head(name, address)?);
    match gone {
        Err(error) if error.errno() == Some(libc::EADDRNOTAVAIL) => Ok(()),
        gone => gone,
    }
}

/// What a change begins with.
fn head(name: &str, address: &Address) -> Result<Writer, NetlinkError> {
    let index = index_of(name)?;
    let mut header = [0; IFADDR_LEN];
    header[0] = family(address.ip);
    header[1] = address.prefix;
    header[3] = address.scope;
    header[4..].copy_from_slice(&index.to_ne_bytes());
    let mut body = Writer::new(&header);
    body.bytes(IFA_LOCAL, &octets(address.ip));
    body.bytes(IFA_ADDRESS, &octets(address.peer.unwrap_or(address.ip)));
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

/// The family of an address, as the kernel numbers it.
pub(crate) fn family(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    }
}

/// An address as the kernel writes it.
pub(crate) fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
