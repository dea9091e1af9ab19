//! One address of an answer.

use std::net::IpAddr;

use accelnet_model::switch::{Address, AddressFlags};

use super::ip;
use crate::abi::*;
use crate::attr::{Attrs, Malformed};

/// Reads the body of an `RTM_NEWADDR` message; none of a family that is not IP. The index of
/// its link comes first.
pub fn decode(body: &[u8]) -> Result<Option<(u32, Address)>, Malformed> {
    let Some((header, attrs)) = body.split_first_chunk::<IFADDR_LEN>() else {
        return Err(Malformed(format!("an address has {} bytes", body.len())));
    };
    let [family, prefix, flags, scope, index @ ..] = *header;
    if family != AF_INET && family != AF_INET6 {
        return Ok(None);
    }
    let (mut local, mut address) = (None, None);
    let mut found = Address {
        ip: IpAddr::from([0; 4]),
        prefix,
        peer: None,
        broadcast: None,
        scope,
        flags: AddressFlags(flags.into()),
        label: None,
        metric: 0,
        origin: 0,
        preferred: None,
        valid: None,
    };
    for attr in Attrs(attrs) {
        let attr = attr?;
        match attr.kind {
            IFA_LOCAL => local = Some(ip(family, attr)?),
            IFA_ADDRESS => address = Some(ip(family, attr)?),
            IFA_BROADCAST => {
                if let IpAddr::V4(ip) = ip(family, attr)? {
                    found.broadcast = Some(ip);
                }
            }
            IFA_LABEL => found.label = Some(attr.text()),
            IFA_FLAGS => found.flags = AddressFlags(attr.u32()?),
            IFA_RT_PRIORITY => found.metric = attr.u32()?,
            IFA_PROTO => found.origin = attr.u8()?,
            IFA_CACHEINFO => {
                let [preferred, valid] = attr.words()?;
                let seconds = |time: u32| Some(time).filter(|time| *time != FOR_EVER);
                found.preferred = seconds(preferred);
                found.valid = seconds(valid);
            }
            _ => {}
        }
    }
    let Some(ip) = local.or(address) else {
        return Err(Malformed::new("an address has no address"));
    };
    found.ip = ip;
    found.peer = address.filter(|address| *address != ip);
    Ok(Some((u32::from_ne_bytes(index), found)))
}
