//! The number of a link, by its name.

use accelnet_model::link::Link;

use crate::abi::{IFINFO_LEN, IFLA_EXT_MASK, IFLA_IFNAME, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK};
use crate::attr::{Malformed, Writer};
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads one link. Its master, if it has one, is called `link N`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn link(name: &str) -> Result<Link, NetlinkError> {
    let what = format!("find link {name}");
    let mut body = Writer::new(&[0; IFINFO_LEN]);
    body.text(IFLA_IFNAME, name)
        .words(IFLA_EXT_MASK, &[RTEXT_FILTER_SKIP_STATS]);
    let answer = ask(Request {
        what: what.clone(),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETLINK,
        dump: false,
        flags: 0,
        body: body.finish(),
    })?;
    let found = decode::links(&answer.messages)?.pop();
    found.ok_or_else(|| NetlinkError::malformed(&what, Malformed::new("it is about no link")))
}

/// The number of the link called `name`.
pub(crate) fn index_of(name: &str) -> Result<u32, NetlinkError> {
    link(name).map(|link| link.index)
}

/// Whether an error means that there is no such link.
pub(crate) fn is_missing(error: &NetlinkError) -> bool {
    error.errno() == Some(libc::ENODEV)
}
