//! One VF, in the order of `rtnl_fill_vfinfo()` of the kernel.

use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};

use crate::abi::*;
use crate::attr::Writer;

/// Counters of a VF (`IFLA_VF_STATS_*`): RX and TX packets, RX and TX bytes, broadcast,
/// multicast, RX and TX dropped; 7 is padding.
const COUNTERS: [u16; 8] = [0, 1, 2, 3, 4, 5, 7, 8];

/// Writes the entry of one VF.
pub fn write(list: &mut Writer, vf: &VfSettings, with_stats: bool) {
    let index = vf.index;
    let mut mac = [0; 4 + MAX_ADDR_LEN];
    mac[..4].copy_from_slice(&index.to_ne_bytes());
    mac[4..10].copy_from_slice(&vf.mac.0);
    let mut broadcast = [0; MAX_ADDR_LEN];
    broadcast[..6].fill(0xff);
    let flag = |value: Option<bool>| value.map_or(u32::MAX, u32::from);
    list.nest(IFLA_VF_INFO, |info| {
        info.bytes(IFLA_VF_MAC, &mac)
            .bytes(IFLA_VF_BROADCAST, &broadcast)
            .words(IFLA_VF_VLAN, &[index, vf.vlan.into(), vf.qos.into()])
            .words(IFLA_VF_RATE, &[index, vf.min_tx_rate, vf.max_tx_rate])
            .words(IFLA_VF_TX_RATE, &[index, vf.max_tx_rate])
            .words(IFLA_VF_SPOOFCHK, &[index, flag(vf.spoof_check)])
            .words(IFLA_VF_LINK_STATE, &[index, state(vf.link_state)])
            .words(IFLA_VF_RSS_QUERY_EN, &[index, flag(vf.rss_query)])
            .words(IFLA_VF_TRUST, &[index, flag(vf.trust)])
            .nest(IFLA_VF_VLAN_LIST, |vlans| {
                let info = vlan_info(index, vf.vlan, vf.qos, vf.vlan_protocol);
                vlans.bytes(IFLA_VF_VLAN_INFO, &info);
            });
        if with_stats {
            info.nest(IFLA_VF_STATS, |stats| {
                for counter in COUNTERS {
                    stats.bytes(counter, &[0; 8]);
                }
            });
        }
    });
}

/// `struct ifla_vf_vlan_info`: the protocol in network order, then two bytes of padding.
pub fn vlan_info(vf: u32, vlan: u16, qos: u8, protocol: VlanProtocol) -> [u8; 16] {
    let protocol = match protocol {
        VlanProtocol::Dot1Q => ETH_P_8021Q,
        VlanProtocol::Dot1Ad => ETH_P_8021AD,
    };
    let mut info = [0; 16];
    info[0..4].copy_from_slice(&vf.to_ne_bytes());
    info[4..8].copy_from_slice(&u32::from(vlan).to_ne_bytes());
    info[8..12].copy_from_slice(&u32::from(qos).to_ne_bytes());
    info[12..14].copy_from_slice(&protocol.to_be_bytes());
    info
}

/// The number of a link state; the kernel's "not reported" for none.
fn state(state: Option<VfLinkState>) -> u32 {
    state.map_or(u32::MAX, link_state)
}

/// The number of a link state.
pub fn link_state(state: VfLinkState) -> u32 {
    match state {
        VfLinkState::Auto => IFLA_VF_LINK_STATE_AUTO,
        VfLinkState::Enable => IFLA_VF_LINK_STATE_ENABLE,
        VfLinkState::Disable => IFLA_VF_LINK_STATE_DISABLE,
    }
}
