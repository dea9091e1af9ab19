//! Bridges, addresses, routes and neighbours on the running kernel, in network namespaces of
//! their own. Everything is done twice, since every step of a plan can be.

#[path = "switch/forwarding.rs"]
mod forwarding;
#[path = "switch/named.rs"]
mod named;
#[path = "switch/reported.rs"]
mod reported;
#[expect(dead_code, reason = "other tests need the rest")]
mod support;

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use accelnet_model::Mac;
use accelnet_model::switch::{Address, AddressFlags, Neighbour, Network, Route};
use accelnet_netlink::{
    FdbEntry, FdbKind, LinkChange, NeighbourState, NewBridge, Place, add_address, add_route,
    addresses, ask_neighbour, bridges, create_bridge, delete_bridge, fdb, fix_neighbour,
    forget_neighbour, learn, link, links, neighbours, port_rules, remove_address, remove_port,
    remove_route, routes, set_learning, set_link, stacked, take_in, unlearn,
};
use support::Namespace;

const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 7]);

fn new_bridge(name: &str) -> NewBridge {
    NewBridge {
        name: name.to_owned(),
        mac: Some(MAC),
        mtu: 1500,
        vlan_filtering: false,
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn address(text: &str, prefix: u8) -> Address {
    Address {
        ip: ip(text),
        prefix,
        peer: None,
        broadcast: None,
        scope: 0,
        flags: AddressFlags(AddressFlags::NO_DUPLICATE_CHECK),
        label: None,
        metric: 0,
        origin: 0,
        preferred: None,
        valid: None,
    }
}

fn route(to: &str, prefix: u8, via: Option<&str>) -> Route {
    Route {
        to: Network { ip: ip(to), prefix },
        from: None,
        via: via.map(ip),
        source: None,
        metric: 100,
        table: Route::MAIN,
        protocol: 4,
        scope: if via.is_some() { 0 } else { 253 },
        kind: 1,
        tos: 0,
        on_link: false,
        preference: None,
        expires: None,
        realm: None,
        metrics: Vec::new(),
        congestion: None,
        peculiar: None,
    }
}

/// A namespace with a veth pair `up0` and `far0`, both up.
fn pair(name: &str) -> Option<Namespace> {
    let namespace = Namespace::new(name)?;
    namespace.ip("link add name up0 mtu 1400 type veth peer name far0 mtu 1400");
    namespace.ip("link set up0 up");
    namespace.ip("link set far0 up");
    Some(namespace)
}

fn twice<E: std::fmt::Debug>(mut act: impl FnMut() -> Result<(), E>) {
    act().expect("the first time");
    act().expect("the second time");
}

#[test]
fn a_bridge_lives() {
    let Some(namespace) = pair("bridge") else {
        return;
    };
    namespace.inside(|| {
        assert_eq!(bridges(), Ok(Vec::new()));
        twice(|| create_bridge(&new_bridge("br0")));
        twice(|| set_link("br0", &LinkChange::Up));
        twice(|| set_link("up0", &LinkChange::PortOf("br0".to_owned())));
        twice(|| add_address("br0", &address("192.0.2.4", 24)));
        let seen = bridges().expect("bridges").pop().expect("one");
        assert_eq!(seen.name, "br0");
        assert_eq!(seen.mac, Some(MAC));
        assert_eq!(seen.mtu, 1400, "the port's");
        assert_eq!(seen.ports, ["up0"]);
        assert!(seen.up && !seen.spanning_tree && !seen.vlan_filtering);
        assert_eq!(seen.forward_delay_ms, 15_000);
        assert_eq!(seen.addresses[0].to_string(), "192.0.2.4/24");
        assert_eq!(seen.addresses[0].label, None);
        twice(|| set_link("br0", &LinkChange::Mtu(1300)));
        twice(|| set_link("br0", &LinkChange::Mac(Mac([0x52, 0x54, 0, 0, 0, 8]))));
        let changed = link("br0").expect("there");
        assert_eq!(
            (changed.mtu, changed.mac.map(|mac| mac.0[5])),
            (1300, Some(8))
        );
        twice(|| remove_port("br0", "up0"));
        assert_eq!(link("up0").expect("there").master, None);
        twice(|| set_link("br0", &LinkChange::Down));
        assert!(!link("br0").expect("there").up);
        twice(|| delete_bridge("br0"));
        assert_eq!(bridges(), Ok(Vec::new()));
        remove_port("br0", "none").expect("nothing to do");
    });
}

#[test]
fn a_port_is_not_taken_from_another_bridge() {
    let Some(namespace) = pair("taken") else {
        return;
    };
    namespace.inside(|| {
        for name in ["br0", "br1"] {
            create_bridge(&new_bridge(name)).expect("made");
        }
        set_link("up0", &LinkChange::PortOf("br0".to_owned())).expect("free");
        let refused = set_link("up0", &LinkChange::PortOf("br1".to_owned())).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "change up0: make it a port of br1: it is a port of br0 (EBUSY)"
        );
        remove_port("br1", "up0").expect("it is not in it");
        let up0 = links()
            .expect("links")
            .into_iter()
            .find(|l| l.name == "up0");
        assert_eq!(up0.expect("there").master.as_deref(), Some("br0"));
    });
}

#[test]
fn a_name_that_is_taken_is_refused_in_the_kernels_words() {
    let Some(namespace) = pair("name") else {
        return;
    };
    namespace.inside(|| {
        let refused = create_bridge(&new_bridge("up0")).unwrap_err();
        assert_eq!(refused.errno(), Some(libc::EEXIST), "{refused}");
        let refused = delete_bridge("up0").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "delete bridge up0: it is no bridge (EOPNOTSUPP)"
        );
        let missing = set_link("none", &LinkChange::Up).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "find link none: no such device (ENODEV)"
        );
        create_bridge(&new_bridge("br0")).expect("made");
        let refused = set_link("br0", &LinkChange::Mtu(70_000)).unwrap_err();
        println!("{refused}");
        assert!(refused.to_string().contains("mtu"), "{refused}");
    });
}

#[test]
fn what_stands_on_a_link_is_reported() {
    let Some(namespace) = pair("stacked") else {
        return;
    };
    namespace.ip("link add link up0 name mv0 type macvlan");
    namespace.inside(|| {
        let on_top = stacked("up0").expect("links");
        assert_eq!(on_top.len(), 1, "{on_top:?}");
        assert_eq!((&*on_top[0].name, &*on_top[0].kind), ("mv0", "macvlan"));
        assert_eq!(stacked("far0"), Ok(Vec::new()), "the pair's other end");
    });
}

#[test]
fn addresses_keep_what_they_are() {
    let Some(namespace) = pair("addresses") else {
        return;
    };
    let mut labelled = address("192.0.2.4", 24);
    labelled.label = Some("up0:mgmt".to_owned());
    labelled.broadcast = "192.0.2.255".parse().ok();
    labelled.metric = 50;
    labelled.flags = AddressFlags(AddressFlags::NO_PREFIX_ROUTE);
    let mut leased = address("2001:db8::4", 64);
    leased.valid = Some(3600);
    leased.preferred = Some(1800);
    let mut pointed = address("198.51.100.1", 32);
    pointed.peer = Some(ip("198.51.100.2"));
    namespace.inside(|| {
        for wanted in [&labelled, &leased, &pointed] {
            twice(|| add_address("up0", wanted));
        }
        let seen = addresses("up0").expect("addresses");
        let find = |text: &str| seen.iter().find(|a| a.ip == ip(text)).expect("there");
        let found = find("192.0.2.4");
        assert!(found.is(&labelled));
        assert_eq!(found.label, labelled.label);
        assert_eq!(found.broadcast, labelled.broadcast);
        assert_eq!(found.metric, 50);
        assert!(found.flags.has(AddressFlags::NO_PREFIX_ROUTE));
        assert_eq!((found.valid, found.preferred), (None, None));
        let found = find("2001:db8::4");
        assert!(!found.flags.has(AddressFlags::TENTATIVE), "{found:?}");
        assert!(matches!(found.valid, Some(3590..=3600)), "{found:?}");
        assert!(matches!(found.preferred, Some(1790..=1800)), "{found:?}");
        assert_eq!(find("198.51.100.1").peer, pointed.peer);
        assert!(seen.iter().any(Address::is_link_local));
        for wanted in [&labelled, &leased, &pointed] {
            twice(|| remove_address("up0", wanted));
        }
        let left = addresses("up0").expect("addresses");
        assert!(left.iter().all(Address::is_link_local), "{left:?}");
    });
}

#[test]
fn routes_keep_what_they_are() {
    let Some(namespace) = pair("routes") else {
        return;
    };
    let mut default4 = route("0.0.0.0", 0, Some("192.0.2.1"));
    default4.source = Some(ip("192.0.2.4"));
    default4.metrics = vec![accelnet_model::switch::RouteMetric {
        kind: 2,
        value: 1300,
    }];
    let mut by_policy = route("203.0.113.0", 24, Some("198.51.100.9"));
    by_policy.table = 1000;
    by_policy.on_link = true;
    let over6 = route("203.0.113.0", 24, Some("fe80::9"));
    let mut default6 = route("::", 0, Some("fe80::1"));
    default6.protocol = 9;
    default6.metric = 1024;
    default6.preference = Some(1);
    default6.expires = Some(1700);
    let net6 = route("2001:db8:7::", 48, None);
    namespace.inside(|| {
        add_address("up0", &address("192.0.2.4", 24)).expect("given");
        add_address("up0", &address("2001:db8::4", 64)).expect("given");
        for wanted in [&default4, &by_policy, &over6, &default6, &net6] {
            twice(|| add_route("up0", wanted, Place::Behind));
            let seen = routes("up0").expect("routes");
            let found = seen.iter().find(|found| found.is(wanted));
            let found = found.unwrap_or_else(|| panic!("{wanted} in {seen:?}"));
            assert_eq!(found.protocol, wanted.protocol, "{wanted}");
            assert_eq!(found.source, wanted.source, "{wanted}");
            assert_eq!(found.on_link, wanted.on_link, "{wanted}");
            assert_eq!(found.metrics, wanted.metrics, "{wanted}");
            match wanted.expires {
                Some(_) => assert!(matches!(found.expires, Some(1690..=1700)), "{found:?}"),
                None => assert_eq!(found.expires, None, "{wanted}"),
            }
        }
        // The same again by another link goes behind, and is distinguished.
        add_address("far0", &address("192.0.2.5", 24)).expect("given");
        let mut other = default4.clone();
        other.source = None;
        twice(|| add_route("far0", &other, Place::Behind));
        twice(|| remove_route("far0", &other));
        for wanted in [&net6, &default6, &over6, &by_policy, &default4] {
            assert!(routes("up0").expect("routes").iter().any(|r| r.is(wanted)));
            twice(|| remove_route("up0", wanted));
            assert!(!routes("up0").expect("routes").iter().any(|r| r.is(wanted)));
        }
    });
}

#[test]
fn a_route_takes_the_place_of_another() {
    let Some(namespace) = pair("instead") else {
        return;
    };
    namespace.inside(|| {
        add_address("up0", &address("192.0.2.4", 24)).expect("given");
        let before = route("0.0.0.0", 0, Some("192.0.2.1"));
        let after = route("0.0.0.0", 0, Some("192.0.2.2"));
        add_route("up0", &before, Place::Instead).expect("added");
        twice(|| add_route("up0", &after, Place::Instead));
        let seen = routes("up0").expect("routes");
        assert!(seen.iter().any(|found| found.is(&after)));
        assert!(!seen.iter().any(|found| found.is(&before)));
    });
}

#[test]
fn what_cannot_be_written_again_is_reported_and_refused() {
    let Some(namespace) = pair("peculiar") else {
        return;
    };
    namespace.ip("addr add 192.0.2.4/24 dev up0");
    namespace.ip("addr add 198.51.100.4/24 dev far0");
    namespace.ip(
        "route add 203.0.113.0/24 nexthop via 198.51.100.1 dev far0 nexthop via 192.0.2.1 dev up0",
    );
    namespace.ip("nexthop add id 7 via 192.0.2.1 dev up0");
    namespace.ip("route add 203.0.114.0/24 nhid 7");
    namespace.inside(|| {
        let seen = routes("up0").expect("routes");
        let peculiar = |text: &str| {
            let found = seen.iter().find(|route| route.to.ip == ip(text));
            found.expect("there").clone()
        };
        let several = peculiar("203.0.113.0");
        assert_eq!(several.peculiar.as_deref(), Some("several next hops"));
        let object = peculiar("203.0.114.0");
        assert_eq!(object.peculiar.as_deref(), Some("next hop object 7"));
        let refused = add_route("up0", &several, Place::Behind).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "add route 203.0.113.0/24 dev up0: it has several next hops (EOPNOTSUPP)"
        );
    });
}

#[test]
fn neighbours_are_asked_fixed_and_forgotten() {
    let (Some(here), Some(there)) = (Namespace::new("ask"), Namespace::new("answer")) else {
        return;
    };
    let far = there.name();
    here.ip(&format!(
        "link add name up0 type veth peer name far0 netns {far}"
    ));
    here.ip("link set up0 up");
    there.ip("link set far0 up");
    here.ip("addr add 192.0.2.4/24 dev up0");
    there.ip("addr add 192.0.2.1/24 dev far0");
    here.ip("addr add 2001:db8::4/64 dev up0 nodad");
    there.ip("addr add 2001:db8::1/64 dev far0 nodad");
    here.inside(|| {
        for answering in ["192.0.2.1", "2001:db8::1"].map(ip) {
            for _ in 0..2 {
                ask_neighbour("up0", answering).expect("asked");
                assert_eq!(
                    final_state(answering),
                    NeighbourState::Reachable,
                    "{answering}"
                );
            }
        }
        let silent = ip("192.0.2.99");
        ask_neighbour("up0", silent).expect("asked");
        assert_eq!(final_state(silent), NeighbourState::Failed);
        let neighbour = Neighbour {
            ip: silent,
            mac: MAC,
        };
        twice(|| fix_neighbour("up0", neighbour));
        let entry = entry(silent).expect("fixed");
        assert_eq!(
            (entry.mac, entry.state),
            (Some(MAC), NeighbourState::Permanent)
        );
        ask_neighbour("up0", silent).expect("left alone");
        assert_eq!(final_state(silent), NeighbourState::Permanent);
        twice(|| forget_neighbour("up0", silent));
    });
}

#[test]
fn a_link_takes_in_what_is_sent_to_another() {
    let Some(namespace) = pair("filter") else {
        return;
    };
    let index = namespace.inside(|| link("up0").expect("a link").index);
    let listed = |on: bool| {
        let change = || namespace.inside(|| take_in(index, MAC, on).expect("done"));
        assert!(change());
        assert!(!change(), "it was so already");
        let entry = FdbEntry {
            link: index,
            bridge: None,
            mac: MAC,
            vlan: 0,
            kind: FdbKind::Filter,
        };
        let all = namespace.inside(|| fdb().expect("entries"));
        assert_eq!(all.contains(&entry), on, "{all:?}");
        let shown = Command::new("bridge")
            .args(["-n", namespace.name(), "fdb", "show", "dev", "up0"])
            .output()
            .expect("iproute2");
        let shown = String::from_utf8_lossy(&shown.stdout);
        assert_eq!(shown.contains(&format!("{MAC} self")), on, "{shown}");
    };
    listed(true);
    listed(false);
    let missing = namespace
        .inside(|| take_in(9999, MAC, true))
        .expect_err("no such link");
    assert_eq!(missing.errno(), Some(19), "{missing}");
}

#[test]
fn a_bridge_can_be_set_to_learn() {
    let Some(namespace) = pair("learning") else {
        return;
    };
    namespace.inside(|| {
        create_bridge(&new_bridge("br0")).expect("made");
        set_link("up0", &LinkChange::PortOf("br0".to_owned())).expect("free");
    });
    namespace.ip("link set br0 up");
    namespace.inside(|| {
        let port = link("up0").expect("a link").index;
        let learned = || {
            let all = fdb().expect("entries");
            let learned = |one: &&FdbEntry| one.kind == FdbKind::Learned && one.mac == MAC;
            all.iter().find(learned).map(|one| one.link)
        };
        assert_eq!(unlearn(port, MAC, 0).expect_err("unknown").errno(), Some(2));
        twice(|| learn(port, MAC, 0));
        assert_eq!(learned(), Some(port));
        unlearn(port, MAC, 0).expect("forgotten");
        assert_eq!(learned(), None);
        for on in [false, true] {
            twice(|| set_learning(port, on));
            let rules = port_rules("br0").expect("read").expect("a bridge");
            let up = rules.port("up0").expect("a port");
            assert!(up.learning_off != on && !up.flood_off, "{up:?}");
        }
        assert_eq!(
            set_learning(9999, true).expect_err("no link").errno(),
            Some(19)
        );
    });
}

fn entry(ip: IpAddr) -> Option<accelnet_netlink::NeighbourEntry> {
    let all = neighbours("up0").expect("neighbours");
    all.into_iter().find(|entry| entry.ip == ip)
}

/// The state of a neighbour once the kernel has its answer, or none.
#[expect(
    clippy::disallowed_methods,
    reason = "a test that waits for the kernel"
)]
fn final_state(ip: IpAddr) -> NeighbourState {
    for _ in 0..100 {
        match entry(ip).map(|entry| entry.state) {
            None | Some(NeighbourState::Incomplete | NeighbourState::Probe) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Some(state) => return state,
        }
    }
    panic!("{ip} stays undecided");
}

#[test]
fn what_a_bridge_lets_through_its_ports_is_read() {
    let Some(namespace) = pair("ports") else {
        return;
    };
    namespace.inside(|| {
        assert_eq!(port_rules("br0"), Ok(None));
        create_bridge(&new_bridge("br0")).expect("made");
        set_link("up0", &LinkChange::PortOf("br0".to_owned())).expect("free");
    });
    namespace.ip("link add name vm0 type veth peer name vm1");
    namespace.ip("link set vm0 master br0");
    bridge(&namespace, "link set dev vm0 isolated on");
    bridge(&namespace, "link set dev vm0 locked on");
    namespace.inside(|| {
        let rules = port_rules("br0").expect("read").expect("a bridge");
        assert!(!rules.vlan_filtering && !rules.service_tags, "{rules:?}");
        assert_eq!(rules.mtu, 1400);
        let vm = rules.port("vm0").expect("a port");
        assert!(vm.isolated && vm.locked);
        let up = rules.port("up0").expect("a port");
        assert!(!up.isolated && !up.locked);
        assert_eq!(rules.ports.len(), 2, "the bridge is no port of its own");
    });
}

/// Kernels without `CONFIG_BRIDGE_VLAN_FILTERING` have none of it: the lab's has.
#[test]
fn vlans_of_ports_are_read() {
    use accelnet_model::switch::PortVlan;
    let Some(namespace) = pair("vlans") else {
        return;
    };
    let made = namespace.inside(|| {
        let filtering = NewBridge {
            vlan_filtering: true,
            ..new_bridge("br0")
        };
        create_bridge(&filtering)?;
        set_link("up0", &LinkChange::PortOf("br0".to_owned()))
    });
    match made {
        Err(error) if error.errno() == Some(libc::EOPNOTSUPP) => {
            println!("SKIPPED: this kernel has no VLANs of bridges: {error}");
            return;
        }
        made => made.expect("made"),
    }
    namespace.ip("link set br0 type bridge vlan_default_pvid 7");
    bridge(&namespace, "vlan add dev up0 vid 42");
    bridge(&namespace, "vlan add dev up0 vid 100-102");
    namespace.inside(|| {
        let rules = port_rules("br0").expect("read").expect("a bridge");
        assert!(rules.vlan_filtering && !rules.service_tags, "{rules:?}");
        assert_eq!(rules.default_pvid, Some(7));
        let own = PortVlan {
            id: 7,
            pvid: true,
            untagged: true,
        };
        let up = rules.port("up0").expect("a port");
        assert_eq!(up.vlans.first(), Some(&own));
        let ids: Vec<u16> = up.vlans.iter().map(|vlan| vlan.id).collect();
        assert_eq!(ids, [7, 42, 100, 101, 102]);
        let tagged = up.vlans.iter().filter(|vlan| !vlan.pvid && !vlan.untagged);
        assert_eq!(tagged.count(), 4);
    });
    namespace.ip("link set br0 type bridge vlan_default_pvid 0");
    namespace.ip("link set br0 type bridge vlan_protocol 802.1ad");
    namespace.inside(|| {
        let rules = port_rules("br0").expect("read").expect("a bridge");
        assert_eq!((rules.default_pvid, rules.service_tags), (None, true));
    });
}

fn bridge(namespace: &Namespace, args: &str) {
    namespace.inside(|| {
        let ended = Command::new("bridge").args(args.split(' ')).status();
        assert!(ended.is_ok_and(|ended| ended.success()), "bridge {args}");
    });
}
