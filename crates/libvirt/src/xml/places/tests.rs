use accelnet_model::domain::{DomainSettings, PciSlots, Vnic};

use crate::xml::Definition;

fn parse(inside: &str) -> Definition {
    Definition::parse(&format!("<domain type='kvm'>{inside}</domain>")).unwrap()
}

fn read(inside: &str) -> DomainSettings {
    parse(inside).settings
}

#[test]
fn empty_root_ports_are_counted() {
    let port = |index: u32| {
        format!(
            "<controller type='pci' index='{index}' model='pcie-root-port'>
               <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='{index}'/>
             </controller>"
        )
    };
    let taken = "<interface type='user'>
                   <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
                 </interface>";
    let root = "<controller type='pci' index='0' model='pcie-root'/>";
    let slots = |more: &str| {
        let ports = format!("{}{}{}", port(1), port(2), port(3));
        read(&format!("<devices>{root}{ports}{taken}{more}</devices>")).slots
    };
    let two_free = PciSlots {
        root_ports: 3,
        free: Some(2),
        pcie: Some(true),
        accelnet_root_ports: 0,
    };
    assert_eq!(slots(""), two_free);
    let others = "<disk type='file'><address type='drive' bus='3' target='0'/></disk>";
    assert_eq!(slots(others), two_free, "no PCI address");
    let full = taken.replace("0x02", "0x01") + &taken.replace("0x02", "0x03");
    assert_eq!(slots(&full).free, Some(0));
}

#[test]
fn slots_of_a_conventional_bus_are_counted() {
    let slots = read(
        "<devices>
           <controller type='pci' index='0' model='pci-root'/>
           <controller type='usb'>
             <address type='pci' domain='0' bus='0' slot='0x01' function='0x2'/>
           </controller>
           <interface type='user'>
             <address type='pci' domain='0' bus='0' slot='0x03' function='0x0'/>
           </interface>
         </devices>",
    )
    .slots;
    assert_eq!((slots.root_ports, slots.free), (0, Some(29)));
    assert_eq!(slots.pcie, Some(false));
}

#[test]
fn a_conventional_bus_of_a_pci_express_machine_is_no_place_for_a_vf() {
    let slots = read(
        "<devices>
           <controller type='pci' index='0' model='pcie-root'/>
           <controller type='pci' index='1' model='pcie-root-port'>
             <target chassis='1' hotplug='off'/>
             <address type='pci' domain='0' bus='0' slot='0x02' function='0x0'/>
           </controller>
           <controller type='pci' index='2' model='dmi-to-pci-bridge'>
             <address type='pci' domain='0' bus='0' slot='0x1e' function='0x0'/>
           </controller>
           <controller type='pci' index='3' model='pci-bridge'>
             <address type='pci' domain='0' bus='0x02' slot='0x00' function='0x0'/>
           </controller>
         </devices>",
    )
    .slots;
    assert_eq!((slots.root_ports, slots.free), (1, Some(0)));
}

/// The vNIC of a machine with a root port of index 1, a port without hot-plug, and two bridges.
fn vnic_at(bus: u32, slot: u32, more: &str) -> Vnic {
    let parsed = parse(&format!(
        "<devices>
           <controller type='pci' index='0' model='pcie-root'/>
           <controller type='pci' index='1' model='pcie-root-port'/>
           <controller type='pci' index='2' model='pcie-root-port'><target hotplug='off'/></controller>
           <controller type='pci' index='3' model='dmi-to-pci-bridge'/>
           <controller type='pci' index='4' model='pci-bridge'/>
           <interface type='user'>
             <address type='pci' domain='0' bus='{bus}' slot='{slot}' function='0'/>
           </interface>
           {more}
         </devices>"
    ));
    parsed.vnics[0].clone()
}

#[test]
fn where_a_vnic_can_be_unplugged() {
    let fixed = |bus, slot, more| {
        let place = vnic_at(bus, slot, more).guest_address.unwrap();
        (place.controller.unwrap(), place.no_unplug_reason)
    };
    assert_eq!(fixed(1, 0, ""), ("pcie-root-port".to_owned(), None));
    assert_eq!(fixed(4, 3, ""), ("pci-bridge".to_owned(), None));
    for (bus, words) in [(0, "root bus"), (2, "hotplug='off'"), (3, "no hot-plug")] {
        let (_, fixed) = fixed(bus, 5, "");
        assert!(
            fixed.as_ref().is_some_and(|fixed| fixed.contains(words)),
            "{fixed:?}"
        );
    }
    let disk = "<disk><address type='pci' domain='0' bus='1' slot='0' function='1'/></disk>";
    let (_, shared) = fixed(1, 0, disk);
    assert!(shared.is_some_and(|fixed| fixed.contains("share")));
}

#[test]
fn a_vnic_without_address_has_no_place() {
    let parsed = parse("<devices><interface type='user'/></devices>");
    assert_eq!(parsed.vnics[0].guest_address, None);
}

#[test]
fn a_vnic_whose_rom_has_no_bar_cannot_be_plugged_in_again() {
    let fixed = |rom: &str| {
        let parsed = parse(&format!(
            "<devices>
               <controller type='pci' index='1' model='pcie-root-port'/>
               <interface type='user'>{rom}
                 <address type='pci' domain='0' bus='1' slot='0' function='0'/>
               </interface>
             </devices>"
        ));
        parsed.vnics[0]
            .guest_address
            .clone()
            .unwrap()
            .no_unplug_reason
    };
    for rom in [
        "",
        "<rom bar='on'/>",
        "<rom enabled='no'/>",
        "<rom bar='off' enabled='no'/>",
    ] {
        assert_eq!(fixed(rom), None, "{rom}");
    }
    let found = fixed("<rom bar='off' file='/a.rom'/>").unwrap();
    assert!(found.contains("<rom bar='off'/>"), "{found}");
}
