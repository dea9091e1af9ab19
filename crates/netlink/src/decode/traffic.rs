//! One queueing discipline (`struct tcmsg`, `include/uapi/linux/rtnetlink.h`).

use crate::abi::*;
use crate::attr::{Attrs, Malformed};

/// Reads the body of an `RTM_NEWQDISC` message; none of another link, or of one that the kernel
/// put there by itself.
pub fn decode(body: &[u8], index: u32) -> Result<Option<String>, Malformed> {
    let Some((header, attrs)) = body.split_first_chunk::<TCMSG_LEN>() else {
        return Err(Malformed(format!(
            "a queueing discipline has {} bytes",
            body.len()
        )));
    };
    let [_, _, _, _, i0, i1, i2, i3, h0, h1, h2, h3, ..] = *header;
    let handle = u32::from_ne_bytes([h0, h1, h2, h3]);
    if u32::from_ne_bytes([i0, i1, i2, i3]) != index || handle == 0 {
        return Ok(None);
    }
    let mut kind = String::new();
    for attr in Attrs(attrs) {
        let attr = attr?;
        if attr.kind == TCA_KIND {
            kind = attr.text();
        }
    }
    Ok(Some(format!("qdisc {kind} {:x}:", handle >> 16)))
}
