//! One neighbour of an answer.

use accelnet_model::Mac;

use super::ip;
use crate::abi::*;
use crate::attr::{Attrs, Malformed};
use crate::neighbour::{NeighbourEntry, NeighbourState};

/// Reads the body of an `RTM_NEWNEIGH` message; none of another link, or that is not about
/// an IP address.
pub fn decode(body: &[u8], index: u32) -> Result<Option<NeighbourEntry>, Malformed> {
    let Some((header, attrs)) = body.split_first_chunk::<NDMSG_LEN>() else {
        return Err(Malformed(format!("a neighbour has {} bytes", body.len())));
    };
    let [family, _, _, _, i0, i1, i2, i3, s0, s1, _, _] = *header;
    let is_ip = family == AF_INET || family == AF_INET6;
    if !is_ip || u32::from_ne_bytes([i0, i1, i2, i3]) != index {
        return Ok(None);
    }
    let (mut address, mut mac) = (None, None);
    for attr in Attrs(attrs) {
        let attr = attr?;
        match attr.kind {
            NDA_DST => address = Some(ip(family, attr)?),
            NDA_LLADDR => mac = attr.value.try_into().ok().map(Mac),
            _ => {}
        }
    }
    let state = match u16::from_ne_bytes([s0, s1]) {
        NUD_INCOMPLETE => NeighbourState::Incomplete,
        NUD_REACHABLE => NeighbourState::Reachable,
        NUD_STALE => NeighbourState::Stale,
        NUD_DELAY => NeighbourState::Delay,
        NUD_PROBE => NeighbourState::Probe,
        NUD_FAILED => NeighbourState::Failed,
        NUD_NOARP => NeighbourState::NoArp,
        NUD_PERMANENT => NeighbourState::Permanent,
        _ => NeighbourState::None,
    };
    Ok(address.map(|ip| NeighbourEntry { ip, mac, state }))
}
