//! One change of one VF's settings, by way of its PF (`RTM_SETLINK`, `IFLA_VF_*`).

use std::fmt;

use accelnet_model::Mac;
use accelnet_model::vf::{VfLinkState, VlanProtocol};

use crate::NetlinkError;
use crate::abi::*;
use crate::attr::Writer;
use crate::decode::ifinfo;
use crate::encode::{link_state, vlan_info};
use crate::socket::{Request, ask};

#[cfg(test)]
mod tests;

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

/// Changes VF `vf` of the PF that is link `index`. What comes back is what the kernel or
/// driver remarked though it did it. Needs `CAP_NET_ADMIN`.
pub fn set_vf(index: u32, vf: u32, change: VfChange) -> Result<Option<String>, NetlinkError> {
    let answer = ask(Request {
        what: format!("{change} of VF {vf} on link {index}"),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_SETLINK,
        dump: false,
        flags: 0,
        body: body(index, vf, change),
    })?;
    Ok(answer.warning)
}

/// The request without its header.
fn body(index: u32, vf: u32, change: VfChange) -> Vec<u8> {
    let mut body = Writer::new(&ifinfo(index));
    body.nest(IFLA_VFINFO_LIST, |list| {
        list.nest(IFLA_VF_INFO, |info| write(info, vf, change));
    });
    body.finish()
}

fn write(info: &mut Writer, vf: u32, change: VfChange) {
    match change {
        VfChange::Mac(mac) => {
            let mut value = [0; 4 + MAX_ADDR_LEN];
            value[..4].copy_from_slice(&vf.to_ne_bytes());
            value[4..10].copy_from_slice(&mac.0);
            info.bytes(IFLA_VF_MAC, &value)
        }
        // The older form means 802.1Q, and every kernel and driver knows it.
        VfChange::Vlan {
            id,
            qos,
            protocol: VlanProtocol::Dot1Q,
        } => info.words(IFLA_VF_VLAN, &[vf, id.into(), qos.into()]),
        VfChange::Vlan { id, qos, protocol } => info.nest(IFLA_VF_VLAN_LIST, |list| {
            list.bytes(IFLA_VF_VLAN_INFO, &vlan_info(vf, id, qos, protocol));
        }),
        VfChange::Rate { min, max } => info.words(IFLA_VF_RATE, &[vf, min, max]),
        VfChange::SpoofCheck(on) => info.words(IFLA_VF_SPOOFCHK, &[vf, on.into()]),
        VfChange::Trust(on) => info.words(IFLA_VF_TRUST, &[vf, on.into()]),
        VfChange::LinkState(state) => info.words(IFLA_VF_LINK_STATE, &[vf, link_state(state)]),
    };
}
