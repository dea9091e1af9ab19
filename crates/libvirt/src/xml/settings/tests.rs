use accelnet_model::domain::{DomainMemory, DomainSettings, GuestIommu, MemoryDevice};

use crate::xml::Definition;

const RUNNING: &str = include_str!("../running.xml");

fn read(inside: &str) -> DomainSettings {
    let text = format!("<domain type='kvm'>{inside}</domain>");
    Definition::parse(&text).unwrap().settings
}

#[test]
fn a_running_vm_shows_its_settings() {
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
fn memory_shows_how_it_is_backed() {
    let settings = read(
        "<maxMemory slots='4' unit='GiB'>8</maxMemory>
         <memtune><hard_limit unit='GiB'>3</hard_limit></memtune>
         <memoryBacking><hugepages><page size='1' unit='G'/></hugepages><nosharepages/><locked/>
           <source type='memfd'/><access mode='shared'/></memoryBacking>
         <devices><memballoon model='none'/></devices>",
    );
    let memory = DomainMemory {
        locked: true,
        hugepages: true,
        hugepage_kib: Some(1 << 20),
        source: Some("memfd".to_owned()),
        shared: true,
        devices: Vec::new(),
        no_share_pages: true,
        balloon: Some("none".to_owned()),
        current_mib: None,
        most_mib: Some(8192),
        hard_limit_mib: Some(3072),
    };
    assert_eq!(settings.memory, memory);
}

#[test]
fn devices_without_addresses_are_left_out() {
    assert_eq!(read("<devices/>").slots, DomainSettings::default().slots);
    assert_eq!(read(""), DomainSettings::default());
}

#[test]
fn memory_devices_are_named_as_what_they_are() {
    let read = read(
        "<devices>
           <memory model='virtio-mem'>
             <target><size unit='GiB'>4</size><requested unit='GiB'>2</requested>
               <current unit='GiB'>1</current><block unit='MiB'>2</block></target>
           </memory>
           <memory model='nvdimm'>
             <source><path>/dev/dax0.0</path></source><target><size unit='MiB'>512</size></target>
           </memory>
         </devices>",
    );
    let expected = [
        MemoryDevice {
            model: "virtio-mem".to_owned(),
            size_mib: 4096,
            plugged_mib: Some(1024),
            path: None,
        },
        MemoryDevice {
            model: "nvdimm".to_owned(),
            size_mib: 512,
            plugged_mib: None,
            path: Some("/dev/dax0.0".to_owned()),
        },
    ];
    assert_eq!(read.memory.devices, expected);
}

#[test]
fn iommu_encryption_and_system_are_read() {
    let read = read(
        "<metadata>
           <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
             <libosinfo:os id='http://freebsd.org/freebsd/14.1'/>
           </libosinfo:libosinfo>
         </metadata>
         <launchSecurity type='sev-snp'/>
         <devices>
           <iommu model='intel'><driver intremap='on' caching_mode='on' aw_bits='48'/></iommu>
         </devices>",
    );
    let iommu = GuestIommu {
        model: "intel".to_owned(),
        caching_mode: true,
    };
    assert_eq!(read.iommu, Some(iommu));
    assert_eq!(read.encryption.as_deref(), Some("sev-snp"));
    assert_eq!(
        read.os_id.as_deref(),
        Some("http://freebsd.org/freebsd/14.1")
    );
}
