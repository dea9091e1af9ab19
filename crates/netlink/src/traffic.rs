//! Queueing disciplines of links.

use crate::abi::*;
use crate::by_name::index_of;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads the queueing disciplines that a process set on the link called `name`: those that the
/// kernel puts there by itself have no handle. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn disciplines(name: &str) -> Result<Vec<String>, NetlinkError> {
    let index = index_of(name)?;
    let answer = ask(Request {
        what: "read the queueing disciplines".to_owned(),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETQDISC,
        dump: true,
        flags: 0,
        body: vec![0; TCMSG_LEN],
    })?;
    decode::disciplines(&answer.messages, index)
}
