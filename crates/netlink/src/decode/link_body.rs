//! The body of a link message.

use crate::abi::*;
use crate::attr::{Attrs, Malformed};

/// The fixed part of a link message, and its attributes.
pub(super) struct LinkBody<'a> {
    pub(super) link_type: u16,
    pub(super) index: u32,
    pub(super) flags: u32,
    pub(super) attrs: Attrs<'a>,
}

impl<'a> LinkBody<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let Some((header, attrs)) = body.split_first_chunk::<IFINFO_LEN>() else {
            return Err(Malformed(format!(
                "a link has {} bytes, fewer than {IFINFO_LEN}",
                body.len()
            )));
        };
        let [_, _, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
        Ok(LinkBody {
            link_type: u16::from_ne_bytes([t0, t1]),
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            attrs: Attrs(attrs),
        })
    }
}
