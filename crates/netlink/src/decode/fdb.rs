//! One forwarding entry of an answer.

use accelnet_model::Mac;

use crate::abi::*;
use crate::attr::{Attrs, Malformed};
use crate::fdb::{FdbEntry, FdbKind};

/// Reads the body of an `RTM_NEWNEIGH` or `RTM_DELNEIGH` message; none that is not about a MAC.
pub fn decode(body: &[u8]) -> Result<Option<FdbEntry>, Malformed> {
    let Some((header, attrs)) = body.split_first_chunk::<NDMSG_LEN>() else {
        return Err(Malformed(format!(
            "a forwarding entry has {} bytes",
            body.len()
        )));
    };
    let [family, _, _, _, i0, i1, i2, i3, s0, s1, flags, _] = *header;
    if family != AF_BRIDGE {
        return Ok(None);
    }
    let (mut mac, mut bridge, mut vlan) = (None, None, 0);
    for attr in Attrs(attrs) {
        let attr = attr?;
        match attr.kind {
            NDA_LLADDR => mac = attr.value.try_into().ok().map(Mac),
            NDA_MASTER => bridge = Some(attr.u32()?),
            NDA_VLAN => vlan = attr.u16()?,
            _ => {}
        }
    }
    let permanent = u16::from_ne_bytes([s0, s1]) & NUD_PERMANENT != 0;
    let kind = match (flags & NTF_SELF != 0, permanent) {
        (true, _) => FdbKind::Filter,
        (false, true) => FdbKind::Local,
        (false, false) => FdbKind::Learned,
    };
    Ok(mac.map(|mac| FdbEntry {
        link: u32::from_ne_bytes([i0, i1, i2, i3]),
        bridge: bridge.filter(|_| kind != FdbKind::Filter),
        mac,
        vlan,
        kind,
    }))
}
