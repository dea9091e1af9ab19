//! One rule of policy routing (`struct fib_rule_hdr`, `include/uapi/linux/fib_rules.h`).

use super::ip;
use crate::abi::*;
use crate::attr::{Attrs, Malformed};

/// Reads the body of an `RTM_NEWRULE` message; none of a rule that does not name `link`.
pub fn decode(body: &[u8], link: &str) -> Result<Option<String>, Malformed> {
    let Some((header, attrs)) = body.split_first_chunk::<FIB_RULE_LEN>() else {
        return Err(Malformed(format!("a rule has {} bytes", body.len())));
    };
    let [family, to_bits, from_bits, _, table, ..] = *header;
    let (mut from, mut to) = ("all".to_owned(), None);
    let (mut iif, mut oif) = (None, None);
    let (mut priority, mut table) = (0, u32::from(table));
    for attr in Attrs(attrs) {
        let attr = attr?;
        match attr.kind {
            FRA_SRC => from = format!("{}/{from_bits}", ip(family, attr)?),
            FRA_DST => to = Some(format!("{}/{to_bits}", ip(family, attr)?)),
            FRA_IIFNAME => iif = Some(attr.text()),
            FRA_OIFNAME => oif = Some(attr.text()),
            FRA_PRIORITY => priority = attr.u32()?,
            FRA_TABLE => table = attr.u32()?,
            _ => {}
        }
    }
    if iif.as_deref() != Some(link) && oif.as_deref() != Some(link) {
        return Ok(None);
    }
    let mut text = format!("{priority}: from {from}");
    for (word, value) in [("to", to), ("iif", iif), ("oif", oif)] {
        if let Some(value) = value {
            text += &format!(" {word} {value}");
        }
    }
    Ok(Some(format!("{text} lookup {table}")))
}
