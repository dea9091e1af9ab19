//! What bridges learn, as the kernel lists and reports it.

use std::process::Command;
use std::time::Duration;

use accelnet_model::Mac;
use accelnet_netlink::{
    FdbEntry, FdbEvent, FdbKind, FdbMonitor, FdbWatch, LinkChange, create_bridge, fdb, link,
    set_link,
};

use crate::support::Namespace;
use crate::{new_bridge, pair};

const GUEST: Mac = Mac([0x52, 0x54, 0, 0xaa, 0, 1]);
const OUTSIDE: Mac = Mac([0x52, 0x54, 0, 0xbb, 0, 1]);

/// A bridge with an uplink and a port: their indexes.
fn bridge(namespace: &Namespace) -> (u32, u32, u32) {
    namespace.ip("link add port0 type veth peer name guest0");
    namespace.ip("link set port0 up");
    // Without a link-local address guest0 sends nothing that the bridge could learn.
    namespace.ip("link set guest0 addrgenmode none");
    namespace.ip("link set guest0 up");
    namespace.inside(|| {
        create_bridge(&new_bridge("br0")).expect("made");
        set_link("br0", &LinkChange::Up).expect("up");
        for port in ["up0", "port0"] {
            set_link(port, &LinkChange::PortOf("br0".to_owned())).expect("free");
        }
        let index = |name: &str| link(name).expect("there").index;
        (index("br0"), index("up0"), index("port0"))
    })
}

/// Runs `bridge fdb` with these arguments.
fn change(namespace: &Namespace, arguments: &str) {
    let status = Command::new("bridge")
        .args(["-n", namespace.name(), "fdb"])
        .args(arguments.split(' '))
        .status();
    assert!(status.expect("iproute2").success(), "{arguments}");
}

fn learned(link: u32, bridge: u32, mac: Mac) -> FdbEntry {
    FdbEntry {
        link,
        bridge: Some(bridge),
        mac,
        vlan: 0,
        kind: FdbKind::Learned,
    }
}

fn next(namespace: &Namespace, monitor: &mut FdbMonitor) -> Option<FdbEvent> {
    namespace.inside(|| {
        let next = monitor.next(Duration::from_millis(300));
        next.expect("the socket stands")
    })
}

#[test]
fn what_a_bridge_learns_is_listed() {
    let Some(namespace) = pair("fdb") else {
        return;
    };
    let (bridge, up, port) = bridge(&namespace);
    change(&namespace, &format!("add {GUEST} dev port0 master dynamic"));
    change(&namespace, &format!("add {OUTSIDE} dev up0 master dynamic"));
    let all = namespace.inside(|| fdb().expect("entries"));
    assert!(all.contains(&learned(port, bridge, GUEST)), "{all:?}");
    assert!(all.contains(&learned(up, bridge, OUTSIDE)), "{all:?}");
    let local = all.iter().filter(|entry| entry.kind == FdbKind::Local);
    assert!(local.count() >= 2, "the ports' own: {all:?}");
}

#[test]
fn the_kernel_reports_what_is_watched_and_nothing_else() {
    let Some(namespace) = pair("fdb-told") else {
        return;
    };
    let (bridge, up, port) = bridge(&namespace);
    let mut monitor = namespace.inside(|| FdbMonitor::open().expect("no rights needed"));
    let watched = monitor.watched().expect("a descriptor");
    let add = |mac: Mac, port: &str| {
        change(
            &namespace,
            &format!("replace {mac} dev {port} master dynamic"),
        );
    };
    add(GUEST, "port0");
    assert_eq!(next(&namespace, &mut monitor), None, "nothing is watched");
    let watch = FdbWatch {
        bridges: vec![7777, bridge],
        outside: vec![8888, up],
        macs: (0..512)
            .map(|n: u16| Mac([2, 0, 0, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]]))
            .chain([GUEST])
            .collect(),
    };
    watched.set(&watch).expect("a program");
    // A MAC outside, neighbours, and the filter of a link.
    add(OUTSIDE, "up0");
    namespace.ip("addr add 192.0.2.4/24 dev br0");
    namespace.ip("neigh add 192.0.2.9 lladdr 52:54:00:cc:00:01 dev br0");
    change(&namespace, &format!("add {OUTSIDE} dev up0 self"));
    assert_eq!(next(&namespace, &mut monitor), None);
    // Behind a port, each; a watched one that moves outside; one that goes.
    add(OUTSIDE, "port0");
    let here = FdbEvent::Here(learned(port, bridge, OUTSIDE));
    assert_eq!(next(&namespace, &mut monitor), Some(here));
    add(GUEST, "up0");
    let here = FdbEvent::Here(learned(up, bridge, GUEST));
    assert_eq!(next(&namespace, &mut monitor), Some(here));
    change(&namespace, &format!("del {OUTSIDE} dev port0 master"));
    let gone = FdbEvent::Gone(learned(port, bridge, OUTSIDE));
    assert_eq!(next(&namespace, &mut monitor), Some(gone));
    // Another bridge is none of ours.
    let other = FdbWatch {
        bridges: vec![7777],
        ..watch
    };
    watched.set(&other).expect("a program");
    add(OUTSIDE, "port0");
    assert_eq!(next(&namespace, &mut monitor), None);
}
