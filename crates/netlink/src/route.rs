//! Routes that go out of one link: list, add, remove.

use accelnet_model::switch::{Network, Route};

use crate::abi::*;
use crate::address::{family, octets};
use crate::attr::Writer;
use crate::by_name::index_of;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads the routes of all tables that go out of the link called `name`, alone or among
/// others; IPv4 first. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn routes(name: &str) -> Result<Vec<Route>, NetlinkError> {
    let index = index_of(name)?;
    let mut found = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut header = [0; RTMSG_LEN];
        header[0] = family;
        let mut body = Writer::new(&header);
        // Kernels before 5.0 report all links.
        body.words(RTA_OIF, &[index]);
        let answer = ask(Request {
            what: format!("read the routes of {name}"),
            protocol: netlink_sys::constants::NETLINK_ROUTE,
            kind: RTM_GETROUTE,
            dump: true,
            flags: 0,
            body: body.finish(),
        })?;
        found.extend(decode::routes(&answer.messages, family, index)?);
    }
    Ok(found)
}

/// How a route is added where there is one of its destination and metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Behind it.
    Behind,
    /// In its place.
    Instead,
}

/// Adds a route out of the link called `name`; that it is there already is no error. Needs
/// `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `EOPNOTSUPP` for a route that is [`Route::peculiar`].
pub fn add_route(name: &str, route: &Route, place: Place) -> Result<(), NetlinkError> {
    let what = format!("add route {route} dev {name}");
    if let Some(peculiar) = &route.peculiar {
        let words = format!("it has {peculiar}");
        return Err(NetlinkError::refused_here(&what, libc::EOPNOTSUPP, &words));
    }
    let mut body = head(name, route)?;
    if let Some(source) = route.source {
        body.bytes(RTA_PREFSRC, &octets(source));
    }
    if let Some(realm) = route.realm {
        body.words(RTA_FLOW, &[realm]);
    }
    if let Some(preference) = route.preference {
        body.bytes(RTA_PREF, &[preference]);
    }
    if let Some(seconds) = route.expires {
        body.words(RTA_EXPIRES, &[seconds]);
    }
    if !route.metrics.is_empty() || route.congestion.is_some() {
        body.nest(RTA_METRICS, |metrics| {
            for metric in &route.metrics {
                metrics.words(metric.kind, &[metric.value]);
            }
            if let Some(name) = &route.congestion {
                metrics.text(RTAX_CC_ALGO, name);
            }
        });
    }
    let flags = match place {
        Place::Behind => NLM_F_CREATE | NLM_F_APPEND,
        Place::Instead => NLM_F_CREATE | NLM_F_REPLACE,
    };
    ignore(change(what, RTM_NEWROUTE, flags, body), libc::EEXIST)
}

/// Removes a route out of the link called `name`; that there is none is no error. Needs
/// `CAP_NET_ADMIN`.
///
/// # Errors
///
/// See [`NetlinkError`]; `ENODEV` where there is no such link.
pub fn remove_route(name: &str, route: &Route) -> Result<(), NetlinkError> {
    let what = format!("remove route {route} dev {name}");
    ignore(
        change(what, RTM_DELROUTE, 0, head(name, route)?),
        libc::ESRCH,
    )
}

/// The identity of a route.
fn head(name: &str, route: &Route) -> Result<Writer, NetlinkError> {
    let mut header = [0; RTMSG_LEN];
    header[0] = family(route.to.ip);
    header[1] = route.to.prefix;
    header[2] = route.from.map_or(0, |from| from.prefix);
    header[3] = route.tos;
    header[4] = u8::try_from(route.table).unwrap_or_default();
    header[5] = route.protocol;
    header[6] = route.scope;
    header[7] = route.kind;
    if route.on_link {
        header[8..].copy_from_slice(&RTNH_F_ONLINK.to_ne_bytes());
    }
    let mut body = Writer::new(&header);
    let mut network = |kind: u16, network: Network| {
        if network.prefix != 0 {
            body.bytes(kind, &octets(network.ip));
        }
    };
    network(RTA_DST, route.to);
    if let Some(from) = route.from {
        network(RTA_SRC, from);
    }
    body.words(RTA_TABLE, &[route.table])
        .words(RTA_OIF, &[index_of(name)?]);
    if route.metric != 0 {
        body.words(RTA_PRIORITY, &[route.metric]);
    }
    match route.via {
        Some(via) if via.is_ipv4() == route.to.ip.is_ipv4() => {
            body.bytes(RTA_GATEWAY, &octets(via));
        }
        Some(via) => {
            let family = u16::from(family(via)).to_ne_bytes();
            body.bytes(RTA_VIA, &[&family[..], &octets(via)].concat());
        }
        None => {}
    }
    Ok(body)
}

fn change(what: String, kind: u16, flags: u16, body: Writer) -> Result<(), NetlinkError> {
    ask(Request {
        what,
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind,
        dump: false,
        flags,
        body: body.finish(),
    })
    .map(drop)
}

fn ignore(result: Result<(), NetlinkError>, errno: i32) -> Result<(), NetlinkError> {
    match result {
        Err(error) if error.errno() == Some(errno) => Ok(()),
        result => result,
    }
}
