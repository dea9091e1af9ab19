use super::*;
use crate::xml::{Definition, Device};

#[test]
fn a_vf_is_read_as_it_was_written() {
    let mac = Mac([0x52, 0x54, 0, 0xd, 0, 1]);
    let text = vf_interface("a'b<c>&\"d\n", mac, "ua-p&", "ua-v'", Some(42), "");
    let device = Device::parse(&text).unwrap();
    assert_eq!(device.alias(), Some("ua-v'"));
    let domain = format!("<domain><devices>{text}</devices></domain>");
    let vnic = Definition::parse(&domain).unwrap().vnics.remove(0);
    assert_eq!(vnic.kind, "network");
    assert_eq!(vnic.source.as_deref(), Some("a'b<c>&\"d\n"));
    assert_eq!(vnic.mac, Some(mac));
    assert_eq!(vnic.vlan.unwrap().tags, [42]);
    assert_eq!(
        vnic.teaming,
        Some(accelnet_model::domain::Teaming::Transient {
            persistent: "ua-p&".to_owned()
        })
    );
    assert!(!vf_interface("p", mac, "ua-p", "ua-v", None, "").contains("vlan"));
    let place = "<address type='pci'/>";
    assert!(vf_interface("p", mac, "ua-p", "ua-v", None, place).contains(place));
}

#[test]
fn networks_are_written_for_libvirt() {
    assert_eq!(
        hostdev_network("a<b", PoolOf::Pf("ens1'")),
        "<network><name>a&lt;b</name><forward mode='hostdev' managed='yes'>\
         <pf dev='ens1&apos;'/></forward></network>"
    );
    let vfs = [
        "10000:e1:1f.7".parse().unwrap(),
        "0000:06:10.2".parse().unwrap(),
    ];
    assert_eq!(
        hostdev_network("pool", PoolOf::Vfs(&vfs)),
        "<network><name>pool</name><forward mode='hostdev' managed='yes'>\
         <address type='pci' domain='0x10000' bus='0xe1' slot='0x1f' function='0x7'/>\
         <address type='pci' domain='0x0000' bus='0x06' slot='0x10' function='0x2'/>\
         </forward></network>"
    );
    assert_eq!(
        bridge_network("lan", "br0"),
        "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>"
    );
}
