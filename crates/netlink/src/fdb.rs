//! Forwarding entries: the MACs that bridges know behind their ports, and those in the filters of links
//! (`bridge fdb show`).

mod monitor;
mod program;

use accelnet_model::Mac;

use crate::abi::*;
use crate::attr::Writer;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

pub use monitor::{FdbEvent, FdbMonitor, FdbWatch, WatchedFdb};

/// Why an entry is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FdbKind {
    /// The link's own filter has the MAC (`self`).
    Filter,
    /// The MAC is the bridge's own, or the port's.
    Local,
    /// The bridge learned the MAC behind the port, or was told so.
    Learned,
}

/// One forwarding entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FdbEntry {
    /// Index of the link: the port, or the link whose filter has the MAC.
    pub link: u32,
    /// Index of the bridge; none for a link's own filter.
    pub bridge: Option<u32>,
    /// The MAC.
    pub mac: Mac,
    /// The VLAN; 0 without one.
    pub vlan: u16,
    /// Why it is there.
    pub kind: FdbKind,
}

/// Lists the forwarding entries of all bridges and links. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn fdb() -> Result<Vec<FdbEntry>, NetlinkError> {
    let mut header = [0; NDMSG_LEN];
    header[0] = AF_BRIDGE;
    let answer = ask(Request {
        what: "list the forwarding entries".to_owned(),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETNEIGH,
        dump: true,
        flags: 0,
        body: Writer::new(&header).finish(),
    })?;
    decode::fdb(&answer.messages)
}

/// Has the bridge of the port with that index forget that it learned `mac` there, in `vlan` if that is not 0.
/// Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENOENT` where it has not learned it, or it has aged.
pub fn unlearn(port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError> {
    let mut header = [0; NDMSG_LEN];
    header[0] = AF_BRIDGE;
    header[4..8].copy_from_slice(&port.to_ne_bytes());
    header[10] = NTF_MASTER;
    let mut body = Writer::new(&header);
    body.bytes(NDA_LLADDR, &mac.0);
    if vlan != 0 {
        body.bytes(NDA_VLAN, &vlan.to_ne_bytes());
    }
    let done = ask(Request {
        what: format!("forget {mac} behind link {port}"),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_DELNEIGH,
        dump: false,
        flags: 0,
        body: body.finish(),
    });
    done.map(drop)
}

/// Adds `mac` to the filter of the link with that index, or removes it: the link's adapter passes what is
/// sent to it to the link, beside whoever it passes it to already. Whether the filter changed: an entry
/// that somebody else made stays. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link, and `EOPNOTSUPP` or `ENOMEM` of drivers
/// whose adapter cannot, or has no room.
pub fn take_in(index: u32, mac: Mac, on: bool) -> Result<bool, NetlinkError> {
    let mut header = [0; NDMSG_LEN];
    header[0] = AF_BRIDGE;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..10].copy_from_slice(&NUD_PERMANENT.to_ne_bytes());
    header[10] = NTF_SELF;
    let mut body = Writer::new(&header);
    body.bytes(NDA_LLADDR, &mac.0);
    let (doing, kind, flags, same) = match on {
        true => (
            "take in",
            RTM_NEWNEIGH,
            NLM_F_CREATE | NLM_F_EXCL,
            libc::EEXIST,
        ),
        false => ("no longer take in", RTM_DELNEIGH, 0, libc::ENOENT),
    };
    let done = ask(Request {
        what: format!("{doing} {mac} on link {index}"),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind,
        dump: false,
        flags,
        body: body.finish(),
    });
    match done {
        Err(error) if error.errno() == Some(same) => Ok(false),
        done => done.map(|_| true),
    }
}
