//! Ports of bridges, in answers built as the kernel builds them.

use accelnet_model::switch::PortVlan;

use super::*;

fn message(index: u32, name: &str, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut body = Writer::new(&ifinfo(index));
    body.text(IFLA_IFNAME, name).words(IFLA_MTU, &[1500]);
    fill(&mut body);
    let message = Message {
        kind: RTM_NEWLINK,
        flags: 0,
        sequence: 1,
        body: &body.finish(),
    };
    message.encode()
}

fn vlan(writer: &mut Writer, flags: u16, id: u16) {
    let bytes = [flags.to_ne_bytes(), id.to_ne_bytes()].concat();
    writer.bytes(IFLA_BRIDGE_VLAN_INFO, &bytes);
}

/// Bridge `br0` with number 3.
fn bridge(fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    message(3, "br0", |body| {
        body.nest(IFLA_LINKINFO, |info| {
            info.text(IFLA_INFO_KIND, "bridge")
                .nest(IFLA_INFO_DATA, fill);
        });
    })
}

#[test]
fn ports_of_one_bridge_are_read_with_their_vlans() {
    let links = bridge(|data| {
        data.bytes(IFLA_BR_VLAN_FILTERING, &[1])
            .bytes(IFLA_BR_VLAN_PROTOCOL, &ETH_P_8021AD.to_be_bytes())
            .bytes(IFLA_BR_VLAN_DEFAULT_PVID, &7_u16.to_ne_bytes());
    });
    let own = message(3, "br0", |body| {
        body.words(IFLA_MASTER, &[3]);
    });
    let port = message(5, "vnet1", |body| {
        body.words(IFLA_MASTER, &[3])
            .flagged_nest(IFLA_PROTINFO, |port| {
                port.bytes(IFLA_BRPORT_ISOLATED, &[1])
                    .bytes(IFLA_BRPORT_LOCKED, &[0])
                    .bytes(IFLA_BRPORT_LEARNING, &[0])
                    .bytes(IFLA_BRPORT_UNICAST_FLOOD, &[1]);
            })
            .nest(IFLA_AF_SPEC, |spec| {
                vlan(spec, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, 7);
                vlan(spec, 0, 42);
            });
    });
    let elsewhere = message(6, "vnet2", |body| {
        body.words(IFLA_MASTER, &[4]);
    });
    // What the driver of an adapter reports about its own switch stands beside what the bridge reports.
    let embedded = message(7, "ens1", |body| {
        body.words(IFLA_MASTER, &[3]).nest(IFLA_AF_SPEC, |spec| {
            spec.bytes(IFLA_BRIDGE_FLAGS, &BRIDGE_FLAGS_SELF.to_ne_bytes());
        });
    });
    let ports = [own, port, elsewhere, embedded].concat();
    let rules = port_rules(&links, &ports, "br0")
        .expect("read")
        .expect("there");
    assert!(rules.vlan_filtering && rules.service_tags);
    assert_eq!((rules.default_pvid, rules.mtu), (Some(7), 1500));
    let [port] = &rules.ports[..] else {
        panic!("{rules:?}");
    };
    assert_eq!(port.name, "vnet1");
    assert!(port.isolated && !port.locked);
    assert!(port.learning_off && !port.flood_off);
    let of = |id, own| PortVlan {
        id,
        pvid: own,
        untagged: own,
    };
    assert_eq!(port.vlans, [of(7, true), of(42, false)]);
    assert_eq!(port_rules(&links, &ports, "br1"), Ok(None));
}

#[test]
fn a_port_that_makes_no_sense_is_refused() {
    let links = bridge(|_| {});
    let port = message(5, "vnet1", |body| {
        body.words(IFLA_MASTER, &[3]).nest(IFLA_AF_SPEC, |spec| {
            spec.bytes(IFLA_BRIDGE_VLAN_INFO, &[1, 2, 3]);
        });
    });
    assert!(port_rules(&links, &port, "br0").is_err());
    let plain = port_rules(&links, &[], "br0")
        .expect("read")
        .expect("there");
    assert_eq!((plain.vlan_filtering, plain.default_pvid), (false, None));
}
