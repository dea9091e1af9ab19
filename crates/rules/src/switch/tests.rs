use accelnet_model::Mac;
use accelnet_model::link::{Link, LinkType};
use accelnet_model::switch::{
    Address, AddressFlags, Bridge, Carried, DirectVnic, Expiry, Keeper, Mention, Neighbour,
    Network, Program, Renewal, Route, RouteMetric, Setting, Stacked, SwitchStep, Uplink,
};

use super::*;

mod bonds;
mod going_over;
mod warnings;
mod which;

/// A link that is up, of this kind; adapters have none.
fn a_link(name: &str, kind: Option<&str>, master: Option<&str>) -> Link {
    Link {
        index: 2,
        name: name.to_owned(),
        link_type: LinkType::Ether,
        alt_names: Vec::new(),
        mac: Some(Mac([0x52, 0x54, 0, 0, 0, 7])),
        permanent_mac: None,
        mtu: 9000,
        up: true,
        carrier: true,
        master: master.map(str::to_owned),
        kind: kind.map(str::to_owned),
        parent: None,
        vf_count: None,
        bond: None,
    }
}

fn a_bridge(name: &str, ports: &[&str]) -> Bridge {
    Bridge {
        name: name.to_owned(),
        index: 9,
        mac: Some(Mac([0x52, 0x54, 0, 0, 0, 9])),
        mtu: 1500,
        up: true,
        ports: ports.iter().map(|port| (*port).to_owned()).collect(),
        addresses: Vec::new(),
        spanning_tree: false,
        forward_delay_ms: 15_000,
        vlan_filtering: false,
    }
}

fn address(text: &str) -> Address {
    let (ip, prefix) = text.split_once('/').expect("a prefix");
    Address {
        ip: ip.parse().expect("an address"),
        prefix: prefix.parse().expect("a number"),
        peer: None,
        broadcast: None,
        scope: 0,
        flags: AddressFlags(0x80),
        label: None,
        metric: 0,
        origin: 0,
        preferred: None,
        valid: None,
    }
}

fn route(to: &str, via: Option<&str>) -> Route {
    let (ip, prefix) = to.split_once('/').expect("a prefix");
    Route {
        to: Network {
            ip: ip.parse().expect("an address"),
            prefix: prefix.parse().expect("a number"),
        },
        from: None,
        via: via.map(|via| via.parse().expect("an address")),
        source: None,
        metric: 0,
        table: Route::MAIN,
        protocol: 4,
        scope: 0,
        kind: 1,
        tos: 0,
        on_link: false,
        preference: None,
        expires: None,
        realm: None,
        metrics: Vec::<RouteMetric>::new(),
        congestion: None,
        peculiar: None,
    }
}

/// A node with these adapters, each no port of a bridge and with nothing on it.
fn node(adapters: &[&str]) -> NetworkState {
    let mut standing = NetworkState::default();
    for name in adapters {
        standing.links.push(a_link(name, None, None));
        standing.uplinks.push(Uplink {
            name: (*name).to_owned(),
            carried: Carried::default(),
            keepers: Vec::new(),
        });
    }
    standing
}

/// With a bridge that has these ports.
fn with_bridge(mut standing: NetworkState, name: &str, ports: &[&str]) -> NetworkState {
    standing.links.push(a_link(name, Some("bridge"), None));
    standing.bridges.push(a_bridge(name, ports));
    for link in &mut standing.links {
        if ports.contains(&link.name.as_str()) {
            link.master = Some(name.to_owned());
        }
    }
    standing
}

/// The plan for an intent whose bridge is `acn-vms`.
fn planned(standing: &NetworkState, uplinks: &[&str]) -> Result<Plan, SwitchRefusal> {
    let desired = DesiredSwitch {
        bridge: "acn-vms".to_owned(),
        uplinks: uplinks.iter().map(|name| (*name).to_owned()).collect(),
        had: None,
    };
    plan(&desired, standing)
}

fn texts(steps: &[SwitchStep]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}
