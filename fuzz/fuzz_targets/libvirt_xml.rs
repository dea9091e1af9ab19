//! What libvirt hands over as XML: whatever stands there is read or refused, and what is written from it can be
//! read again.

#![no_main]

use accelnet_libvirt::xml::{
    Definition, Device, Part, Port, connected_to, interface_called, interface_fragment,
    interface_vlan, network, place_on_own_port, port_to_add, ports_to_remove, user_alias,
    with_place, with_stand_ins, with_teaming, without_generated, without_place, without_teaming,
};
use libfuzzer_sys::fuzz_target;

/// Texts that are changed: random bytes alone are seldom XML.
const BASES: [&str; 3] = [
    include_str!("../../crates/libvirt/src/xml/running.xml"),
    include_str!("../../crates/host/src/hook/port-created.xml"),
    include_str!("../../crates/host/src/hook/port-created-bridge.xml"),
];

fuzz_target!(|data: &[u8]| {
    let Some(text) = spliced(data) else {
        return;
    };
    read(&text);
});

/// A base with some of it replaced; the text alone where the first byte says so.
fn spliced(data: &[u8]) -> Option<String> {
    let [which, place @ ..] = data.get(..5)? else {
        return None;
    };
    let new = std::str::from_utf8(data.get(5..)?).ok()?;
    let Some(base) = BASES.get(usize::from(*which) % 4) else {
        return Some(new.to_owned());
    };
    let number = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
    let start = number(*place.first()?, *place.get(1)?) % base.len();
    let end = (start + number(*place.get(2)?, *place.get(3)?) % 512).min(base.len());
    Some(format!("{}{new}{}", base.get(..start)?, base.get(end..)?))
}

fn read(text: &str) {
    drop(Port::parse(text));
    drop(Device::parse(text));
    drop(network(text));
    drop(user_alias(text));
    let _ = interface_vlan(text);
    drop(connected_to(text));
    drop(port_to_add(text));
    drop(place_on_own_port(text));
    drop(ports_to_remove(text));
    drop(interface_called(text, "ua-accelnet-1"));
    let changed = with_stand_ins(text, |_| Some("a'<&\"b".to_owned()));
    let Ok(definition) = Definition::parse(text) else {
        return;
    };
    if let Some(changed) = changed {
        let read = Definition::parse(&changed);
        assert!(read.is_ok(), "{read:?} of {changed}");
    }
    for mac in definition.vnics.iter().filter_map(|vnic| vnic.mac) {
        for part in [Part::Persistent, Part::Transient] {
            let Some(fragment) = interface_fragment(text, mac, part) else {
                continue;
            };
            assert!(text.contains(&fragment), "a fragment is a part of the text");
            for changed in [
                with_teaming(&fragment, "ua-accelnet"),
                without_teaming(&fragment, true),
                without_generated(&fragment),
                without_place(&fragment),
                with_place(&fragment, "<address type='pci'/>"),
            ] {
                let read = Device::parse(&changed);
                assert!(read.is_ok(), "{read:?} of {changed} from {fragment}");
            }
        }
    }
}
