//! Against the running kernel. Tests that need root print a note when they are skipped.

#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use accelnet_netlink::{
    VfChange, channels, driver_info, eswitch_mode, links, links_in, set_vf, vf_settings,
};
use support::{Namespace, root};

#[test]
fn the_loopback_is_there() {
    let links = links().unwrap();
    let lo = links.iter().find(|link| link.name == "lo").unwrap();
    assert_eq!((lo.index, lo.mtu), (1, 65536));
    assert_eq!(lo.parent, None);
    assert!(links.iter().all(|link| link.vf_count.is_none()));
}

#[test]
fn the_loopback_has_no_vfs() {
    assert_eq!(vf_settings(1), Ok(Vec::new()));
}

#[test]
fn a_link_that_is_not_there_is_named() {
    let error = vf_settings(i32::MAX as u32).unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the VF settings of link 2147483647: no such device (ENODEV)"
    );
}

#[test]
fn a_change_that_cannot_be_is_refused_with_its_name() {
    let error = set_vf(1, 0, VfChange::Trust(true)).unwrap_err();
    let name = if root() { "EOPNOTSUPP" } else { "EPERM" };
    assert!(error.to_string().contains(name), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("switch trust on of VF 0 on link 1: "),
        "{error}"
    );
}

#[test]
fn devlink_knows_no_adapter_that_is_not_there() {
    let address = "ffff:ff:1f.7".parse().unwrap();
    match eswitch_mode(address) {
        Ok(mode) => assert_eq!(mode, None),
        Err(error) => assert_eq!(error.errno(), Some(libc::EPERM), "{error}"),
    }
}

#[test]
fn drivers_are_asked_by_ethtool() {
    for link in links().unwrap().iter().filter(|link| link.name != "lo") {
        println!("{}: {:?}", link.name, driver_info(&link.name));
        println!("{}: {:?}", link.name, channels(&link.name));
        if let Ok(info) = driver_info(&link.name) {
            assert_ne!(info.driver, "", "{}", link.name);
        }
    }
}

#[test]
fn links_of_another_namespace_are_read_from_outside() {
    let Some(namespace) = Namespace::new("links") else {
        return;
    };
    let here = links().unwrap();
    namespace.ip("link add veth0 type veth peer name veth1");
    namespace.ip("link add br0 type bridge");
    namespace.ip("link set veth0 master br0 mtu 1400 address 52:54:00:00:00:07 up");
    namespace.ip("link property add dev veth0 altname a-name-longer-than-15-bytes");
    let there = links_in(&namespace.file()).unwrap();
    let veth0 = there.iter().find(|link| link.name == "veth0").unwrap();
    assert_eq!(veth0.kind.as_deref(), Some("veth"));
    assert_eq!(veth0.master.as_deref(), Some("br0"));
    assert_eq!(veth0.mtu, 1400);
    assert_eq!(veth0.mac, "52:54:00:00:00:07".parse().ok());
    assert_eq!(veth0.alt_names, ["a-name-longer-than-15-bytes"]);
    assert!(veth0.up && !veth0.carrier, "its peer is down");
    let names = |links: &[_]| -> Vec<String> {
        links
            .iter()
            .map(|link: &accelnet_model::link::Link| link.name.clone())
            .collect()
    };
    assert!(!names(&here).contains(&"br0".to_owned()));
    assert_eq!(
        names(&links().unwrap()),
        names(&here),
        "we stayed where we are"
    );
}

#[test]
fn many_links_take_several_datagrams() {
    let Some(namespace) = Namespace::new("many") else {
        return;
    };
    for number in 0..60 {
        namespace.ip(&format!("link add v{number} type veth peer name w{number}"));
    }
    let there = links_in(&namespace.file()).unwrap();
    let ours = there
        .iter()
        .filter(|link| link.kind.as_deref() == Some("veth"));
    assert_eq!(ours.count(), 120);
}

#[test]
fn a_namespace_that_is_none_is_refused() {
    let missing = links_in("/run/netns/accelnet-none".as_ref()).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "read the links of /run/netns/accelnet-none: open: no such file or directory"
    );
    let error = links_in("/dev/null".as_ref()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "read the links of /dev/null: setns: invalid argument"
    );
}
