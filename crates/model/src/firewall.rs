//! What the host's firewall does with frames that bridges forward.

use std::fmt;

use crate::Observed;

/// A protocol whose packets a firewall filters apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// ARP.
    Arp,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 3] = [Protocol::Ip, Protocol::Ip6, Protocol::Arp];

    /// The sysctl of br_netfilter that has bridged packets of this protocol filtered, after `bridge-nf-`;
    /// `/sys/class/net/BRIDGE/bridge/nf_` and this with underscores is that of one bridge.
    pub fn call(self) -> &'static str {
        match self {
            Protocol::Ip => "call-iptables",
            Protocol::Ip6 => "call-ip6tables",
            Protocol::Arp => "call-arptables",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Ip => "IPv4",
            Protocol::Ip6 => "IPv6",
            Protocol::Arp => "ARP",
        })
    }
}

/// Protocols whose bridged packets go through the chains of IP and ARP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// IPv4.
    pub ip: bool,
    /// IPv6.
    pub ip6: bool,
    /// ARP.
    pub arp: bool,
}

impl Calls {
    /// Whether packets of this protocol do.
    pub fn has(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Ip => self.ip,
            Protocol::Ip6 => self.ip6,
            Protocol::Arp => self.arp,
        }
    }

    /// The same for every protocol of either.
    #[must_use]
    pub fn or(self, other: Calls) -> Self {
        Calls {
            ip: self.ip || other.ip,
            ip6: self.ip6 || other.ip6,
            arp: self.arp || other.arp,
        }
    }
}

/// A bridge, as the firewall sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredBridge {
    /// Name.
    pub name: String,
    /// Names of its ports.
    pub ports: Vec<String>,
    /// Whether a network adapter is its port, itself or in a bond.
    pub has_adapter: bool,
    /// What is set for this bridge, beside what is set for all.
    pub calls: Calls,
}

/// Everything that decides whether bridges forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeFilter {
    /// What br_netfilter does for all bridges; nothing while it is not loaded.
    pub calls: Calls,
    /// The bridges.
    pub bridges: Vec<FilteredBridge>,
    /// Names of all links.
    pub links: Vec<String>,
    /// The rules.
    pub firewall: Observed<Firewall>,
}

/// The rules of a host that filter what is forwarded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Firewall {
    /// Chains, those that others jump to included.
    pub chains: Vec<Chain>,
}

/// What a table filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Ip,
    /// IPv6.
    Ip6,
    /// IPv4 and IPv6.
    Inet,
    /// ARP.
    Arp,
    /// Frames of bridges.
    Bridge,
}

impl Family {
    /// The family that nft calls so; none of a family that filters nothing that is forwarded.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ip" => Family::Ip,
            "ip6" => Family::Ip6,
            "inet" => Family::Inet,
            "arp" => Family::Arp,
            "bridge" => Family::Bridge,
            _ => return None,
        })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Ip => "ip",
            Family::Ip6 => "ip6",
            Family::Inet => "inet",
            Family::Arp => "arp",
            Family::Bridge => "bridge",
        })
    }
}

/// A chain of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Family of its table.
    pub family: Family,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its policy, for one that every forwarded packet goes through; none for others.
    pub forward: Option<Policy>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "chain {} of table {} {}",
            self.name, self.family, self.table
        )
    }
}

/// What becomes of a packet that no rule decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It passes.
    Accept,
    /// It is dropped.
    Drop,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// What then becomes of the packet.
    pub verdict: Verdict,
}

/// What a packet must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It comes in by one of these links (`*` at the end stands for any rest), or by none of them.
    In(Names),
    /// It goes out by one of these links, or by none of them.
    Out(Names),
    /// One of these bridges forwards it, or none of them.
    Bridge(Names),
    /// A bridge forwards it.
    Bridged,
    /// It is of this protocol.
    Protocol(Protocol),
    /// It is of this transport protocol, by name.
    Transport(String),
    /// It belongs to a connection in one of these states.
    State(Vec<String>),
    /// Something else, of which it cannot be determined for all packets at once.
    Other,
}

/// Names of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Any of these,
    pub any: Vec<String>,
    /// or none of these.
    pub not: bool,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes this chain.
    Accept,
    /// It is dropped, with an answer or without.
    Drop,
    /// The chain that jumped here goes on.
    Return,
    /// Another chain comes first.
    Jump(String),
    /// Another chain comes instead.
    Goto(String),
    /// The next rule.
    Next,
    /// Something else.
    Other,
}
