use accelnet_model::Mac;
use accelnet_model::vf::VfLinkState;

use super::*;

/// What stands in the innermost nest of the request.
fn inner(change: VfChange) -> Vec<u8> {
    let body = body(5, 3, change);
    assert_eq!(body[..16], [0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let length = (body.len() - 16) as u8;
    assert_eq!(body[16..20], [length, 0, 22, 0], "IFLA_VFINFO_LIST");
    assert_eq!(body[20..24], [length - 4, 0, 1, 0], "IFLA_VF_INFO");
    body[24..].to_vec()
}

#[test]
#[cfg(target_endian = "little")]
fn every_change_is_encoded_as_if_link_h_defines() {
    let mut mac = vec![40, 0, 1, 0, 3, 0, 0, 0, 0x52, 0x54, 0, 0, 0, 9];
    mac.resize(40, 0);
    assert_eq!(inner(VfChange::Mac(Mac([0x52, 0x54, 0, 0, 0, 9]))), mac);
    assert_eq!(
        inner(VfChange::Vlan {
            id: 300,
            qos: 5,
            protocol: VlanProtocol::Dot1Q
        }),
        [16, 0, 2, 0, 3, 0, 0, 0, 44, 1, 0, 0, 5, 0, 0, 0]
    );
    assert_eq!(
        inner(VfChange::Vlan {
            id: 300,
            qos: 5,
            protocol: VlanProtocol::Dot1Ad
        }),
        [
            24, 0, 12, 0, 20, 0, 1, 0, 3, 0, 0, 0, 44, 1, 0, 0, 5, 0, 0, 0, 0x88, 0xa8, 0, 0
        ]
    );
    assert_eq!(
        inner(VfChange::Rate { min: 1, max: 256 }),
        [16, 0, 6, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]
    );
    let two = |kind, value| [12, 0, kind, 0, 3, 0, 0, 0, value, 0, 0, 0];
    assert_eq!(inner(VfChange::SpoofCheck(true)), two(4, 1));
    assert_eq!(inner(VfChange::SpoofCheck(false)), two(4, 0));
    assert_eq!(inner(VfChange::Trust(true)), two(9, 1));
    assert_eq!(inner(VfChange::LinkState(VfLinkState::Auto)), two(5, 0));
    assert_eq!(inner(VfChange::LinkState(VfLinkState::Enable)), two(5, 1));
    assert_eq!(inner(VfChange::LinkState(VfLinkState::Disable)), two(5, 2));
}

#[test]
fn changes_are_reported_in_words() {
    let vlan = VfChange::Vlan {
        id: 7,
        qos: 1,
        protocol: VlanProtocol::Dot1Ad,
    };
    assert_eq!(vlan.to_string(), "set 802.1ad VLAN 7 with priority 1");
    assert_eq!(VfChange::Mac(Mac::ZERO).to_string(), "clear the MAC");
    assert_eq!(VfChange::Trust(false).to_string(), "switch trust off");
}
