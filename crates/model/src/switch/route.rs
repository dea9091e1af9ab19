//! A route (`struct rtmsg`, `include/uapi/linux/rtnetlink.h`).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its first address.
    pub ip: IpAddr,
    /// Bits that are fixed.
    pub prefix: u8,
}

impl Network {
    /// The network of `prefix` bits that `ip` is in.
    pub fn of(ip: IpAddr, prefix: u8) -> Self {
        let ip = match ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32)));
                IpAddr::V4((ip.to_bits() & mask.unwrap_or(0)).into())
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128)));
                IpAddr::V6((ip.to_bits() & mask.unwrap_or(0)).into())
            }
        };
        Network { ip, prefix }
    }
}

impl fmt::Display for Network {
    /// `default` for everything, else as in `192.0.2.0/24`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix {
            0 => f.write_str("default"),
            prefix => write!(f, "{}/{prefix}", self.ip),
        }
    }
}

/// A number that a route gives its connections (`RTAX_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteMetric {
    /// `RTAX_MTU` is 2, and so on.
    pub kind: u16,
    /// The number.
    pub value: u32,
}

/// A route that goes out of one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where to.
    pub to: Network,
    /// Only for packets from there (IPv6).
    pub from: Option<Network>,
    /// Gateway; an IPv4 route can have an IPv6 one.
    pub via: Option<IpAddr>,
    /// Address that our packets go out with (`RTA_PREFSRC`).
    pub source: Option<IpAddr>,
    /// Metric (`RTA_PRIORITY`).
    pub metric: u32,
    /// Routing table; 254 is `main`.
    pub table: u32,
    /// `RTPROT_*`: 2 kernel, 3 boot, 4 static, 9 router advertisement, 16 DHCP, ...
    pub protocol: u8,
    /// `RT_SCOPE_*`.
    pub scope: u8,
    /// `RTN_*`: 1 unicast.
    pub kind: u8,
    /// `tos` of IPv4.
    pub tos: u8,
    /// The gateway counts as reachable whatever the addresses are (`RTNH_F_ONLINK`).
    pub on_link: bool,
    /// Router preference (`RTA_PREF`, IPv6).
    pub preference: Option<u8>,
    /// Seconds until it goes (IPv6); none for ever.
    pub expires: Option<u32>,
    /// Realm (`RTA_FLOW`).
    pub realm: Option<u32>,
    /// `RTA_METRICS` that are numbers.
    pub metrics: Vec<RouteMetric>,
    /// Congestion control (`RTAX_CC_ALGO`).
    pub congestion: Option<String>,
    /// What it has that cannot be written again here, such as "several next hops".
    pub peculiar: Option<String>,
}

impl Route {
    /// The table `main`.
    pub const MAIN: u32 = 254;
    /// The kernel's own table `local`.
    pub const LOCAL: u32 = 255;
    /// `RTPROT_KERNEL`.
    pub const BY_KERNEL: u8 = 2;
    /// `RTPROT_RA`.
    pub const BY_ADVERTISEMENT: u8 = 9;

    /// Whether `other` is the same one to the kernel, whatever it gives its connections.
    pub fn is(&self, other: &Route) -> bool {
        let key = |route: &Route| {
            let Route {
                to,
                from,
                via,
                metric,
                table,
                kind,
                tos,
                ..
            } = *route;
            (to, from, via, metric, table, kind, tos)
        };
        key(self) == key(other)
    }
}

impl fmt::Display for Route {
    /// As in `default via 192.0.2.1 metric 100 table 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to)?;
        if let Some(from) = self.from {
            write!(f, " from {from}")?;
        }
        if let Some(via) = self.via {
            write!(f, " via {via}")?;
        }
        if self.metric != 0 {
            write!(f, " metric {}", self.metric)?;
        }
        if self.table != Route::MAIN {
            write!(f, " table {}", self.table)?;
        }
        Ok(())
    }
}
