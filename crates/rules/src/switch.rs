//! How a node gets the virtual switch of a compute intent: a Linux bridge with an adapter as
//! its uplink. What the adapter carries of the node goes over to the bridge, so that the
//! node is not cut off.

mod change;
mod choose;
mod desired;
mod give_back;
mod hand_over;
mod keepers;
mod lease;
mod port;
mod refusal;
mod warnings;

use accelnet_model::switch::{NetworkState, Plan};

pub use desired::DesiredSwitch;
pub use give_back::give_back;
pub use lease::Lease;
pub use port::uplink_ports;
pub use refusal::SwitchRefusal;
pub use warnings::{of_mentions, renewed_by};

use change::Change;
use choose::choose;

/// Plans the steps from the current state to the requested one. One adapter becomes the
/// uplink; the others give VFs only, since two uplinks would be a loop.
///
/// # Errors
///
/// The refusal.
pub fn plan(desired: &DesiredSwitch, standing: &NetworkState) -> Result<Plan, SwitchRefusal> {
    let chosen = choose(desired, standing)?;
    if let Some(route) = hand_over::peculiar(&chosen) {
        return Err(SwitchRefusal::RouteStays {
            uplink: chosen.link.name.clone(),
            route: route.to_string(),
            peculiar: route.peculiar.clone().unwrap_or_default(),
        });
    }
    let mut change = Change::default();
    let mut why = vec![chosen.why.clone()];
    let existing = chosen.existing;
    match existing {
        None => change.create(&chosen),
        Some(bridge) => change.ready(bridge, &chosen),
    }
    let before = change.steps.len();
    hand_over::steps(&mut change, &chosen);
    if change.steps.len() > before && chosen.is_port {
        why.push(format!(
            "{} is a port and still carries addresses or routes of the node",
            chosen.link.name
        ));
    }
    if change.steps.is_empty() {
        why.push("no change is needed".to_owned());
    }
    if let Some(others) = &chosen.others {
        why.push(others.clone());
    }
    let mut warnings = warnings::of(&chosen, standing);
    warnings.extend(warnings::of_vlans(&chosen));
    let Change { steps, mut undo } = change;
    undo.reverse();
    Ok(Plan {
        bridge: chosen.bridge.clone(),
        uplink: chosen.link.name.clone(),
        gateways: hand_over::gateways(&chosen),
        steps,
        undo,
        why: format!("{}.", why.join("; ")),
        warnings,
    })
}

#[cfg(test)]
mod tests;
