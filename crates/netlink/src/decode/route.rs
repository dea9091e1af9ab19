//! One route of an answer.

use std::net::IpAddr;

use accelnet_model::switch::{Network, Route, RouteMetric};

use super::ip;
use crate::abi::*;
use crate::attr::{Attr, Attrs, Malformed};

/// Reads the body of an `RTM_NEWROUTE` message; none of another family, or of a route that
/// goes out of other links only.
pub fn decode(body: &[u8], family: u8, index: u32) -> Result<Option<Route>, Malformed> {
    let Some((header, attrs)) = body.split_first_chunk::<RTMSG_LEN>() else {
        return Err(Malformed(format!("a route has {} bytes", body.len())));
    };
    let [of, to, from, tos, table, protocol, scope, kind, flags @ ..] = *header;
    if of != family {
        return Ok(None);
    }
    let zero = match family {
        AF_INET => IpAddr::from([0; 4]),
        _ => IpAddr::from([0; 16]),
    };
    let mut route = Route {
        to: Network {
            ip: zero,
            prefix: to,
        },
        from: (from != 0).then_some(Network {
            ip: zero,
            prefix: from,
        }),
        via: None,
        source: None,
        metric: 0,
        table: table.into(),
        protocol,
        scope,
        kind,
        tos,
        on_link: u32::from_ne_bytes(flags) & RTNH_F_ONLINK != 0,
        preference: None,
        expires: None,
        realm: None,
        metrics: Vec::new(),
        congestion: None,
        peculiar: None,
    };
    let mut ours = false;
    for attr in Attrs(attrs) {
        let attr = attr?;
        match attr.kind {
            RTA_DST => route.to.ip = ip(family, attr)?,
            RTA_SRC => {
                let ip = ip(family, attr)?;
                route.from = Some(Network { ip, prefix: from });
            }
            RTA_OIF => ours |= attr.u32()? == index,
            RTA_GATEWAY => route.via = Some(ip(family, attr)?),
            RTA_VIA => route.via = Some(via(attr)?),
            RTA_PRIORITY => route.metric = attr.u32()?,
            RTA_PREFSRC => route.source = Some(ip(family, attr)?),
            RTA_TABLE => route.table = attr.u32()?,
            RTA_PREF => route.preference = Some(attr.u8()?),
            RTA_FLOW => route.realm = Some(attr.u32()?),
            RTA_METRICS => metrics(attr, &mut route)?,
            RTA_CACHEINFO => route.expires = expires(attr)?,
            RTA_MULTIPATH => {
                ours |= multipath_has(attr.value, index)?;
                route.peculiar = Some("several next hops".to_owned());
            }
            RTA_NH_ID => {
                // The kernel gives no link with it when it is asked for no more than that.
                ours = true;
                route.peculiar = Some(format!("next hop object {}", attr.u32()?));
            }
            RTA_ENCAP_TYPE => route.peculiar = Some("an encapsulation".to_owned()),
            _ => {}
        }
    }
    Ok(ours.then_some(route))
}

/// `struct rtvia`.
fn via(attr: Attr<'_>) -> Result<IpAddr, Malformed> {
    let Some((family, value)) = attr.value.split_first_chunk::<2>() else {
        return Err(Malformed::new("a gateway has no family"));
    };
    let family = u8::try_from(u16::from_ne_bytes(*family)).unwrap_or_default();
    ip(family, Attr { value, ..attr })
}

fn metrics(attr: Attr<'_>, route: &mut Route) -> Result<(), Malformed> {
    for metric in attr.nested() {
        let metric = metric?;
        match metric.kind {
            RTAX_CC_ALGO => route.congestion = Some(metric.text()),
            kind => route.metrics.push(RouteMetric {
                kind,
                value: metric.u32()?,
            }),
        }
    }
    Ok(())
}

/// `rta_expires` of `struct rta_cacheinfo`, in seconds; none for ever.
fn expires(attr: Attr<'_>) -> Result<Option<u32>, Malformed> {
    let [_, _, ticks] = attr.words()?;
    let left = ticks.cast_signed();
    Ok((left > 0).then_some(ticks / USER_HZ))
}

/// Whether one of the `struct rtnexthop` in `bytes` goes out of the link.
fn multipath_has(mut bytes: &[u8], index: u32) -> Result<bool, Malformed> {
    while let [l0, l1, _, _, i0, i1, i2, i3, ..] = *bytes {
        if u32::from_ne_bytes([i0, i1, i2, i3]) == index {
            return Ok(true);
        }
        let length = crate::attr::align(usize::from(u16::from_ne_bytes([l0, l1])));
        if length < 8 {
            return Err(Malformed(format!("a next hop has length {length}")));
        }
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(false)
}
