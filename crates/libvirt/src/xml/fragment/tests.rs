use super::*;
use crate::xml::{DomainXml, Part};

const RUNNING: &str = include_str!("../running.xml");

fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

fn nic(text: &str) -> InterfaceXml<'_> {
    InterfaceXml::parse(text).unwrap()
}

fn interface_fragment(domain: &str, mac: Mac, part: Part) -> Option<&str> {
    let found = DomainXml::parse(domain).ok()?.interface(mac, part)?;
    Some(found.as_str())
}

fn with_stand_ins(
    domain: &str,
    network_for: impl FnMut(&Vnic) -> Option<String>,
) -> Option<String> {
    DomainXml::parse(domain)
        .unwrap()
        .with_stand_ins(network_for)
}

/// As libvirt writes one in a definition.
const PLAIN: &str = "<interface type='network'>
      <mac address='52:54:00:0d:00:01'/>
      <source network='lan'/>
      <model type='virtio'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>";

#[test]
fn interfaces_that_share_a_mac_are_distinguished() {
    let shared = mac("52:54:00:11:22:33");
    let path = interface_fragment(RUNNING, shared, Part::Persistent).unwrap();
    assert!(path.starts_with("<interface type='bridge'>\n"), "{path}");
    assert!(path.ends_with("    </interface>"), "{path}");
    assert!(path.contains("vnet4"), "{path}");
    let vf = interface_fragment(RUNNING, shared, Part::Transient).unwrap();
    assert!(vf.starts_with("<interface type='hostdev'"), "{vf}");
    let alone = mac("52:54:00:44:55:66");
    assert!(interface_fragment(RUNNING, alone, Part::Persistent).is_some());
    assert_eq!(interface_fragment(RUNNING, alone, Part::Transient), None);
    assert_eq!(
        interface_fragment(RUNNING, Mac::ZERO, Part::Persistent),
        None
    );
    assert_eq!(
        interface_fragment("<domain>", alone, Part::Persistent),
        None
    );
}

#[test]
fn a_vf_of_a_pool_is_known_before_it_is_chosen() {
    let definition = "<domain><devices>
        <interface type='network'><mac address='52:54:00:0d:00:01'/><source network='pool'/>
          <teaming type='transient' persistent='ua-a'/></interface>
        </devices></domain>";
    let mac = mac("52:54:00:0d:00:01");
    assert!(interface_fragment(definition, mac, Part::Transient).is_some());
    assert_eq!(interface_fragment(definition, mac, Part::Persistent), None);
}

#[test]
fn teaming_comes_and_goes_without_a_trace() {
    let alias = persistent_alias(mac("52:54:00:0d:00:01"));
    assert_eq!(alias, "ua-accelnet-path-5254000d0001");
    let teamed = nic(PLAIN).with_teaming(&alias);
    assert_eq!(
        teamed,
        PLAIN.replace(
            "\n    </interface>",
            "\n      <teaming type='persistent'/>\
             \n      <alias name='ua-accelnet-path-5254000d0001'/>\
             \n    </interface>"
        )
    );
    assert_eq!(nic(&teamed).with_teaming(&alias), teamed);
    assert_eq!(nic(&teamed).user_alias(), Some(alias));
    let alias = persistent_alias(mac("52:54:00:0d:00:01"));
    assert_eq!(nic(&teamed).without_teaming(false), PLAIN);
    assert_eq!(nic(PLAIN).without_teaming(false), PLAIN);
    let one_line: String = PLAIN.lines().map(str::trim).collect();
    assert_eq!(
        nic(&nic(&one_line).with_teaming(&alias)).without_teaming(false),
        one_line
    );
    // A pair that was there before keeps its part, and loses the alias that it was given.
    let theirs = PLAIN.replace("<model", "<teaming type='persistent'/><model");
    assert_eq!(
        nic(&nic(&theirs).with_teaming(&alias)).without_teaming(true),
        theirs
    );
}

#[test]
fn a_users_own_alias_and_pair_stay() {
    let named = PLAIN.replace("<model", "<alias name='ua-mine'/><model");
    let teamed = nic(&named).with_teaming("ua-accelnet-x");
    assert_eq!(nic(&teamed).user_alias().as_deref(), Some("ua-mine"));
    assert!(teamed.contains("<teaming type='persistent'/>"), "{teamed}");
    assert_eq!(nic(&teamed).without_teaming(false), named);
    // Even one that looks like those which are given.
    let alike = PLAIN.replace("<model", "<alias name='ua-accelnet-path-mine'/><model");
    let teamed = nic(&alike).with_teaming(&persistent_alias(mac("52:54:00:0d:00:01")));
    assert_eq!(nic(&teamed).without_teaming(false), alike);
    let theirs = named.replace("<model", "<teaming type='persistent'/><model");
    assert_eq!(nic(&theirs).with_teaming("ua-accelnet-x"), theirs);
}

#[test]
fn an_alias_of_libvirts_is_replaced() {
    let live = PLAIN.replace("<model", "<alias name='net0'/><model");
    let teamed = nic(&live).with_teaming("ua-<'x'>");
    assert!(
        teamed.contains("<alias name='ua-&lt;&apos;x&apos;&gt;'/><model"),
        "{teamed}"
    );
    assert!(!teamed.contains("net0"), "{teamed}");
    assert_eq!(nic(&teamed).user_alias().as_deref(), Some("ua-<'x'>"));
}

#[test]
fn what_has_no_children_stays_as_it_is() {
    for text in ["", "<interface"] {
        assert!(InterfaceXml::parse(text).is_err(), "{text}");
    }
    let text = "<interface type='user'/>";
    assert_eq!(nic(text).with_teaming("ua-accelnet-x"), text);
    assert_eq!(nic(text).without_teaming(false), text);
    assert_eq!(nic(text).without_generated(), text);
    assert_eq!(nic(text).without_place(), text);
}

#[test]
fn only_what_libvirt_made_up_goes_before_a_vnic_is_plugged_in_again() {
    let running = |source: &str, target: &str| {
        PLAIN.replace(
            "<source network='lan'/>",
            &format!("<source network='lan'{source}/>\n      {target}<mtu size='1400'/>"),
        )
    };
    let kept = running("", "");
    let port = " portid='0f1e2d3c-0000-4000-8000-000000000001'";
    for made_up in ["vnet4", "macvtap0", "macvlan12"] {
        let target = format!("<target dev='{made_up}'/>");
        assert_eq!(
            nic(&running(port, &target))
                .without_generated()
                .replace("\n      <mtu", "<mtu"),
            kept.replace("\n      <mtu", "<mtu")
        );
    }
    for chosen in [
        "<target dev='web01-lan'/>",
        "<target dev='tap0'/>",
        "<target dev='vnet4' managed='no'/>",
    ] {
        assert_eq!(
            nic(&running(port, chosen)).without_generated(),
            running("", chosen)
        );
    }
    let elsewhere = nic(&kept).without_place();
    let start = PLAIN.find("\n      <address").unwrap();
    let address = &PLAIN[start..PLAIN.find("\n    </interface").unwrap()];
    assert_eq!(elsewhere, kept.replace(address, ""));
    assert_eq!(
        nic(&kept).connected_to(),
        Some(("network".to_owned(), "lan".to_owned(), None))
    );
}

#[test]
fn a_vnic_stands_in_for_a_vf_where_it_may() {
    let before = "<domain><devices>
    <interface type='network'>
      <mac address='52:54:00:0d:00:01'/>
      <source network='lan'/>
      <model type='virtio'/>
      <teaming type='persistent'/>
      <alias name='ua-nic'/>
    </interface>
    <interface type='network'>
      <mac address='52:54:00:0d:00:01'/>
      <source network='pool'/>
      <model type='virtio'/>
      <teaming type='transient' persistent='ua-nic'/>
      <alias name='ua-vf'/>
      <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>
    </interface>
  </devices></domain>";
    let mut asked = Vec::new();
    let after = with_stand_ins(before, |vnic| {
        asked.push(vnic.source.clone());
        Some("lan".to_owned())
    });
    assert_eq!(asked, [Some("pool".to_owned())]);
    let wanted = before
        .replace(
            "<source network='pool'/>",
            "<source network='lan'/><link state='down'/>",
        )
        .replace(
            "\n      <teaming type='transient' persistent='ua-nic'/>",
            "",
        );
    assert_eq!(after.as_deref(), Some(wanted.as_str()));
    let wanted = DomainXml::parse(&wanted).unwrap();
    let alone = wanted.interface_called("ua-vf").unwrap().as_str();
    assert!(
        alone.contains("state='down'") && !alone.contains("teaming"),
        "{alone}"
    );
    // A VF is there, or it names no model.
    assert_eq!(with_stand_ins(before, |_| None), None);
    let plain = before.replacen(
        "<source network='pool'/>\n      <model type='virtio'/>",
        "<source network='pool'/>",
        1,
    );
    assert_eq!(with_stand_ins(&plain, |_| Some("lan".to_owned())), None);
}
