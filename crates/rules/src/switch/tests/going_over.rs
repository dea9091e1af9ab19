//! What goes over, and in which order: the node has every address and route at every moment.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the kernel would have after a step; plain sets, link by link.
#[derive(Debug, Clone, Default, PartialEq)]
struct World {
    /// By link: addresses, routes and neighbours as texts.
    things: BTreeMap<String, Vec<String>>,
    bridges: Vec<String>,
    ports: Vec<String>,
}

impl World {
    fn of(standing: &NetworkState) -> Self {
        let mut world = World::default();
        for uplink in &standing.uplinks {
            let carried = &uplink.carried;
            for address in &carried.addresses {
                world.put(&uplink.name, address.to_string(), true);
            }
            for route in &carried.routes {
                world.put(&uplink.name, route.to_string(), true);
            }
            for neighbour in &carried.neighbours {
                world.put(&uplink.name, neighbour.to_string(), true);
            }
        }
        world
    }

    fn put(&mut self, link: &str, thing: String, there: bool) {
        let things = self.things.entry(link.to_owned()).or_default();
        things.retain(|other| *other != thing);
        if there {
            things.push(thing);
            things.sort();
        }
        self.things.retain(|_, things| !things.is_empty());
    }

    fn apply(&mut self, step: &SwitchStep) {
        match step {
            SwitchStep::CreateBridge { bridge, .. } => self.bridges.push(bridge.clone()),
            SwitchStep::DeleteBridge { bridge } => {
                self.bridges.retain(|other| other != bridge);
                self.things.remove(bridge);
            }
            SwitchStep::AddPort { port, .. } => self.ports.push(port.clone()),
            SwitchStep::RemovePort { port, .. } => self.ports.retain(|other| other != port),
            SwitchStep::AddAddress { link, address } => self.put(link, address.to_string(), true),
            SwitchStep::RemoveAddress { link, address } => {
                self.put(link, address.to_string(), false);
            }
            SwitchStep::AddRoute { link, route } => self.put(link, route.to_string(), true),
            SwitchStep::RemoveRoute { link, route } => self.put(link, route.to_string(), false),
            SwitchStep::AddNeighbour { link, neighbour } => {
                self.put(link, neighbour.to_string(), true);
            }
            SwitchStep::RemoveNeighbour { link, neighbour } => {
                self.put(link, neighbour.to_string(), false);
            }
            SwitchStep::Set { .. }
            | SwitchStep::SetMac { .. }
            | SwitchStep::SetMtu { .. }
            | SwitchStep::Up { .. }
            | SwitchStep::Down { .. } => {}
        }
    }

    /// Everything that is somewhere.
    fn all(&self) -> Vec<&String> {
        let mut all: Vec<&String> = self.things.values().flatten().collect();
        all.sort();
        all.dedup();
        all
    }
}

fn carried() -> impl Strategy<Value = Carried> {
    let addresses = proptest::sample::subsequence(
        vec![
            "192.0.2.4/24",
            "192.0.2.5/24",
            "198.51.100.4/25",
            "2001:db8::4/64",
            "fe80::7/64",
        ],
        0..=5,
    );
    let routes = proptest::sample::subsequence(
        vec![
            ("0.0.0.0/0", Some("192.0.2.1")),
            ("203.0.113.0/24", None),
            ("203.0.114.0/24", Some("203.0.113.1")),
            ("::/0", Some("fe80::1")),
        ],
        0..=4,
    );
    (addresses, routes, any::<bool>()).prop_map(|(addresses, routes, fixed)| Carried {
        addresses: addresses.into_iter().map(address).collect(),
        routes: routes.into_iter().map(|(to, via)| route(to, via)).collect(),
        neighbours: fixed
            .then_some(Neighbour {
                ip: [192, 0, 2, 9].into(),
                mac: Mac([2; 6]),
            })
            .into_iter()
            .collect(),
        ..Carried::default()
    })
}

proptest! {
    #[test]
    fn nothing_is_ever_nowhere_and_every_way_back_leads_to_the_beginning(carried in carried()) {
        let mut standing = node(&["eth0"]);
        standing.uplinks[0].carried = carried;
        let before = World::of(&standing);
        let plan = planned(&standing, &["eth0"]).unwrap();
        let mut now = before.clone();
        for step in &plan.steps {
            now.apply(step);
            prop_assert_eq!(now.all(), before.all(), "after: {}", step);
            let mut back = now.clone();
            for step in &plan.undo {
                back.apply(step);
                prop_assert_eq!(back.all(), before.all(), "back: {}", step);
            }
            prop_assert_eq!(back, before.clone());
        }
        prop_assert_eq!(now.things.get("eth0"), None);
        prop_assert_eq!(now.things.get("acn-vms"), before.things.get("eth0"));
    }
}

#[test]
fn routes_without_a_gateway_come_first_and_leave_last() {
    let mut standing = node(&["eth0"]);
    standing.uplinks[0].carried = Carried {
        addresses: vec![address("192.0.2.4/24"), address("192.0.2.5/24")],
        routes: vec![
            route("0.0.0.0/0", Some("203.0.113.1")),
            route("203.0.113.0/24", None),
        ],
        ..Carried::default()
    };
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!(
        texts(&plan.steps)[2..],
        [
            "add address 192.0.2.4/24 to acn-vms",
            "add address 192.0.2.5/24 to acn-vms",
            "add port eth0 to bridge acn-vms",
            "add route 203.0.113.0/24 dev acn-vms",
            "add route default via 203.0.113.1 dev acn-vms",
            "remove route default via 203.0.113.1 dev eth0",
            "remove route 203.0.113.0/24 dev eth0",
            "remove address 192.0.2.5/24 from eth0",
            "remove address 192.0.2.4/24 from eth0",
        ]
    );
    let [gateway] = plan.gateways.as_slice() else {
        panic!("{:?}", plan.gateways);
    };
    assert_eq!(gateway.to_string(), "203.0.113.1 on acn-vms");
    assert_eq!(gateway.before, "eth0");
}

#[test]
fn a_route_that_comes_with_an_address_is_not_carried_but_an_ipv6_one_must_leave() {
    let by_kernel = |to: &str| Route {
        protocol: Route::BY_KERNEL,
        ..route(to, None)
    };
    let mut standing = node(&["eth0"]);
    let carried = &mut standing.uplinks[0].carried;
    carried.addresses = vec![address("192.0.2.4/24"), address("2001:db8::4/64")];
    carried.routes = vec![by_kernel("192.0.2.0/24"), by_kernel("2001:db8::/64")];
    let of_routes = |standing: &NetworkState| {
        let plan = planned(standing, &["eth0"]).unwrap();
        let mut steps = texts(&plan.steps);
        steps.retain(|step| step.contains("route"));
        steps
    };
    assert_eq!(
        of_routes(&standing),
        ["remove route 2001:db8::/64 dev eth0"]
    );
    // An administrator's choice: its route is one like others.
    let address = &mut standing.uplinks[0].carried.addresses[0];
    address.flags.0 |= AddressFlags::NO_PREFIX_ROUTE;
    assert_eq!(
        of_routes(&standing),
        [
            "add route 192.0.2.0/24 dev acn-vms",
            "remove route 192.0.2.0/24 dev eth0",
            "remove route 2001:db8::/64 dev eth0"
        ]
    );
}

#[test]
fn an_advertised_route_goes_behind_the_one_that_the_kernel_will_make() {
    let mut standing = node(&["eth0"]);
    standing.uplinks[0].carried.routes = vec![Route {
        protocol: Route::BY_ADVERTISEMENT,
        metric: 1024,
        ..route("::/0", Some("fe80::1"))
    }];
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!(
        texts(&plan.steps)[3..],
        [
            "add route default via fe80::1 metric 1025 dev acn-vms",
            "remove route default via fe80::1 metric 1024 dev eth0"
        ]
    );
    assert_eq!(
        texts(&plan.undo)[..2],
        [
            "add route default via fe80::1 metric 1025 dev eth0",
            "remove route default via fe80::1 metric 1025 dev acn-vms"
        ]
    );
}

#[test]
fn labels_flags_and_settings_are_made_the_bridges() {
    let mut standing = node(&["eth0"]);
    let carried = &mut standing.uplinks[0].carried;
    carried.settings = vec![Setting {
        name: "ipv6/accept_ra".to_owned(),
        value: "2".to_owned(),
    }];
    let labelled = |text: &str, label: &str| Address {
        label: Some(label.to_owned()),
        ..address(text)
    };
    let mut doubtful = address("2001:db8::5/64");
    doubtful.flags.0 = AddressFlags::TENTATIVE;
    carried.addresses = vec![
        labelled("192.0.2.4/24", "eth0:1"),
        labelled("192.0.2.5/24", "eth0:management"),
        address("2001:db8::4/64"),
        doubtful,
    ];
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!(
        texts(&plan.steps)[..3],
        [
            "create bridge acn-vms",
            "set ipv6/accept_ra of acn-vms to 2",
            "set acn-vms up"
        ]
    );
    let given: Vec<(Option<&str>, u32)> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            SwitchStep::AddAddress { address, .. } => {
                Some((address.label.as_deref(), address.flags.0))
            }
            _ => None,
        })
        .collect();
    let without_duplicate_search = AddressFlags::NO_DUPLICATE_CHECK;
    assert_eq!(
        given,
        [
            (Some("acn-vms:1"), 0),
            (None, 0),
            (None, without_duplicate_search),
            (None, 0)
        ]
    );
    let back = plan.undo.iter().find_map(|step| match step {
        SwitchStep::AddAddress { address, .. } => address.label.as_deref(),
        _ => None,
    });
    assert_eq!(back, Some("eth0:1"));
}

#[test]
fn what_a_port_still_carries_goes_over_but_not_its_link_local_address() {
    let mut standing = with_bridge(node(&["eth0"]), "acn-vms", &["eth0"]);
    let carried = &mut standing.uplinks[0].carried;
    carried.addresses = vec![address("fe80::7/64")];
    carried.routes = vec![Route {
        protocol: Route::BY_KERNEL,
        ..route("fe80::/64", None)
    }];
    assert_eq!(planned(&standing, &["eth0"]).unwrap().steps, []);
    let carried = &mut standing.uplinks[0].carried;
    carried.addresses.push(address("192.0.2.4/24"));
    carried.routes.push(route("0.0.0.0/0", Some("192.0.2.1")));
    let steps = texts(&planned(&standing, &["eth0"]).unwrap().steps);
    assert_eq!(
        steps,
        [
            "add address 192.0.2.4/24 to acn-vms",
            "add route default via 192.0.2.1 dev acn-vms",
            "remove route default via 192.0.2.1 dev eth0",
            "remove address 192.0.2.4/24 from eth0"
        ]
    );
    // One that the bridge has is not taken from it when the change is undone.
    standing.bridges[0].addresses = vec![address("192.0.2.4/24")];
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert_eq!(plan.steps.len(), 3);
    assert!(!texts(&plan.undo).contains(&"remove address 192.0.2.4/24 from acn-vms".to_owned()));
}

#[test]
fn an_adapter_that_is_down_is_brought_up_and_taken_down_again() {
    let mut standing = node(&["eth0"]);
    standing.links[0].up = false;
    let plan = planned(&standing, &["eth0"]).unwrap();
    assert!(texts(&plan.steps).contains(&"set eth0 up".to_owned()));
    assert!(texts(&plan.undo).contains(&"set eth0 down".to_owned()));
}
