//! Removing a virtual switch: addresses and routes of the bridge move to its uplink, so that the
//! bridge can be deleted.

use accelnet_model::switch::{Gateway, NetworkState, Plan, SwitchStep};

use super::change::Change;
use super::choose::uplink;
use super::{SwitchRefusal, hand_over};

/// Plans the move of addresses and routes of `bridge` to `port`, its only port, without cutting the node
/// off. The bridge itself goes when that has been checked.
/// `standing` has both of them among its uplinks.
///
/// # Errors
///
/// One of them is not there, or a route cannot go over.
pub fn give_back(bridge: &str, port: &str, standing: &NetworkState) -> Result<Plan, SwitchRefusal> {
    let missing = |name: &str| SwitchRefusal::NoSuchLink {
        uplink: name.to_owned(),
    };
    let carried = &uplink(standing, bridge)
        .ok_or_else(|| missing(bridge))?
        .carried;
    uplink(standing, port).ok_or_else(|| missing(port))?;
    let routes = hand_over::routes_of(carried);
    if let Some(route) = routes.iter().find(|route| route.peculiar.is_some()) {
        return Err(SwitchRefusal::RouteStays {
            uplink: bridge.to_owned(),
            route: route.to_string(),
            peculiar: route.peculiar.clone().unwrap_or_default(),
        });
    }
    let addresses = &carried.addresses;
    let mut change = Change::default();
    let link = || port.to_owned();
    for address in addresses {
        let address = hand_over::renamed(address, bridge, port);
        change.step(
            SwitchStep::AddAddress {
                link: link(),
                address: address.clone(),
            },
            SwitchStep::RemoveAddress {
                link: link(),
                address,
            },
        );
    }
    change.step(
        SwitchStep::RemovePort {
            bridge: bridge.to_owned(),
            port: link(),
        },
        SwitchStep::AddPort {
            bridge: bridge.to_owned(),
            port: link(),
        },
    );
    for route in &routes {
        change.step(hand_over::add(port, route), hand_over::remove(port, route));
    }
    for route in routes.iter().rev() {
        change.step(
            hand_over::remove(bridge, route),
            hand_over::add(bridge, route),
        );
    }
    for address in addresses.iter().rev() {
        change.step(
            SwitchStep::RemoveAddress {
                link: bridge.to_owned(),
                address: address.clone(),
            },
            SwitchStep::AddAddress {
                link: bridge.to_owned(),
                address: hand_over::without_duplicate_search(address.clone()),
            },
        );
    }
    let mut gateways: Vec<Gateway> = Vec::new();
    for ip in routes.iter().filter_map(|route| route.via) {
        if gateways.iter().all(|gateway| gateway.ip != ip) {
            gateways.push(Gateway {
                ip,
                before: bridge.to_owned(),
                after: link(),
            });
        }
    }
    let Change { steps, mut undo } = change;
    undo.reverse();
    Ok(Plan {
        bridge: bridge.to_owned(),
        uplink: link(),
        gateways,
        steps,
        undo,
        why: format!("bridge {bridge} is to go, and {port} carries what it carried."),
        warnings: Vec::new(),
    })
}
