//! The MACs that a link's adapter takes in beside its own (`bridge fdb add MAC dev LINK self`).

use accelnet_model::Mac;

use crate::NetlinkError;
use crate::abi::*;
use crate::attr::Writer;
use crate::socket::{Request, ask};

/// Has the link with that index take in what is sent to `mac`, beside whoever its adapter hands it to
/// already; or no more. Done twice, it is as done once. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link, and `EOPNOTSUPP` or `ENOMEM` of drivers
/// whose adapter cannot, or has no room.
pub fn take_in(index: u32, mac: Mac, on: bool) -> Result<(), NetlinkError> {
    let mut header = [0; NDMSG_LEN];
    header[0] = AF_BRIDGE;
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..10].copy_from_slice(&NUD_PERMANENT.to_ne_bytes());
    header[10] = NTF_SELF;
    let mut body = Writer::new(&header);
    body.bytes(NDA_LLADDR, &mac.0);
    let (doing, kind, flags) = match on {
        true => ("take in", RTM_NEWNEIGH, NLM_F_CREATE),
        false => ("no longer take in", RTM_DELNEIGH, 0),
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
        Err(error) if !on && error.errno() == Some(libc::ENOENT) => Ok(()),
        done => done.map(drop),
    }
}
