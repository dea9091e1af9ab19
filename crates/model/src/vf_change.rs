//! A change of one setting of a VF.

use std::fmt;

use crate::Mac;
use crate::vf::{VfLinkState, VlanProtocol};

/// What to change of a VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VfChange {
    /// Administrative MAC; [`Mac::ZERO`] takes it away.
    Mac(Mac),
    /// VLAN that its traffic is put into.
    Vlan {
        /// VLAN id; 0 for none.
        id: u16,
        /// Priority, 0..=7.
        qos: u8,
        /// Tag protocol.
        protocol: VlanProtocol,
    },
    /// Transmit rate in Mb/s; 0 for none. The kernel knows only both at once.
    Rate {
        /// Guaranteed.
        min: u32,
        /// At most.
        max: u32,
    },
    /// Source MAC and VLAN checking.
    SpoofCheck(bool),
    /// Trust: the guest may go promiscuous and change its MAC.
    Trust(bool),
    /// Link state policy.
    LinkState(VfLinkState),
}

impl fmt::Display for VfChange {
    /// As in "set MAC 52:54:00:00:00:01", which "of VF 3" can follow.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = |on: &bool| if *on { "on" } else { "off" };
        match self {
            VfChange::Mac(Mac::ZERO) => write!(f, "clear the MAC"),
            VfChange::Mac(mac) => write!(f, "set MAC {mac}"),
            VfChange::Vlan { id, qos, protocol } => {
                let protocol = match protocol {
                    VlanProtocol::Dot1Q => "802.1Q",
                    VlanProtocol::Dot1Ad => "802.1ad",
                };
                write!(f, "set {protocol} VLAN {id} with priority {qos}")
            }
            VfChange::Rate { min, max } => write!(f, "set the rate to {min}..{max} Mb/s"),
            VfChange::SpoofCheck(on) => write!(f, "switch spoof check {}", switch(on)),
            VfChange::Trust(on) => write!(f, "switch trust {}", switch(on)),
            VfChange::LinkState(state) => {
                let state = match state {
                    VfLinkState::Auto => "auto",
                    VfLinkState::Enable => "enable",
                    VfLinkState::Disable => "disable",
                };
                write!(f, "set link state {state}")
            }
        }
    }
}
