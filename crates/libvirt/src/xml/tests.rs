use accelnet_model::domain::{Teaming, Vnic};
use accelnet_model::{Mac, PciAddress};

use super::*;

/// As `virsh dumpxml` of a running VM prints it: a bridge, a network with its bridge, a VF
/// from a pool teamed with the first, and a plain host device.
const RUNNING: &str = include_str!("running.xml");

fn address(text: &str) -> PciAddress {
    text.parse().unwrap()
}

fn domain(inside: &str) -> Result<Definition, XmlError> {
    Definition::parse(&format!("<domain type='kvm'>{inside}</domain>"))
}

fn interface(text: &str) -> Result<Vnic, XmlError> {
    let mut definition = domain(&format!("<devices>{text}</devices>"))?;
    Ok(definition.vnics.remove(0))
}

fn memory_mib(text: &str) -> Result<Option<u64>, XmlError> {
    domain(text).map(|definition| definition.memory_mib)
}

fn hostdev(address: &str) -> Result<Vec<PciAddress>, XmlError> {
    let hostdev = format!(
        "<devices><hostdev mode='subsystem' type='pci' managed='yes'>
           <source>{address}</source>
         </hostdev></devices>"
    );
    domain(&hostdev).map(|definition| definition.host_devices)
}

#[test]
fn a_running_vm_is_read_whole() {
    let vm = Definition::parse(RUNNING).unwrap();
    assert_eq!(vm.vcpus, Some(2));
    assert_eq!(vm.memory_mib, Some(2048));
    assert_eq!(
        vm.host_devices,
        [address("0000:06:10.2"), address("0000:3b:00.1")]
    );
    let [bridged, networked, vf] = &vm.vnics[..] else {
        panic!("three interfaces, not {}", vm.vnics.len());
    };
    assert_eq!(
        *bridged,
        Vnic {
            mac: Some(Mac([0x52, 0x54, 0, 0x11, 0x22, 0x33])),
            kind: "bridge".to_owned(),
            source: Some("br0".to_owned()),
            model: Some("virtio".to_owned()),
            target: Some("vnet4".to_owned()),
            alias: Some("ua-backup0".to_owned()),
            host_device: None,
            teaming: Some(Teaming::Persistent),
            guest_address: bridged.guest_address.clone(),
            ..Vnic::default()
        }
    );
    assert_eq!(
        bridged.guest_address.as_ref().map(|place| place.bus),
        Some(1)
    );
    assert_eq!(networked.kind, "network");
    assert_eq!(networked.source.as_deref(), Some("default"));
    assert_eq!(networked.host_device, None);
    assert_eq!(
        *vf,
        Vnic {
            mac: Some(Mac([0x52, 0x54, 0, 0x11, 0x22, 0x33])),
            kind: "hostdev".to_owned(),
            source: None,
            model: None,
            target: None,
            alias: Some("hostdev0".to_owned()),
            host_device: Some(address("0000:06:10.2")),
            teaming: Some(Teaming::Transient {
                persistent: "ua-backup0".to_owned()
            }),
            guest_address: vf.guest_address.clone(),
            ..Vnic::default()
        }
    );
}

#[test]
fn a_definition_may_be_short() {
    assert_eq!(domain(""), Ok(Definition::default()));
    assert_eq!(domain("<devices/>"), Ok(Definition::default()));
    let bare = interface("<interface type='user'/>").unwrap();
    assert_eq!(
        (bare.kind.as_str(), bare.mac, bare.source),
        ("user", None, None)
    );
}

#[test]
fn a_pool_that_is_not_running_names_its_network() {
    let vnic = interface(
        "<interface type='network'>
           <mac address='52:54:00:aa:bb:cc'/>
           <source network='accelnet-fast' portgroup='gold'/>
         </interface>",
    )
    .unwrap();
    assert_eq!(vnic.kind, "network");
    assert_eq!(vnic.source.as_deref(), Some("accelnet-fast"));
    assert_eq!(vnic.host_device, None);
}

#[test]
fn an_actual_vf_is_found_inside_its_network() {
    let vnic = interface(
        "<interface type='network'>
           <mac address='52:54:00:aa:bb:cc'/>
           <source network='accelnet-fast'/>
           <actual type='hostdev' managed='yes'>
             <driver name='vfio'/>
             <source><address type='pci' domain='0x0000' bus='0x06' slot='0x10' function='0x4'/></source>
           </actual>
           <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
         </interface>",
    )
    .unwrap();
    assert_eq!(vnic.kind, "hostdev");
    assert_eq!(vnic.source.as_deref(), Some("accelnet-fast"));
    assert_eq!(vnic.host_device, Some(address("0000:06:10.4")));
}

#[test]
fn every_kind_of_source_is_named() {
    let sources = [
        (
            "<interface type='bridge'><source bridge='br0'/></interface>",
            Some("br0"),
        ),
        (
            "<interface type='direct'><source dev='ens1f0' mode='bridge'/></interface>",
            Some("ens1f0"),
        ),
        (
            "<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>",
            Some("/dev/vhost-vdpa-0"),
        ),
        (
            "<interface type='vhostuser'><source type='unix' path='/run/v.sock' mode='server'/></interface>",
            Some("/run/v.sock"),
        ),
        (
            "<interface type='internal'><source name='wire'/></interface>",
            Some("wire"),
        ),
        (
            "<interface type='ethernet'><target dev='tap7'/></interface>",
            None,
        ),
    ];
    for (text, source) in sources {
        let vnic = interface(text).unwrap();
        assert_eq!(vnic.source.as_deref(), source, "{text}");
    }
}

#[test]
fn the_address_in_the_guest_is_not_the_hosts() {
    let definition = domain(
        "<devices><interface type='bridge'>
           <source bridge='br0'/>
           <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
         </interface></devices>",
    )
    .unwrap();
    assert_eq!(definition.host_devices, []);
}

#[test]
fn host_devices_that_are_not_pci_are_passed_over() {
    let definition = domain(
        "<devices>
           <hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/></source></hostdev>
           <hostdev mode='subsystem' type='mdev' model='vfio-pci'>
             <source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>
           </hostdev>
           <interface type='hostdev'>
             <source><address type='usb' bus='1' device='2'/></source>
           </interface>
         </devices>",
    )
    .unwrap();
    assert_eq!(definition.host_devices, []);
}

#[test]
fn addresses_are_numbers_as_c_writes_them() {
    for (text, expected) in [
        (
            "<address domain='0x0000' bus='0x06' slot='0x02' function='0x1'/>",
            "0000:06:02.1",
        ),
        (
            "<address domain='0' bus='59' slot='010' function='7'/>",
            "0000:3b:08.7",
        ),
        (
            "<address domain='0x10000' bus='0xE1' slot='0' function='0'/>",
            "10000:e1:00.0",
        ),
        ("<address bus='0x01' slot='0x1f'/>", "0000:01:1f.0"),
    ] {
        assert_eq!(hostdev(text), Ok(vec![address(expected)]), "{text}");
    }
}

#[test]
fn an_address_that_is_wrong_is_an_error_and_never_no_device() {
    for text in [
        "<address domain='0x0000' bus='0x100' slot='0x02' function='0x1'/>",
        "<address domain='0x0000' bus='0x01' slot='0x20' function='0x1'/>",
        "<address domain='0x0000' bus='0x01' slot='0x02' function='8'/>",
        "<address domain='0x0000' bus='one' slot='0x02' function='0x1'/>",
        "<address domain='0x0000' bus='0x+1' slot='0x02' function='0x1'/>",
        "<address/>",
    ] {
        let error = hostdev(text).unwrap_err();
        assert!(
            matches!(error, XmlError::BadValue { .. }),
            "{text}: {error}"
        );
    }
    let missing = hostdev("").unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the PCI address of a hostdev is missing in its definition"
    );
    let bad = hostdev("<address bus='0x100' slot='0x02'/>").unwrap_err();
    assert_eq!(
        bad.to_string(),
        "the PCI address of a host device is \"- 0x100 0x02 -\" in its definition"
    );
}

#[test]
fn a_function_named_twice_is_held_once() {
    let definition = domain(
        "<devices>
           <hostdev type='pci'><source><address bus='6' slot='0x10' function='2'/></source></hostdev>
           <interface type='hostdev'>
             <source><address type='pci' domain='0' bus='6' slot='0x10' function='2'/></source>
           </interface>
         </devices>",
    )
    .unwrap();
    assert_eq!(definition.host_devices, [address("0000:06:10.2")]);
}

#[test]
fn memory_has_all_of_libvirts_units() {
    for (unit, mib) in [
        ("b", 1),
        ("bytes", 1),
        ("KB", 3),
        ("k", 3),
        ("KiB", 3),
        ("MB", 2862),
        ("M", 3000),
        ("MiB", 3000),
        ("GB", 2_861_023),
        ("G", 3_072_000),
        ("GiB", 3_072_000),
        ("TB", 2_861_022_950),
        ("T", 3_145_728_000),
        ("TiB", 3_145_728_000),
    ] {
        let memory = memory_mib(&format!("<memory unit='{unit}'>3000</memory>"));
        assert_eq!(memory, Ok(Some(mib)), "{unit}");
    }
    assert_eq!(memory_mib("<memory>2097152</memory>"), Ok(Some(2048)));
    for wrong in [
        "<memory unit='EiB'>3000</memory>",
        "<memory unit='parsec'>3</memory>",
        "<memory unit=''>3</memory>",
        "<memory>much</memory>",
        "<memory/>",
    ] {
        let error = memory_mib(wrong).unwrap_err();
        assert!(error.to_string().starts_with("the memory is"), "{error}");
    }
}

#[test]
fn vcpus_are_those_it_runs_with() {
    let vcpus = |text: &str| domain(text).map(|definition| definition.vcpus);
    assert_eq!(vcpus("<vcpu placement='static'>4</vcpu>"), Ok(Some(4)));
    assert_eq!(vcpus("<vcpu current='2'>\n4\n</vcpu>"), Ok(Some(2)));
    assert!(vcpus("<vcpu>all</vcpu>").is_err());
}

#[test]
fn broken_parts_are_named() {
    for (text, said) in [
        (
            "<interface/>",
            "the type of an interface is missing in its definition",
        ),
        (
            "<interface type='hostdev'/>",
            "the source of a hostdev interface is missing in its definition",
        ),
        (
            "<interface type='bridge'><mac address='52:54'/></interface>",
            "the MAC of an interface is \"52:54\" in its definition",
        ),
        (
            "<interface type='bridge'><teaming type='transient'/></interface>",
            "the partner of a transient teaming is missing in its definition",
        ),
        (
            "<interface type='bridge'><teaming type='both'/></interface>",
            "the teaming of an interface is \"both\" in its definition",
        ),
    ] {
        assert_eq!(interface(text).unwrap_err().to_string(), said);
    }
}

#[test]
fn what_is_no_domain_is_refused() {
    assert_eq!(
        Definition::parse("<network/>").unwrap_err().to_string(),
        "its definition is a <network>, not a <domain>"
    );
    for text in [
        "",
        "domain",
        "<domain>",
        "<domain></network>",
        "\0",
        &RUNNING[..900],
    ] {
        let error = Definition::parse(text).unwrap_err();
        assert!(matches!(error, XmlError::NotXml(_)), "{error}");
    }
}

#[test]
fn hostile_text_is_refused() {
    let entities = "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><domain>&b;</domain>";
    let many = format!("<domain>{}</domain>", "<a/>".repeat(100_000));
    let deep = format!(
        "{}{}",
        "<domain>".repeat(60_000),
        "</domain>".repeat(60_000)
    );
    for text in [entities, &many] {
        let error = Definition::parse(text).unwrap_err();
        assert!(matches!(error, XmlError::NotXml(_)), "{error}");
    }
    // Whatever comes of it, it comes back.
    drop(Definition::parse(&deep));
}
