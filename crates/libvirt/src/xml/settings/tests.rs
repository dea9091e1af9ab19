use accelnet_model::domain::{DomainMemory, DomainSettings, PciSlots};

use crate::xml::Definition;

const RUNNING: &str = include_str!("../running.xml");

fn read(inside: &str) -> DomainSettings {
    let text = format!("<domain type='kvm'>{inside}</domain>");
    Definition::parse(&text).unwrap().settings
}

#[test]
fn a_running_vm_tells_its_settings() {
    let settings = Definition::parse(RUNNING).unwrap().settings;
    assert_eq!(settings.os_type.as_deref(), Some("hvm"));
    assert_eq!(settings.machine.as_deref(), Some("pc-q35-10.0"));
    assert_eq!(settings.hostdevs, 1);
    let memory = DomainMemory {
        balloon: Some("virtio".to_owned()),
        current_mib: Some(1024),
        ..DomainMemory::default()
    };
    assert_eq!(settings.memory, memory);
}

#[test]
fn memory_tells_how_it_is_backed() {
    let settings = read(
        "<maxMemory slots='4' unit='GiB'>8</maxMemory>
         <memtune><hard_limit unit='GiB'>3</hard_limit></memtune>
         <memoryBacking><hugepages/><nosharepages/><locked/></memoryBacking>
         <devices><memballoon model='none'/></devices>",
    );
    let memory = DomainMemory {
        locked: true,
        hugepages: true,
        no_share_pages: true,
        balloon: Some("none".to_owned()),
        current_mib: None,
        most_mib: Some(8192),
        hard_limit_mib: Some(3072),
    };
    assert_eq!(settings.memory, memory);
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
}

#[test]
fn what_has_no_addresses_yet_says_nothing() {
    assert_eq!(read("<devices/>").slots, PciSlots::default());
    assert_eq!(read(""), DomainSettings::default());
}
