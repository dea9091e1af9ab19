//! How a node gets the virtual switch of a compute intent: a Linux bridge with an adapter as
//! its uplink. What the adapter carries of the node goes over to the bridge, so that the
//! node is not cut off.

mod choose;
mod give_back;
mod hand_over;
mod keepers;
mod lease;
mod port;
mod refusal;
mod warnings;

use accelnet_model::link::Link;
use accelnet_model::switch::{Bridge, Plan, Standing, SwitchStep, Uplink};

pub use give_back::give_back;
pub use lease::Lease;
pub use port::uplink_ports;
pub use refusal::SwitchRefusal;
pub use warnings::{of_mentions, renewed_by};

use choose::{Chosen, choose};

/// What a compute intent wants of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Name of its bridge, unless one stands that has the adapter already.
    pub bridge: String,
    /// Its adapters on this node by the names of their links, the preferred uplink first.
    pub uplinks: Vec<String>,
    /// The bridge that these adapters had for it until now, which VMs may be on.
    pub had: Option<String>,
}

/// Decides how the node gets from what stands to what is wished for. One adapter becomes the
/// uplink; the others give VFs only, since two uplinks would be a loop.
///
/// # Errors
///
/// Why it cannot be.
pub fn plan(wish: &Wish, standing: &Standing) -> Result<Plan, SwitchRefusal> {
    let chosen = choose(wish, standing)?;
    if let Some(route) = hand_over::peculiar(&chosen) {
        return Err(SwitchRefusal::RouteStays {
            uplink: chosen.link.name.clone(),
            route: route.to_string(),
            peculiar: route.peculiar.clone().unwrap_or_default(),
        });
    }
    let mut change = Change::default();
    let mut why = vec![chosen.why.clone()];
    let stands = chosen.stands;
    match stands {
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

/// Steps, and what undoes them in the order of the steps.
#[derive(Default)]
struct Change {
    steps: Vec<SwitchStep>,
    undo: Vec<SwitchStep>,
}

impl Change {
    fn step(&mut self, step: SwitchStep, undo: SwitchStep) {
        self.steps.push(step);
        self.undo.push(undo);
    }

    /// A bridge that does not stand. It has the uplink's MAC, so that its addresses stay
    /// where the neighbours know them.
    fn create(&mut self, chosen: &Chosen<'_>) {
        let bridge = chosen.bridge.clone();
        self.step(
            SwitchStep::CreateBridge {
                bridge: bridge.clone(),
                mac: chosen.link.mac,
                mtu: chosen.link.mtu,
            },
            SwitchStep::DeleteBridge {
                bridge: bridge.clone(),
            },
        );
        for setting in &chosen.uplink.carried.settings {
            self.steps.push(SwitchStep::Set {
                link: bridge.clone(),
                setting: setting.clone(),
            });
        }
        self.steps.push(SwitchStep::Up { link: bridge });
    }

    /// A bridge that stands.
    fn ready(&mut self, bridge: &Bridge, chosen: &Chosen<'_>) {
        let link = || bridge.name.clone();
        let unused = bridge.ports.is_empty() && bridge.addresses.is_empty();
        if let (Some(mac), Some(own)) = (chosen.link.mac, bridge.mac)
            && unused
            && mac != own
        {
            self.step(
                SwitchStep::SetMac { link: link(), mac },
                SwitchStep::SetMac {
                    link: link(),
                    mac: own,
                },
            );
        }
        if !bridge.up {
            self.step(
                SwitchStep::Up { link: link() },
                SwitchStep::Down { link: link() },
            );
        }
    }
}

/// The link called `name`.
fn link<'a>(standing: &'a Standing, name: &str) -> Option<&'a Link> {
    standing.links.iter().find(|link| link.name == name)
}

/// What was seen of the uplink called `name`.
fn uplink<'a>(standing: &'a Standing, name: &str) -> Option<&'a Uplink> {
    standing.uplinks.iter().find(|uplink| uplink.name == name)
}

#[cfg(test)]
mod tests;
