//! An IP address in an attribute.

use std::net::IpAddr;

use crate::abi::*;
use crate::attr::{Attr, Malformed};

/// An IP address, alone in an attribute.
pub(super) fn ip(family: u8, attr: Attr<'_>) -> Result<IpAddr, Malformed> {
    let found = match family {
        AF_INET => <[u8; 4]>::try_from(attr.value).ok().map(IpAddr::from),
        AF_INET6 => <[u8; 16]>::try_from(attr.value).ok().map(IpAddr::from),
        _ => None,
    };
    found.ok_or_else(|| {
        let length = attr.value.len();
        Malformed(format!(
            "attribute {} has {length} bytes, which is no address of family {family}",
            attr.kind
        ))
    })
}
