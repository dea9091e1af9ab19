//! Places outside a link's own settings that name the link.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a link is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "kebab-case")]
pub enum Mention {
    /// nftables: a rule, set, map, flowtable, or the device of a chain.
    Nftables {
        /// As in `rule 7 of chain input of table inet filter`.
        place: String,
    },
    /// iptables with its own kernel interface.
    Iptables {
        /// As in `iptables -t filter -A INPUT -i eth0 -j ACCEPT`.
        rule: String,
    },
    /// A zone of firewalld.
    Firewalld {
        /// Its name.
        zone: String,
    },
    /// A rule of `ip rule`.
    PolicyRule {
        /// As `ip rule` shows it.
        rule: String,
    },
    /// Traffic control.
    TrafficControl {
        /// As in `qdisc htb 1:`.
        what: String,
    },
    /// A network of libvirt.
    VirtualNetwork {
        /// Its name.
        name: String,
    },
    /// Something that is there and could not be read.
    Unread {
        /// The part that could not be read.
        what: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mention::Nftables { place } => f.write_str(place),
            Mention::Iptables { rule } | Mention::PolicyRule { rule } => write!(f, "'{rule}'"),
            Mention::Firewalld { zone } => write!(f, "zone {zone}"),
            Mention::TrafficControl { what } => f.write_str(what),
            Mention::VirtualNetwork { name } => f.write_str(name),
            Mention::Unread { what, reason } => write!(f, "{what}: {reason}"),
        }
    }
}

/// A vNIC that is a macvtap of a link (`<interface type='direct'>`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectVnic {
    /// The VM.
    pub vm: String,
    /// The link.
    pub link: String,
    /// Whether the VM runs.
    pub running: bool,
}
