//! The move of addresses and routes from the uplink to the bridge, in an order that never leaves the node
//! without an address or a route: everything is on the bridge before it leaves the uplink.

use accelnet_model::switch::{
    Address, AddressFlags, Carried, Gateway, Neighbour, Network, Route, SwitchStep,
};

use super::change::Change;
use super::choose::Chosen;

/// Longest label of an IPv4 address (`IFNAMSIZ`, its NUL left out).
const LONGEST_LABEL: usize = 15;

/// Adds the steps, and those that undo them.
pub fn steps(change: &mut Change, chosen: &Chosen<'_>) {
    let bridge = chosen.bridge.as_str();
    let uplink = chosen.link.name.as_str();
    let addresses = addresses(chosen);
    let routes = routes(chosen);
    let neighbours = &chosen.uplink.carried.neighbours;

    for address in &addresses {
        let there = chosen.existing.is_some_and(|existing| {
            let mut own = existing.addresses.iter();
            own.any(|own| own.is(address))
        });
        if !there {
            let address = renamed(address, uplink, bridge);
            let link = bridge.to_owned();
            change.step(
                SwitchStep::AddAddress {
                    link: link.clone(),
                    address: address.clone(),
                },
                SwitchStep::RemoveAddress { link, address },
            );
        }
    }
    if !chosen.is_port {
        let (bridge, port) = (bridge.to_owned(), uplink.to_owned());
        change.step(
            SwitchStep::AddPort {
                bridge: bridge.clone(),
                port: port.clone(),
            },
            SwitchStep::RemovePort { bridge, port },
        );
    }
    if !chosen.link.up {
        let link = uplink.to_owned();
        change.step(
            SwitchStep::Up { link: link.clone() },
            SwitchStep::Down { link },
        );
    }
    for neighbour in neighbours {
        change.step(fix(bridge, *neighbour), forget(bridge, *neighbour));
    }
    for route in &routes {
        let ours = yielding(route);
        change.step(add(bridge, &ours), remove(bridge, &ours));
    }
    for route in routes.iter().rev().chain(&left_behind(chosen)) {
        change.step(remove(uplink, route), add(uplink, &yielding(route)));
    }
    for neighbour in neighbours {
        change.step(forget(uplink, *neighbour), fix(uplink, *neighbour));
    }
    for address in addresses.iter().rev() {
        let link = uplink.to_owned();
        change.step(
            SwitchStep::RemoveAddress {
                link: link.clone(),
                address: (*address).clone(),
            },
            SwitchStep::AddAddress {
                link,
                address: without_duplicate_search((*address).clone()),
            },
        );
    }
}

/// The gateways that the routes lead over, each once.
pub fn gateways(chosen: &Chosen<'_>) -> Vec<Gateway> {
    let mut found: Vec<Gateway> = Vec::new();
    for ip in routes(chosen).iter().filter_map(|route| route.via) {
        if found.iter().all(|gateway| gateway.ip != ip) {
            found.push(Gateway {
                ip,
                before: chosen.link.name.clone(),
                after: chosen.bridge.clone(),
            });
        }
    }
    found
}

/// The first route of the uplink that cannot go over.
pub fn peculiar<'a>(chosen: &Chosen<'a>) -> Option<&'a Route> {
    let mut routes = routes(chosen).into_iter();
    routes.find(|route| route.peculiar.is_some())
}

/// The addresses that go over. A port gets a link-local one from the kernel again and again,
/// which has no effect.
fn addresses<'a>(chosen: &Chosen<'a>) -> Vec<&'a Address> {
    let all = chosen.uplink.carried.addresses.iter();
    all.filter(|address| !(chosen.is_port && address.is_link_local()))
        .collect()
}

/// The routes that go over, those without a gateway first: the others may need them. Those
/// that the kernel makes with an address come with it.
fn routes<'a>(chosen: &Chosen<'a>) -> Vec<&'a Route> {
    routes_of(&chosen.uplink.carried)
}

/// The same of any link.
pub fn routes_of(carried: &Carried) -> Vec<&Route> {
    let mut routes: Vec<&Route> = carried
        .routes
        .iter()
        .filter(|route| route.table != Route::LOCAL)
        .filter(|route| !carried.addresses.iter().any(|one| makes(one, route)))
        .collect();
    routes.sort_by_key(|route| route.via.is_some());
    routes
}

/// A route of a router advertisement as we make it: one behind the kernel's own, and gone
/// when its time is up. Beside one of ours with the same metric the kernel could not make its
/// own from the next advertisement, and would pass over all else that it reports
/// (`ndisc_router_discovery` of `net/ipv6/ndisc.c`): addresses would not be renewed.
fn yielding(route: &Route) -> Route {
    let advertised = route.protocol == Route::BY_ADVERTISEMENT && route.to.ip.is_ipv6();
    Route {
        metric: route.metric + u32::from(advertised && route.metric < u32::MAX),
        ..route.clone()
    }
}

/// The routes that came with IPv6 addresses that go over. The kernel leaves those of an
/// address with a lifetime on the uplink until their time is up, and they would lead there.
fn left_behind<'a>(chosen: &Chosen<'a>) -> Vec<&'a Route> {
    let addresses = addresses(chosen);
    let routes = chosen.uplink.carried.routes.iter();
    routes
        .filter(|route| route.table != Route::LOCAL && route.to.ip.is_ipv6())
        .filter(|route| addresses.iter().any(|one| makes(one, route)))
        .collect()
}

/// Whether the kernel makes the route with the address.
fn makes(address: &Address, route: &Route) -> bool {
    let end = address.peer.unwrap_or(address.ip);
    !address.flags.has(AddressFlags::NO_PREFIX_ROUTE)
        && route.protocol == Route::BY_KERNEL
        && route.via.is_none()
        && route.to == Network::of(end, address.prefix)
}

/// An address of the link `uplink` as the link `bridge` gets it.
pub fn renamed(address: &Address, uplink: &str, bridge: &str) -> Address {
    let label = address.label.as_deref().and_then(|label| {
        let own = label.strip_prefix(uplink)?;
        Some(format!("{bridge}{own}")).filter(|label| label.len() <= LONGEST_LABEL)
    });
    without_duplicate_search(Address {
        label,
        ..address.clone()
    })
}

/// An address that is known to be ours alone needs no second search for a duplicate, which
/// would take it from us for a second.
pub fn without_duplicate_search(mut address: Address) -> Address {
    let doubtful = AddressFlags::TENTATIVE | AddressFlags::DUPLICATE;
    if address.ip.is_ipv6() && address.flags.0 & doubtful == 0 {
        address.flags.0 |= AddressFlags::NO_DUPLICATE_CHECK;
    }
    address.flags.0 &= AddressFlags::CHOSEN;
    address
}

/// Adds a route to `link`.
pub fn add(link: &str, route: &Route) -> SwitchStep {
    SwitchStep::AddRoute {
        link: link.to_owned(),
        route: route.clone(),
    }
}

/// Removes a route from `link`.
pub fn remove(link: &str, route: &Route) -> SwitchStep {
    SwitchStep::RemoveRoute {
        link: link.to_owned(),
        route: route.clone(),
    }
}

fn fix(link: &str, neighbour: Neighbour) -> SwitchStep {
    SwitchStep::AddNeighbour {
        link: link.to_owned(),
        neighbour,
    }
}

fn forget(link: &str, neighbour: Neighbour) -> SwitchStep {
    SwitchStep::RemoveNeighbour {
        link: link.to_owned(),
        neighbour,
    }
}
