//! What is written is read.

use accelnet_model::PciAddress;
use accelnet_model::link::{Bond, BondMode};

use super::*;

#[test]
fn vfs_of_every_number_are_read_whole() {
    for count in [0, 1, 7, 127, 256] {
        let (link, vfs) = adapter(count);
        let bytes = encode::link_answer(&link, &vfs, false);
        assert_eq!(vf_settings(&bytes), Ok(vfs));
        assert_eq!(links(&bytes), Ok(vec![link]));
    }
}

prop_compose! {
    fn any_mac()(octets: [u8; 6]) -> Mac {
        Mac(octets)
    }
}

prop_compose! {
    fn any_address()(domain in 0u32..0x2_0000, bus: u8, device in 0u8..32, function in 0u8..8)
        -> PciAddress
    {
        PciAddress { domain, bus, device, function }
    }
}

prop_compose! {
    fn any_link()(
        name in "[a-z][a-z0-9.@-]{0,13}",
        alt_names in proptest::collection::vec("[a-zäöü]{1,40}", 0..3),
        mac in proptest::option::of(any_mac()),
        permanent_mac in proptest::option::of(any_mac()),
        mtu: u32,
        (up, carrier) in any::<(bool, bool)>(),
        kind in proptest::option::of("[a-z]{1,10}"),
        parent in proptest::option::of(any_address()),
        index in 1u32..,
    ) -> Link {
        Link {
            index, name, link_type: LinkType::Ether, alt_names, mac, permanent_mac, mtu, up, carrier,
            master: None, kind, parent, vf_count: None, bond: None,
        }
    }
}

prop_compose! {
    fn any_vf()(
        mac in any_mac(),
        vlan in 0u16..4095,
        qos in 0u8..8,
        dot1ad: bool,
        (max_tx_rate, min_tx_rate) in any::<(u32, u32)>(),
        (spoof_check, trust, rss_query) in any::<(Option<bool>, Option<bool>, Option<bool>)>(),
        link_state in proptest::option::of(prop_oneof![
            Just(VfLinkState::Auto), Just(VfLinkState::Enable), Just(VfLinkState::Disable),
        ]),
    ) -> VfSettings {
        let vlan_protocol = if dot1ad { VlanProtocol::Dot1Ad } else { VlanProtocol::Dot1Q };
        VfSettings {
            index: 0, mac, vlan, qos, vlan_protocol, max_tx_rate, min_tx_rate,
            spoof_check, trust, link_state, rss_query,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_adapter_is_read_as_it_was_written(
        link in any_link(),
        vfs in proptest::collection::vec(any_vf(), 0..220),
        with_stats: bool,
    ) {
        let vfs: Vec<_> = vfs
            .into_iter()
            .zip(0..)
            .map(|(vf, index)| VfSettings { index, ..vf })
            .collect();
        let link = Link { vf_count: Some(vfs.len() as u32), ..link };
        let bytes = encode::link_answer(&link, &vfs, with_stats);
        prop_assert_eq!(vf_settings(&bytes), Ok(vfs));
        prop_assert_eq!(links(&bytes), Ok(vec![link]));
    }

    #[test]
    fn a_list_of_links_is_read_as_it_was_written(
        mut all in proptest::collection::vec(any_link(), 0..9),
        masters in proptest::collection::vec(any::<Option<prop::sample::Index>>(), 9),
        bonds in proptest::collection::vec(any::<Option<(u8, Option<prop::sample::Index>)>>(), 9),
    ) {
        for (number, link) in all.iter_mut().enumerate() {
            link.index = number as u32 + 1;
            link.name = format!("{}{number}", &link.name[..1]);
        }
        let names: Vec<_> = all.iter().map(|link| link.name.clone()).collect();
        for (link, master) in all.iter_mut().zip(&masters) {
            link.master = master.map(|master| master.get(&names).clone());
        }
        for (link, bond) in all.iter_mut().zip(&bonds) {
            let Some((mode, active)) = bond else { continue };
            link.kind = Some("bond".to_owned());
            link.bond = Some(Bond {
                mode: BondMode::from_number(mode % 8),
                active: active.map(|active| active.get(&names).clone()),
            });
        }
        prop_assert_eq!(links(&encode::links_answer(&all)), Ok(all));
    }
}
