//! When the next look at a lease is due.

use accelnet_model::intent::Role;
use accelnet_model::switch::{Bridge, Carried, Keeper, Program, Renewal, Uplink};

use super::*;

const NOW: &str = "2026-01-02T03:04:05Z";

fn intent() -> Intent {
    Intent {
        name: "lan".parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: Vec::new(),
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    }
}

/// A bridge that is leased an address for so many seconds more, which dhclient renews.
fn observation(seconds: u32) -> (NetworkState, Plan) {
    let address = Address {
        ip: IpAddr::from([192, 0, 2, 4]),
        prefix: 24,
        peer: None,
        broadcast: None,
        scope: 0,
        flags: accelnet_model::switch::AddressFlags(0),
        label: None,
        metric: 0,
        origin: 0,
        preferred: None,
        valid: Some(seconds),
    };
    let bridge = Bridge {
        name: "acn-lan".to_owned(),
        index: 9,
        mac: None,
        mtu: 1500,
        up: true,
        ports: Vec::new(),
        addresses: vec![address],
        spanning_tree: false,
        forward_delay_ms: 0,
        vlan_filtering: false,
    };
    let dhclient = Keeper {
        program: Program::DhcpClient {
            name: "dhclient".to_owned(),
            process: 812,
        },
        files: Vec::new(),
        leases: true,
        as_port: false,
        cloud_init: false,
    };
    let standing = NetworkState {
        bridges: vec![bridge],
        renewals: vec![Renewal {
            link: "acn-lan".to_owned(),
            keepers: vec![dhclient],
            advertisements: false,
        }],
        ..NetworkState::default()
    };
    let plan = Plan {
        bridge: "acn-lan".to_owned(),
        uplink: "eth0".to_owned(),
        steps: Vec::new(),
        undo: Vec::new(),
        gateways: Vec::new(),
        why: String::new(),
        warnings: Vec::new(),
    };
    (standing, plan)
}

#[test]
fn a_look_is_due_when_an_eighth_is_left_once_and_again_after_a_renewal() {
    let mut network = HostNetwork::default();
    let second = Duration::from_secs;
    let look = |network: &mut HostNetwork, now: u64, left: u32| {
        let (mut standing, plan) = observation(left);
        network.note(&mut standing, second(now), second(now), NOW);
        network.judge(&intent(), &plan, &standing, second(now));
        network.next_due()
    };
    assert_eq!(network.next_due(), None);
    assert_eq!(look(&mut network, 1000, 800), Some(second(1700)));
    // Looked at for another reason, and by a kernel that counts in whole seconds.
    assert_eq!(look(&mut network, 1100, 701), Some(second(1700)));
    assert_eq!(network.problems(second(1699)), []);
    network.recheck(second(1700));
    assert_eq!(network.next_due(), None, "it is not waited for again");
    let found = network.problems(second(1700));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&*found[0].0, found[0].1), ("lan", false));
    // It is renewed after all, for longer.
    assert_eq!(look(&mut network, 1750, 1600), Some(second(3150)));
    assert_eq!(network.problems(second(1750)), []);
    network.forget("lan");
    assert_eq!(network.next_due(), None);
}

#[test]
fn a_slow_look_is_no_renewal() {
    let mut network = HostNetwork::default();
    let second = Duration::from_secs;
    let look = |network: &mut HostNetwork, begun: u64, now: u64, left: u32| {
        let (mut standing, plan) = observation(left);
        network.note(&mut standing, second(begun), second(now), NOW);
        network.judge(&intent(), &plan, &standing, second(now));
        network.next_due()
    };
    assert_eq!(look(&mut network, 1000, 1000, 800), Some(second(1700)));
    assert_eq!(look(&mut network, 1010, 1030, 790), Some(second(1700)));
    assert_eq!(look(&mut network, 1040, 1040, 760), Some(second(1700)));
    // The first look was a slow one: a later one knows better when the lease ends.
    network.forget("lan");
    assert_eq!(look(&mut network, 1000, 1020, 800), Some(second(1720)));
    assert_eq!(look(&mut network, 1030, 1030, 770), Some(second(1700)));
}

#[test]
fn a_slow_move_to_the_bridge_is_no_renewal() {
    let mut network = HostNetwork::default();
    let second = Duration::from_secs;
    let (mut standing, _) = observation(800);
    let carried = Carried {
        addresses: std::mem::take(&mut standing.bridges[0].addresses),
        ..Carried::default()
    };
    standing.uplinks = vec![Uplink {
        name: "eth0".to_owned(),
        carried,
        keepers: Vec::new(),
    }];
    network.note(&mut standing, second(1000), second(1000), NOW);
    let before = standing.expiries;
    // The bridge got the address 20 s later, with as much time.
    let later = "2026-01-02T03:04:25Z";
    for _ in 0..2 {
        let (mut standing, plan) = observation(800);
        standing.renewals.clear();
        network.note(&mut standing, second(1020), second(1020), later);
        assert_eq!(standing.expiries, before);
        network.judge(&intent(), &plan, &standing, second(1020));
        assert_eq!(network.problems(second(1020)).len(), 1);
    }
}
