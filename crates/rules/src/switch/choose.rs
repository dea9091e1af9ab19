//! Which adapter is the uplink, and of which bridge.

use accelnet_model::link::{BondMode, Link};
use accelnet_model::switch::{Address, Bridge, NetworkState, Uplink};

use super::{DesiredSwitch, SwitchRefusal};

/// Longest name of a link (`IFNAMSIZ`, its NUL left out).
const LONGEST_NAME: usize = 15;

/// The chosen bridge and adapter.
pub struct Chosen<'a> {
    /// Name of the bridge.
    pub bridge: String,
    /// That bridge, if it exists.
    pub existing: Option<&'a Bridge>,
    /// The link of the adapter.
    pub link: &'a Link,
    /// Its other observed values.
    pub uplink: &'a Uplink,
    /// It is a port of the bridge already, itself or by way of a bond.
    pub is_port: bool,
    /// Why this one.
    pub why: String,
    /// The use of the other adapters.
    pub others: Option<String>,
}

/// Chooses: an adapter that is a port of the requested bridge, else one that is a port of
/// another bridge, which is adopted, else the first that is there.
pub fn choose<'a>(
    desired: &DesiredSwitch,
    standing: &'a NetworkState,
) -> Result<Chosen<'a>, SwitchRefusal> {
    let candidates: Vec<Candidate<'a>> = desired
        .uplinks
        .iter()
        .filter_map(|name| Candidate::find(standing, name))
        .collect();
    // An adapter that only gives VFs loses the same frames as the uplink.
    if let Some(refusal) = candidates.iter().find_map(aggregated) {
        return Err(refusal);
    }
    let port_of_wished = candidates.iter().find(|one| {
        one.bridge
            .is_some_and(|bridge| bridge.name == desired.bridge)
    });
    let port = candidates.iter().find(|one| one.bridge.is_some());
    let Some(best) = port_of_wished.or(port).or(candidates.first()) else {
        return Err(match desired.uplinks.first() {
            Some(uplink) => SwitchRefusal::NoSuchLink {
                uplink: uplink.clone(),
            },
            None => SwitchRefusal::NoUplink,
        });
    };
    let name = &best.link.name;
    let mut chosen = Chosen {
        bridge: desired.bridge.clone(),
        existing: best.bridge,
        link: best.link,
        uplink: best.uplink,
        is_port: best.bridge.is_some(),
        why: String::new(),
        others: others(&candidates, best),
    };
    match best.bridge {
        Some(bridge) => {
            chosen.bridge = bridge.name.clone();
            chosen.why = match &best.bond {
                Some(bond) => format!(
                    "{name} is in {bond}, which is a port of bridge {}",
                    bridge.name
                ),
                None => format!("{name} is a port of bridge {} already", bridge.name),
            };
            if bridge.name != desired.bridge {
                alone(desired, standing, best, bridge)?;
                chosen.why += ", which is adopted";
            }
        }
        None => {
            free(best, standing)?;
            // A bridge of its own would part the VMs on the old one from the network.
            if let Some(had) = &desired.had
                && *had != desired.bridge
                && standing.bridges.iter().any(|bridge| bridge.name == *had)
            {
                return Err(SwitchRefusal::LeftBridge {
                    uplink: name.clone(),
                    bridge: had.clone(),
                });
            }
            chosen.existing = requested_bridge(desired, standing, best)?;
            chosen.why = match chosen.existing {
                Some(bridge) => format!(
                    "bridge {} exists, and {name} is not its port yet",
                    bridge.name
                ),
                None => format!("{name} is not a port of a bridge yet"),
            };
        }
    }
    Ok(chosen)
}

/// An adapter, and the bridge that it is a port of.
struct Candidate<'a> {
    link: &'a Link,
    uplink: &'a Uplink,
    bridge: Option<&'a Bridge>,
    /// The bond by way of which.
    bond: Option<String>,
    master: Option<&'a Link>,
}

impl<'a> Candidate<'a> {
    fn find(standing: &'a NetworkState, name: &str) -> Option<Self> {
        let own = link(standing, name)?;
        let uplink = uplink(standing, name)?;
        let bridge_of = |port: &str| {
            let has = |bridge: &&Bridge| bridge.ports.iter().any(|name| name == port);
            standing.bridges.iter().find(has)
        };
        let master = own
            .master
            .as_deref()
            .and_then(|master| link(standing, master));
        let direct = bridge_of(name);
        let bond = master.filter(|master| is_bond(master));
        let by_bond = bond.and_then(|bond| bridge_of(&bond.name));
        Some(Candidate {
            link: own,
            uplink,
            bridge: direct.or(by_bond),
            bond: by_bond.and(bond).map(|bond| bond.name.clone()),
            master,
        })
    }
}

/// Why the VFs of an adapter would lose frames under its master: the other switch spreads what it sends
/// over all ports of an aggregate, and a VF receives only what comes in at its own adapter.
fn aggregated(one: &Candidate<'_>) -> Option<SwitchRefusal> {
    let master = one.master?;
    let uplink = one.link.name.clone();
    match master.kind.as_deref() {
        Some("bond") => {
            let mode = master.bond.as_ref().map(|bond| bond.mode);
            let mode = mode.unwrap_or(BondMode::Unknown);
            (mode != BondMode::ActiveBackup).then(|| SwitchRefusal::Aggregated {
                uplink,
                bond: master.name.clone(),
                mode,
            })
        }
        // What these do with an adapter, the kernel does not show; neither was tried with VFs.
        Some(kind @ ("team" | "openvswitch")) => Some(SwitchRefusal::PortElsewhere {
            uplink,
            master: master.name.clone(),
            kind: kind.to_owned(),
        }),
        _ => None,
    }
}

fn is_bond(link: &Link) -> bool {
    matches!(link.kind.as_deref(), Some("bond" | "team"))
}

/// What becomes of the adapters that are not the uplink.
fn others(candidates: &[Candidate<'_>], best: &Candidate<'_>) -> Option<String> {
    let bridge = best.bridge.map(|bridge| &bridge.name);
    let names: Vec<&str> = candidates
        .iter()
        .filter(|one| one.link.name != best.link.name)
        .filter(|one| bridge.is_none() || one.bridge.map(|bridge| &bridge.name) != bridge)
        .map(|one| one.link.name.as_str())
        .collect();
    let verb = match names.len() {
        0 => return None,
        1 => "gives",
        _ => "give",
    };
    Some(format!(
        "{} {verb} VFs only, since a second uplink of the bridge would be a loop",
        names.join(", ")
    ))
}

/// A bridge under another name than the requested one is adopted only when no other adapter is
/// its port.
fn alone(
    desired: &DesiredSwitch,
    standing: &NetworkState,
    best: &Candidate<'_>,
    bridge: &Bridge,
) -> Result<(), SwitchRefusal> {
    let ours = |port: &str| {
        desired.uplinks.iter().any(|name| name == port) || best.bond.as_deref() == Some(port)
    };
    match adapter_among(standing, bridge, ours) {
        None => Ok(()),
        Some(other) => Err(SwitchRefusal::SharedBridge {
            uplink: best.link.name.clone(),
            bridge: bridge.name.clone(),
            other,
        }),
    }
}

/// A port of the bridge that leads out of the node, other than `ours`.
fn adapter_among(
    standing: &NetworkState,
    bridge: &Bridge,
    ours: impl Fn(&str) -> bool,
) -> Option<String> {
    let leads_out = |port: &&String| {
        let found = link(standing, port);
        found.is_some_and(|link| link.kind.is_none() || is_bond(link))
    };
    let mut ports = bridge.ports.iter().filter(|port| !ours(port));
    ports.find(leads_out).cloned()
}

/// The adapter must be able to become a port.
fn free(best: &Candidate<'_>, standing: &NetworkState) -> Result<(), SwitchRefusal> {
    let uplink = best.link.name.clone();
    let direct = standing.direct.iter();
    let direct: Vec<&str> = direct
        .filter(|one| one.link == uplink && one.running)
        .map(|one| one.vm.as_str())
        .collect();
    if !direct.is_empty() {
        return Err(SwitchRefusal::Macvtap {
            uplink,
            vms: direct.join(", "),
        });
    }
    if let Some(master) = &best.link.master {
        let kind = best.master.and_then(|master| master.kind.clone());
        let master = master.clone();
        return Err(match best.master.is_some_and(is_bond) {
            true => SwitchRefusal::InBond {
                uplink,
                bond: master,
            },
            false => SwitchRefusal::PortElsewhere {
                uplink,
                master,
                kind: kind.unwrap_or_else(|| "unknown".to_owned()),
            },
        });
    }
    if best.link.mac.is_none() {
        return Err(SwitchRefusal::NotEthernet { uplink });
    }
    let stacked = &best.uplink.carried.stacked;
    if !stacked.is_empty() {
        let names: Vec<String> = stacked
            .iter()
            .map(|one| format!("{} ({})", one.name, one.kind))
            .collect();
        return Err(SwitchRefusal::Stacked {
            uplink,
            on_top: names.join(", "),
        });
    }
    Ok(())
}

/// The requested bridge, if it stands and can take the adapter.
fn requested_bridge<'a>(
    desired: &DesiredSwitch,
    standing: &'a NetworkState,
    best: &Candidate<'_>,
) -> Result<Option<&'a Bridge>, SwitchRefusal> {
    let name = &desired.bridge;
    let odd = |letter: char| letter == '/' || letter == ':' || letter.is_whitespace();
    if name.is_empty() || name.len() > LONGEST_NAME || name.contains(odd) || name.starts_with('.') {
        return Err(SwitchRefusal::BadName {
            bridge: name.clone(),
        });
    }
    let Some(bridge) = standing.bridges.iter().find(|one| one.name == *name) else {
        return match link(standing, name) {
            None => Ok(None),
            Some(other) => Err(SwitchRefusal::NameTaken {
                bridge: name.clone(),
                kind: other.kind.clone().unwrap_or_else(|| "adapter".to_owned()),
            }),
        };
    };
    if let Some(other) = adapter_among(standing, bridge, |_| false) {
        return Err(SwitchRefusal::BridgeHasUplink {
            bridge: name.clone(),
            other,
            uplink: best.link.name.clone(),
        });
    }
    let carried = &best.uplink.carried;
    let carries = !carried.addresses.iter().all(Address::is_link_local);
    if bridge.spanning_tree && bridge.forward_delay_ms > 0 && carries {
        return Err(SwitchRefusal::SpanningTree {
            bridge: name.clone(),
            uplink: best.link.name.clone(),
            silent_s: (2 * bridge.forward_delay_ms).div_ceil(1000),
        });
    }
    Ok(Some(bridge))
}

/// The link called `name`.
pub(super) fn link<'a>(standing: &'a NetworkState, name: &str) -> Option<&'a Link> {
    standing.links.iter().find(|link| link.name == name)
}

/// What was seen of the uplink called `name`.
pub(super) fn uplink<'a>(standing: &'a NetworkState, name: &str) -> Option<&'a Uplink> {
    standing.uplinks.iter().find(|uplink| uplink.name == name)
}
