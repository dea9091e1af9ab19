//! Which tables nf_tables has (`linux/netfilter/nf_tables.h`).

use crate::NetlinkError;
use crate::abi::{NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE};
use crate::socket::{Request, ask};

/// Asks whether nf_tables has any table of `family` (`NFPROTO_*` of `linux/netfilter.h`), in the network
/// namespace of the calling thread. Needs `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn has_nf_tables(family: u8) -> Result<bool, NetlinkError> {
    let answer = ask(Request {
        what: "list the tables of nf_tables".to_owned(),
        protocol: netlink_sys::constants::NETLINK_NETFILTER,
        kind: NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
        dump: true,
        flags: 0,
        // `struct nfgenmsg`: the family, version 0, no resource.
        body: vec![family, 0, 0, 0],
    })?;
    Ok(!answer.messages.is_empty())
}
