//! What libvirt hands over as XML: whatever stands there is read or refused, and what is written from it can be
//! read again.

#![no_main]

use accelnet_libvirt::xml::{Definition, Device, DomainXml, InterfaceXml, NetworkXml, Part, Port};
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
    drop(NetworkXml::parse(text).map(|network| network.facts()));
    if let Ok(interface) = InterfaceXml::parse(text) {
        drop(interface.user_alias());
        let _ = interface.vlan();
        drop(interface.connected_to());
        changed(&interface);
    }
    let Ok(domain) = DomainXml::parse(text) else {
        return;
    };
    drop(domain.port_to_add());
    drop(domain.place_on_own_port());
    drop(domain.ports_to_remove());
    drop(domain.interface_called("ua-accelnet-1"));
    let stood_in = domain.with_stand_ins(|_| Some("a'<&\"b".to_owned()));
    let Ok(definition) = domain.definition() else {
        return;
    };
    if let Some(changed) = stood_in {
        let read = Definition::parse(&changed);
        assert!(read.is_ok(), "{read:?} of {changed}");
    }
    for mac in definition.vnics.iter().filter_map(|vnic| vnic.mac) {
        for part in [Part::Persistent, Part::Transient] {
            if let Some(interface) = domain.interface(mac, part) {
                for changed in changed(&interface) {
                    let read = Device::parse(&changed);
                    assert!(read.is_ok(), "{read:?} of {changed} from {interface:?}");
                }
            }
        }
    }
}

/// An interface with each change.
fn changed(interface: &InterfaceXml<'_>) -> [String; 4] {
    [
        interface.with_teaming("ua-accelnet"),
        interface.without_teaming(true),
        interface.without_generated(),
        interface.without_place(),
    ]
}
