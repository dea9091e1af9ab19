//! All links of the network namespace that one is in.

use accelnet_model::link::Link;

use crate::abi::{IFINFO_LEN, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS, RTM_GETLINK};
use crate::attr::Writer;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads every link (`RTM_GETLINK`), without what concerns VFs: the kernel would put the
/// settings of them all beside their number, so `vf_count` is none here.
pub fn links() -> Result<Vec<Link>, NetlinkError> {
    decode::links(&raw_links()?)
}

/// The answer to a question about all links.
pub(crate) fn raw_links() -> Result<Vec<u8>, NetlinkError> {
    let mut body = Writer::new(&[0; IFINFO_LEN]);
    body.words(IFLA_EXT_MASK, &[RTEXT_FILTER_SKIP_STATS]);
    let answer = ask(Request {
        what: "read the links".to_owned(),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETLINK,
        dump: true,
        flags: 0,
        body: body.finish(),
    })?;
    Ok(answer.messages)
}
