//! One change of one VF's settings, by way of its PF (`RTM_SETLINK`, `IFLA_VF_*`).

use accelnet_model::VfChange;
use accelnet_model::vf::VlanProtocol;

use crate::NetlinkError;
use crate::abi::*;
use crate::attr::Writer;
use crate::decode::ifinfo;
use crate::encode::{link_state, vlan_info};
use crate::socket::{Request, ask};

#[cfg(test)]
mod tests;

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
