use accelnet_model::port::{Bandwidth, PortSettings, VnicVlan};

use super::super::{Definition, network};

fn port(children: &str) -> PortSettings {
    let domain = format!(
        "<domain><devices><interface type='network'><source network='lan'/>{children}\
         </interface></devices></domain>"
    );
    let mut vnics = Definition::parse(&domain).unwrap().vnics;
    vnics.remove(0).port
}

#[test]
fn each_setting_of_a_vnic_is_read() {
    assert_eq!(port(""), PortSettings::default());
    let filter =
        port("<filterref filter='clean-traffic'><parameter name='IP' value='1'/></filterref>");
    assert_eq!(filter.filter.as_deref(), Some("clean-traffic"));
    assert!(port("<link state='down'/>").link_down);
    assert!(!port("<link state='up'/>").link_down);
    assert!(port("<port isolated='yes'/>").isolated);
    assert!(!port("<port isolated='no'/>").isolated);
    let switch = port("<virtualport type='openvswitch'/>");
    assert_eq!(switch.virtual_port.as_deref(), Some("openvswitch"));
    assert_eq!(port("<virtualport/>").virtual_port.as_deref(), Some(""));
    assert_eq!(port("<mtu size='9000'/>").mtu, Some(9000));
    let rates = port(
        "<bandwidth><inbound average='1000' peak='5000' burst='1024' floor='200'/>\
         <outbound average='128'/></bandwidth>",
    );
    let inbound = Bandwidth {
        average: Some(1000),
        peak: Some(5000),
        burst: Some(1024),
        floor: Some(200),
    };
    assert_eq!(rates.inbound, Some(inbound));
    assert_eq!(rates.outbound.unwrap().average, Some(128));
    let floor = port("<bandwidth><inbound floor='200'/></bandwidth>");
    assert_eq!(floor.inbound.unwrap().average, None);
}

#[test]
fn a_running_vnic_shows_what_its_port_came_to() {
    let domain = "<domain><devices><interface type='network' trustGuestRxFilters='yes'>\
         <source network='lan'/>\
         <actual type='bridge'><source bridge='br0'/><port isolated='yes'/>\
         <bandwidth><outbound average='7'/></bandwidth></actual></interface></devices></domain>";
    let port = Definition::parse(domain).unwrap().vnics.remove(0).port;
    assert!(port.isolated && port.trust_guest_rx_filters);
    assert_eq!(port.outbound.unwrap().average, Some(7));
}

#[test]
fn a_network_gives_its_vnics_settings() {
    let facts = network(
        "<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/><mtu size='9000'/>\
         <port isolated='yes'/><vlan><tag id='7'/></vlan>\
         <portgroup name='plain'/>\
         <portgroup name='fast' default='yes'><vlan trunk='yes'><tag id='42' nativeMode='untagged'/>\
         <tag id='47'/></vlan><bandwidth><inbound average='5'/></bandwidth>\
         <virtualport type='802.1Qbh'/></portgroup></network>",
    );
    let settings = facts.unwrap().settings;
    assert!(!settings.libvirt_keeps_macs);
    let fixed = network("<network><bridge name='br0' macTableManager='libvirt'/></network>");
    assert!(fixed.unwrap().settings.libvirt_keeps_macs);
    let seven = VnicVlan {
        trunk: false,
        tags: vec![7],
        native: false,
    };
    assert_eq!(settings.vlan, Some(seven));
    assert!(settings.port.isolated);
    assert_eq!(settings.port.mtu, Some(9000));
    let group = settings.group(None).unwrap();
    assert_eq!(group.name, "fast");
    let trunk = VnicVlan {
        trunk: true,
        tags: vec![42, 47],
        native: true,
    };
    assert_eq!(group.vlan, Some(trunk));
    assert_eq!(group.port.inbound.unwrap().average, Some(5));
    assert_eq!(group.port.virtual_port.as_deref(), Some("802.1Qbh"));
    assert_eq!(settings.group(Some("plain")).unwrap().vlan, None);
    assert_eq!(settings.group(Some("gone")), None);
}
