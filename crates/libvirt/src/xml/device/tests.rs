use super::*;
use crate::xml::DomainXml;

const RUNNING: &str = include_str!("../running.xml");

fn is_there(fragment: &str) -> bool {
    is_in(&Device::parse(fragment).unwrap(), RUNNING)
}

fn is_in(device: &Device, domain: &str) -> bool {
    DomainXml::parse(domain).is_ok_and(|xml| xml.find(device).is_some())
}

#[test]
fn an_alias_of_a_users_decides_alone() {
    assert!(is_there(
        "<interface type='network'><mac address='52:54:00:99:99:99'/>
           <alias name='ua-backup0'/></interface>"
    ));
    assert!(!is_there(
        "<interface type='bridge'><mac address='52:54:00:11:22:33'/>
           <alias name='ua-other'/></interface>"
    ));
    // libvirt's own say nothing: they are made anew at each start.
    assert!(!is_there(
        "<interface type='bridge'><mac address='52:54:00:99:99:99'/>
           <alias name='net1'/></interface>"
    ));
}

#[test]
fn a_host_function_decides_before_a_mac() {
    let vf = |function| {
        format!(
            "<interface type='hostdev'><mac address='52:54:00:11:22:33'/><source>
               <address type='pci' domain='0' bus='6' slot='0x10' function='{function}'/>
             </source></interface>"
        )
    };
    assert!(is_there(&vf(2)));
    assert!(!is_there(&vf(4)));
    let plain = "<hostdev type='pci'><source><address bus='0x3b' slot='0' function='1'/></source>
                 </hostdev>";
    assert!(is_there(plain));
    assert!(!is_there(&plain.replace("0x3b", "0x3c")));
}

#[test]
fn a_mac_decides_with_the_part_in_the_pair() {
    let with = |mac: &str, teaming: &str| {
        format!("<interface type='network'><mac address='{mac}'/>{teaming}</interface>")
    };
    let transient = "<teaming type='transient' persistent='ua-backup0'/>";
    assert!(is_there(&with("52:54:00:11:22:33", transient)));
    assert!(is_there(&with("52:54:00:44:55:66", "")));
    assert!(!is_there(&with("52:54:00:99:99:99", transient)));
    let alone = RUNNING
        .replace(transient, "")
        .replace("<teaming type='persistent'/>", transient);
    let path = Device::parse(&with("52:54:00:11:22:33", "<teaming type='persistent'/>")).unwrap();
    assert!(is_in(&path, RUNNING));
    assert!(is_in(&path, &alone), "the other has no part in a pair");
}

#[test]
fn what_is_no_device_is_refused() {
    assert!(Device::parse("<interface>").is_err());
    assert!(Device::parse("<interface type='hostdev'/>").is_err());
    let disk = Device::parse("<disk type='file'/>").unwrap();
    assert!(!is_in(&disk, RUNNING));
    assert!(!is_in(&disk, "no XML"));
}
