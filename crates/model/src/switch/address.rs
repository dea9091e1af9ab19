//! An IP address of a link (`struct ifaddrmsg`, `include/uapi/linux/if_addr.h`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::Mac;

/// `IFA_F_*`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressFlags(pub u32);

impl AddressFlags {
    /// `IFA_F_NODAD`: no search for a duplicate.
    pub const NO_DUPLICATE_CHECK: u32 = 0x02;
    /// `IFA_F_DADFAILED`: another host has it.
    pub const DUPLICATE: u32 = 0x08;
    /// `IFA_F_TENTATIVE`: not yet known to be ours alone.
    pub const TENTATIVE: u32 = 0x40;
    /// `IFA_F_NOPREFIXROUTE`: the kernel makes no route for its network.
    pub const NO_PREFIX_ROUTE: u32 = 0x200;
    /// What an administrator can set: `HOMEADDRESS`, `MANAGETEMPADDR`, `NOPREFIXROUTE` and
    /// `MCAUTOJOIN`, beside `NODAD`. All else is the kernel's account of it.
    pub const CHOSEN: u32 = 0x10 | 0x100 | Self::NO_PREFIX_ROUTE | 0x400 | Self::NO_DUPLICATE_CHECK;

    /// Whether all of `bits` are set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits == bits
    }
}

/// An address of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address itself (`IFA_LOCAL`, or `IFA_ADDRESS` alone).
    pub ip: IpAddr,
    /// Bits of its network.
    pub prefix: u8,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// Broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// `RT_SCOPE_*`: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `IFA_F_*`.
    pub flags: AddressFlags,
    /// IPv4 label; none where it is the link's name.
    pub label: Option<String>,
    /// Metric of the route to its network (`IFA_RT_PRIORITY`); 0 for the kernel's own choice.
    pub metric: u32,
    /// Who made it (`IFA_PROTO`, Linux 5.18); 0 for unknown.
    pub origin: u8,
    /// Seconds for which it is preferred; none for ever.
    pub preferred: Option<u32>,
    /// Seconds for which it is valid; none for ever.
    pub valid: Option<u32>,
}

impl Address {
    /// Whether it is an IPv6 link-local address, which the kernel makes by itself.
    pub fn is_link_local(&self) -> bool {
        matches!(self.ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
    }

    /// Whether `other` is the same one to the kernel, whatever its lifetime and flags.
    pub fn is(&self, other: &Address) -> bool {
        (self.ip, self.prefix, self.peer) == (other.ip, other.prefix, other.peer)
    }
}

impl fmt::Display for Address {
    /// As in `192.0.2.4/24`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{} peer {peer}/{}", self.ip, self.prefix),
            None => write!(f, "{}/{}", self.ip, self.prefix),
        }
    }
}

/// When an address runs out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// The address.
    pub ip: IpAddr,
    /// Time, RFC 3339, UTC.
    pub at: String,
}

/// An entry of the neighbour table that is fixed (`NUD_PERMANENT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its address.
    pub ip: IpAddr,
    /// Its MAC.
    pub mac: Mac,
}

impl fmt::Display for Neighbour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.ip, self.mac)
    }
}
