//! The settings of all VFs of one adapter.

use accelnet_model::vf::VfSettings;

use crate::abi::{IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS, RTEXT_FILTER_VF, RTM_GETLINK};
use crate::attr::Writer;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads what the driver of link `index` reports about its VFs, by number; empty for a link
/// without VFs. Statistics are left out: with them the kernel's attribute overflows at
/// 222 VFs. An answer that lacks VFs is [`NetlinkError::CutShort`].
pub fn vf_settings(index: u32) -> Result<Vec<VfSettings>, NetlinkError> {
    let mut body = Writer::new(&decode::ifinfo(index));
    body.words(IFLA_EXT_MASK, &[RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS]);
    let answer = ask(Request {
        what: format!("read the VF settings of link {index}"),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETLINK,
        dump: false,
        flags: 0,
        body: body.finish(),
    })?;
    decode::vf_settings(&answer.messages)
}
