use super::*;
use crate::xml::Definition;

/// A definition with a root port at each of these slots of bus 0, and more devices.
fn domain(slots: &[u32], more: &str) -> String {
    let ports: String = (1..)
        .zip(slots)
        .map(|(index, slot)| {
            format!(
                "<controller type='pci' index='{index}' model='pcie-root-port'>\
                 <address type='pci' domain='0x0000' bus='0x00' slot='{slot:#04x}' function='0x0'/></controller>"
            )
        })
        .collect();
    format!(
        "<domain><devices><controller type='pci' index='0' model='pcie-root'/>{ports}{more}</devices></domain>"
    )
}

fn disk(bus: u32) -> String {
    format!(
        "<disk><address type='pci' domain='0x0000' bus='{bus:#04x}' slot='0x00' function='0x0'/></disk>"
    )
}

fn with(domain: &str, device: &str) -> String {
    domain.replace("</devices>", &format!("{device}</devices>"))
}

fn own(domain: &str) -> u32 {
    Definition::parse(domain)
        .unwrap()
        .settings
        .slots
        .accelnet_root_ports
}

fn xml(domain: &str) -> DomainXml<'_> {
    DomainXml::parse(domain).unwrap()
}

#[test]
fn an_own_port_has_a_slot_of_its_own_and_goes_again() {
    let before = domain(&[2, 0x1a], &disk(1));
    assert_eq!(own(&before), 0);
    assert_eq!(xml(&before).place_on_own_port(), None);
    assert_eq!(xml(&before).ports_to_remove(), [""; 0]);
    let port = xml(&before).port_to_add().unwrap();
    assert_eq!(
        port,
        "<controller type='pci' index='3' model='pcie-root-port'><model name='pcie-root-port'/>\
         <target chassis='3' port='0xc8'/><alias name='ua-accelnet-port-3'/>\
         <address type='pci' domain='0x0000' bus='0x00' slot='0x19' function='0x0'/></controller>"
    );
    let grown = with(&before, &port);
    assert_eq!(own(&grown), 1);
    assert_eq!(xml(&grown).ports_to_remove(), [port]);
    let place = xml(&grown).place_on_own_port().unwrap();
    assert!(place.contains("bus='0x03' slot='0x00'"), "{place}");
    let vf = format!("<interface type='user'><alias name='ua-accelnet-vf-1'/>{place}</interface>");
    let used = with(&grown, &vf);
    assert_eq!(own(&used), 1, "by what is accelnet's");
    assert_eq!(xml(&used).ports_to_remove(), [""; 0]);
    assert_eq!(xml(&used).place_on_own_port(), None);
}

#[test]
fn a_port_in_use_stays() {
    let before = domain(&[2], &disk(1));
    let grown = with(&before, &xml(&before).port_to_add().unwrap());
    let taken = with(&grown, &disk(2));
    assert_eq!(own(&taken), 0);
    assert_eq!(xml(&taken).ports_to_remove(), [""; 0]);
    // Two go from the last to the first; one with a port behind it stays, or libvirt fills the gap.
    let two = with(&grown, &xml(&grown).port_to_add().unwrap());
    let indexes: Vec<bool> = xml(&two)
        .ports_to_remove()
        .iter()
        .map(|port| port.contains("index='3'"))
        .collect();
    assert_eq!(indexes, [true, false]);
    let theirs = xml(&two)
        .port_to_add()
        .unwrap()
        .replace("ua-accelnet", "ua-mine");
    assert_eq!(xml(&with(&two, &theirs)).ports_to_remove(), [""; 0]);
}

#[test]
fn no_port_is_added_where_none_can_be() {
    assert!(DomainXml::parse("<domain").is_err());
    assert_eq!(xml("<domain><devices/></domain>").port_to_add(), None);
    let conventional = domain(&[], "").replace("pcie-root", "pci-root");
    assert_eq!(xml(&conventional).port_to_add(), None);
    let full: Vec<u32> = (0..0x20).collect();
    assert_eq!(xml(&domain(&full, "")).port_to_add(), None);
}
