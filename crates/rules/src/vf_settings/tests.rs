use accelnet_model::vf::VlanProtocol;
use proptest::prelude::*;

use super::*;

const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);

fn settings() -> impl Strategy<Value = VfSettings> {
    let flag = || prop::option::of(any::<bool>());
    (
        prop::sample::select(vec![Mac::ZERO, MAC]),
        0..3_u16,
        0..2_u8,
        (0..3_u32, 0..3_u32),
        flag(),
        flag(),
    )
        .prop_map(
            |(mac, vlan, qos, (min, max), spoof_check, trust)| VfSettings {
                index: 0,
                mac,
                vlan,
                qos,
                vlan_protocol: VlanProtocol::Dot1Q,
                max_tx_rate: max,
                min_tx_rate: min,
                spoof_check,
                trust,
                link_state: None,
                rss_query: None,
            },
        )
}

/// A driver that accepts every change.
fn apply(settings: &mut VfSettings, change: VfChange) {
    match change {
        VfChange::Mac(mac) => settings.mac = mac,
        VfChange::Vlan { id, qos, .. } => (settings.vlan, settings.qos) = (id, qos),
        VfChange::Rate { min, max } => (settings.min_tx_rate, settings.max_tx_rate) = (min, max),
        VfChange::SpoofCheck(on) => settings.spoof_check = Some(on),
        VfChange::Trust(on) => settings.trust = Some(on),
        VfChange::LinkState(state) => settings.link_state = Some(state),
    }
}

proptest! {
    #[test]
    fn changes_lead_to_the_target_and_end_there(
        mut now in settings(),
        vlan in prop::option::of(0..3_u16),
        trust in any::<bool>(),
        spoof_check in any::<bool>(),
        assume_defaults in any::<bool>(),
    ) {
        let target = Target {
            mac: Some(MAC),
            vlan,
            rate: Some((0, 2)),
            security: VfSecurity { trust, spoof_check },
            assume_defaults,
        };
        let unreported = (now.trust.is_none(), now.spoof_check.is_none());
        for change in changes(&target, &now) {
            apply(&mut now, change);
        }
        prop_assert_eq!(changes(&target, &now), []);
        prop_assert_eq!((now.mac, now.min_tx_rate, now.max_tx_rate), (MAC, 0, 2));
        prop_assert!(vlan.is_none_or(|vlan| vlan == now.vlan));
        if !assume_defaults {
            prop_assert_eq!(unreported, (now.trust.is_none(), now.spoof_check.is_none()));
        }
    }

    #[test]
    fn an_unused_vf_keeps_nothing(mut now in settings()) {
        for change in cleared(None, &now) {
            apply(&mut now, change);
        }
        prop_assert_eq!(cleared(None, &now), []);
        prop_assert_eq!((now.mac, now.vlan, now.max_tx_rate), (Mac::ZERO, 0, 0));
        prop_assert!(now.trust != Some(true) && now.spoof_check != Some(false));
    }
}

#[test]
fn the_mac_of_another_vm_stays() {
    let other = Mac([0x52, 0x54, 0, 0, 0, 2]);
    let now = VfSettings {
        index: 0,
        mac: MAC,
        vlan: 0,
        qos: 0,
        vlan_protocol: VlanProtocol::Dot1Q,
        max_tx_rate: 0,
        min_tx_rate: 0,
        spoof_check: None,
        trust: None,
        link_state: None,
        rss_query: None,
    };
    assert_eq!(cleared(Some(other), &now), []);
    assert_eq!(cleared(Some(MAC), &now), [VfChange::Mac(Mac::ZERO)]);
}

#[test]
fn one_vector_is_that_of_the_mailbox() {
    let table = [(0, 1), (1, 1), (2, 1), (5, 4), (64, 63)];
    for (vectors, pairs) in table {
        assert_eq!(queue_pairs(vectors), pairs, "{vectors} vectors");
    }
    assert_eq!(vectors(4), 5);
}
