//! Forwarding entries: the MACs that bridges know behind their ports, and those in the filters of links
//! (`bridge fdb show`).

mod entry;
mod monitor;
mod program;
mod watch;

use accelnet_model::Mac;

use crate::abi::*;
use crate::attr::Writer;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

pub use entry::{FdbEntry, FdbKind};
pub use monitor::{FdbEvent, FdbMonitor, WatchedFdb};
pub use watch::FdbWatch;

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
    let what = format!("forget {mac} behind link {port}");
    let entry = NewEntry {
        link: port,
        mac,
        vlan,
        state: 0,
        flags: NTF_MASTER,
    };
    entry.request(what, RTM_DELNEIGH, 0)
}

/// Has the bridge of the port with that index take `mac` for learned there, in `vlan` if that is not 0: the
/// entry ages, and moves when `mac` sends elsewhere. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `EINVAL` where the bridge separates VLANs and the port is not in `vlan`.
pub fn learn(port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError> {
    let what = format!("learn {mac} behind link {port}");
    let entry = NewEntry {
        link: port,
        mac,
        vlan,
        state: NUD_REACHABLE,
        flags: NTF_MASTER,
    };
    entry.request(what, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
}

/// Whether the port with that index learns from what it receives (`bridge link set dev PORT learning on`).
/// Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link, and `EINVAL` where it is no port.
pub fn set_learning(port: u32, on: bool) -> Result<(), NetlinkError> {
    let mut header = decode::ifinfo(port);
    header[0] = AF_BRIDGE;
    let mut body = Writer::new(&header);
    body.flagged_nest(IFLA_PROTINFO, |body| {
        body.bytes(IFLA_BRPORT_LEARNING, &[u8::from(on)]);
    });
    let done = ask(Request {
        what: format!("set learning of link {port} to {on}"),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_SETLINK,
        dump: false,
        flags: 0,
        body: body.finish(),
    });
    done.map(drop)
}

/// Adds `mac` to the filter of the link with that index, or removes it: the link's adapter passes what is
/// sent to it to the link, beside existing recipients. Whether the filter changed: an
/// entry that another process made stays. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link, and `EOPNOTSUPP` or `ENOMEM` of drivers whose
/// adapter cannot, or has no room.
pub fn take_in(index: u32, mac: Mac, on: bool) -> Result<bool, NetlinkError> {
    let entry = NewEntry {
        link: index,
        mac,
        vlan: 0,
        state: NUD_PERMANENT,
        flags: NTF_SELF,
    };
    let (doing, kind, flags, same) = match on {
        true => (
            "add the filter address",
            RTM_NEWNEIGH,
            NLM_F_CREATE | NLM_F_EXCL,
            libc::EEXIST,
        ),
        false => ("remove the filter address", RTM_DELNEIGH, 0, libc::ENOENT),
    };
    match entry.request(format!("{doing} {mac} on link {index}"), kind, flags) {
        Err(error) if error.errno() == Some(same) => Ok(false),
        done => done.map(|()| true),
    }
}

/// A forwarding entry that is added or removed.
struct NewEntry {
    link: u32,
    mac: Mac,
    /// 0 without one.
    vlan: u16,
    /// `NUD_*`.
    state: u16,
    /// `NTF_*`.
    flags: u8,
}

impl NewEntry {
    fn request(&self, what: String, kind: u16, flags: u16) -> Result<(), NetlinkError> {
        let mut header = [0; NDMSG_LEN];
        header[0] = AF_BRIDGE;
        header[4..8].copy_from_slice(&self.link.to_ne_bytes());
        header[8..10].copy_from_slice(&self.state.to_ne_bytes());
        header[10] = self.flags;
        let mut body = Writer::new(&header);
        body.bytes(NDA_LLADDR, &self.mac.0);
        if self.vlan != 0 {
            body.bytes(NDA_VLAN, &self.vlan.to_ne_bytes());
        }
        let done = ask(Request {
            what,
            protocol: netlink_sys::constants::NETLINK_ROUTE,
            kind,
            dump: false,
            flags,
            body: body.finish(),
        });
        done.map(drop)
    }
}
