//! The VFs of one link (`IFLA_NUM_VF` and `IFLA_VFINFO_LIST`).

use std::ops::Range;

use accelnet_model::Mac;
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};

use super::link_body::LinkBody;
use crate::NetlinkError;
use crate::abi::*;
use crate::attr::{Attr, Attrs, HEADER, Malformed, align};

/// What the kernel presets where it asks a driver: the driver did not answer.
const NOT_REPORTED: u32 = u32::MAX;

/// What mlx4 reports as the VLAN of a VF whose guest tags by itself (`MLX4_VGT` of
/// `linux/mlx4/device.h`): it has none.
const GUEST_TAGS: u32 = 4095;

/// Bytes of a VF with statistics, for a list that holds none.
const WITH_STATISTICS: usize = 296;

/// Reads the body of an `RTM_NEWLINK` message: the VFs that the driver answers for, by number. The
/// kernel leaves out a VF for which `ndo_get_vf_config` fails (`rtnl_fill_vfinfo`).
pub fn decode(what: &str, body: &[u8]) -> Result<Vec<VfSettings>, NetlinkError> {
    let malformed = |reason| NetlinkError::malformed(what, reason);
    let mut count = None;
    let mut list = None;
    // The kernel puts the number before the list. Where the list's length wrapped around,
    // what follows it is no attribute of the link: its VFs were already counted by then.
    for attr in LinkBody::read(body).map_err(malformed)?.attrs {
        let attr = attr.map_err(malformed)?;
        match attr.kind {
            IFLA_NUM_VF => count = Some(attr.u32().map_err(malformed)?),
            IFLA_VFINFO_LIST => {
                let before = "it lists VFs before it counts them";
                let expected = count.ok_or_else(|| malformed(Malformed::new(before)))?;
                list = Some((expected, entries(attr, expected)?.map_err(malformed)?));
            }
            _ => {}
        }
    }
    match (count, list) {
        (None | Some(0), None) => Ok(Vec::new()),
        (Some(vfs), None) => Err(NetlinkError::NoVfSettings { vfs }),
        // The number stands there twice.
        (Some(expected), Some((counted, list))) if counted != expected => {
            let got = list.len() as u32;
            Err(NetlinkError::CutShort { got, expected })
        }
        (_, Some((expected, list))) => {
            let mut vfs: Vec<VfSettings> = Vec::new();
            for vf in list {
                let next = vfs.last().map_or(0, |vf| vf.index + 1);
                vfs.push(settings(vf.nested(), next..expected).map_err(malformed)?);
            }
            Ok(vfs)
        }
    }
}

/// The entries of the list, `expected` or fewer.
fn entries<'a>(
    list: Attr<'a>,
    expected: u32,
) -> Result<Result<Vec<Attr<'a>>, Malformed>, NetlinkError> {
    let all: Vec<_> = list.nested().collect();
    let whole = all
        .iter()
        .filter(|vf| matches!(vf, Ok(vf) if vf.kind == IFLA_VF_INFO));
    let got = whole.count() as u32;
    let is_cut = all.iter().any(Result::is_err);
    if is_cut || got > expected || (got < expected && wraps(&all, expected)) {
        return Err(NetlinkError::CutShort { got, expected });
    }
    let stranger = all.iter().flatten().find(|vf| vf.kind != IFLA_VF_INFO);
    Ok(match stranger {
        Some(vf) => Err(Malformed(format!("attribute {} among the VFs", vf.kind))),
        None => all.into_iter().collect(),
    })
}

/// Whether a list of `expected` entries like these is longer than its 16-bit length can be.
fn wraps(entries: &[Result<Attr<'_>, Malformed>], expected: u32) -> bool {
    let sizes = entries
        .iter()
        .flatten()
        .map(|vf| align(HEADER + vf.value.len()));
    let largest = sizes.max().unwrap_or(WITH_STATISTICS);
    HEADER + largest * expected as usize > usize::from(u16::MAX)
}

/// One VF, whose number lies in `allowed`: the kernel lists them in order.
fn settings(attrs: Attrs<'_>, allowed: Range<u32>) -> Result<VfSettings, Malformed> {
    // Every attribute of a VF begins with its number.
    let first = attrs.clone().next().transpose()?;
    let index = match first {
        Some(attr) => attr.words::<1>()?[0],
        None => return Err(Malformed::new("a VF without attributes")),
    };
    if !allowed.contains(&index) {
        return Err(Malformed(match allowed.is_empty() {
            true => format!("VF {index} is listed after the last one"),
            false => format!(
                "VF {index} is listed in place of one of {} to {}",
                allowed.start,
                allowed.end - 1
            ),
        }));
    }
    let of = |vf: u32| match vf == index {
        true => Ok(()),
        false => Err(Malformed(format!("VF {vf} is listed in place of {index}"))),
    };
    let value = |attr: Attr<'_>| -> Result<Option<u32>, Malformed> {
        let words: [u32; 2] = attr.words()?;
        of(words[0])?;
        Ok(Some(words[1]).filter(|value| *value != NOT_REPORTED))
    };
    let mut mac = None;
    let mut vlan = None;
    let mut protocol = None;
    let mut rate = None;
    let mut old_rate = None;
    let mut spoof_check = None;
    let mut trust = None;
    let mut link_state = None;
    let mut rss_query = None;
    for attr in attrs {
        let attr = attr?;
        match attr.kind {
            IFLA_VF_MAC => {
                of(attr.words::<1>()?[0])?;
                mac = Some(octets(attr)?);
            }
            IFLA_VF_VLAN => {
                let words: [u32; 3] = attr.words()?;
                of(words[0])?;
                vlan = Some(words);
            }
            IFLA_VF_VLAN_LIST => protocol = vlan_protocol(attr, index)?,
            IFLA_VF_RATE => {
                let words: [u32; 3] = attr.words()?;
                of(words[0])?;
                rate = Some((words[1], words[2]));
            }
            // Older than minimum rates (Linux 3.16): the maximum alone.
            IFLA_VF_TX_RATE => {
                let words: [u32; 2] = attr.words()?;
                of(words[0])?;
                old_rate = Some((0, words[1]));
            }
            IFLA_VF_SPOOFCHK => spoof_check = value(attr)?.map(|on| on != 0),
            IFLA_VF_TRUST => trust = value(attr)?.map(|on| on != 0),
            IFLA_VF_RSS_QUERY_EN => rss_query = value(attr)?.map(|on| on != 0),
            IFLA_VF_LINK_STATE => link_state = value(attr)?.map(state).transpose()?,
            _ => {}
        }
    }
    let missing = |field| Malformed(format!("VF {index} has no {field}"));
    let [_, vlan, qos] = vlan.ok_or_else(|| missing("VLAN"))?;
    let (min_tx_rate, max_tx_rate) = rate.or(old_rate).ok_or_else(|| missing("rate"))?;
    let range = |_| Malformed(format!("VF {index} has VLAN {vlan} with priority {qos}"));
    Ok(VfSettings {
        index,
        mac: mac.ok_or_else(|| missing("MAC"))?,
        vlan: match vlan {
            GUEST_TAGS => 0,
            vlan => u16::try_from(vlan).map_err(range)?,
        },
        qos: u8::try_from(qos).map_err(range)?,
        vlan_protocol: protocol.unwrap_or(VlanProtocol::Dot1Q),
        max_tx_rate,
        min_tx_rate,
        spoof_check,
        trust,
        link_state,
        rss_query,
    })
}

/// The first six of the 32 address bytes of `struct ifla_vf_mac`.
fn octets(attr: Attr<'_>) -> Result<Mac, Malformed> {
    match attr.value.get(4..).and_then(<[u8]>::first_chunk) {
        Some(octets) if attr.value.len() >= 4 + MAX_ADDR_LEN => Ok(Mac(*octets)),
        _ => Err(Malformed(format!("a MAC of {} bytes", attr.value.len()))),
    }
}

/// The protocol of the first (and, in all kernels so far, only) VLAN of a VF.
fn vlan_protocol(list: Attr<'_>, index: u32) -> Result<Option<VlanProtocol>, Malformed> {
    let Some(info) = list.nested().next().transpose()? else {
        return Ok(None);
    };
    let [vf, ..] = info.words::<3>()?;
    let protocol = match info.value.get(12..14) {
        Some(bytes) if vf == index => u16::from_be_bytes([bytes[0], bytes[1]]),
        _ => return Err(Malformed(format!("the VLAN list of VF {index} is short"))),
    };
    match protocol {
        ETH_P_8021Q => Ok(Some(VlanProtocol::Dot1Q)),
        ETH_P_8021AD => Ok(Some(VlanProtocol::Dot1Ad)),
        _ => Err(Malformed(format!(
            "VF {index} has VLAN protocol {protocol:#06x}, which is neither 802.1Q nor 802.1ad"
        ))),
    }
}

fn state(value: u32) -> Result<VfLinkState, Malformed> {
    match value {
        IFLA_VF_LINK_STATE_AUTO => Ok(VfLinkState::Auto),
        IFLA_VF_LINK_STATE_ENABLE => Ok(VfLinkState::Enable),
        IFLA_VF_LINK_STATE_DISABLE => Ok(VfLinkState::Disable),
        _ => Err(Malformed(format!(
            "link state {value} of a VF is not known"
        ))),
    }
}
