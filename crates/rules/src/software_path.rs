//! Whether the host's firewall lets a bridge forward what VMs send and receive on their software path.

mod walk;

use accelnet_model::firewall::{BridgeFilter, Chain, Family, FilteredBridge, Protocol};
use accelnet_model::{Code, Observed, Problem};

use walk::{End, Frames, Walk};

#[cfg(test)]
mod tests;

/// Whether new connections of VMs pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarding {
    /// The firewall does not stop them.
    Passes,
    /// None passes, of these protocols.
    Dropped(Vec<Drops>),
    /// Some may not pass; why that cannot be determined, as a sentence.
    Unclear(String),
}

/// A chain that drops all of one protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drops {
    /// The protocol.
    pub protocol: Protocol,
    /// The chain, in words.
    pub chain: String,
    /// Whether bridged packets go through it only because br_netfilter passes them there.
    pub called: bool,
}

/// Judges the bridge called `name`, whether it is there or not.
pub fn judge(filter: &BridgeFilter, name: &str) -> Forwarding {
    let bridge = filter.bridges.iter().find(|bridge| bridge.name == name);
    of(filter, Some(name), bridge)
}

/// Judges a bridge that a user makes, by any name that no link has.
pub fn judge_new(filter: &BridgeFilter) -> Forwarding {
    of(filter, None, None)
}

fn of(filter: &BridgeFilter, name: Option<&str>, bridge: Option<&FilteredBridge>) -> Forwarding {
    let calls = bridge.map_or(filter.calls, |bridge| filter.calls.or(bridge.calls));
    let firewall = match &filter.firewall {
        Observed::Known(firewall) => firewall,
        // Without br_netfilter only rules for bridges themselves count, which are rare.
        Observed::Unknown(_) if !Protocol::ALL.into_iter().any(|one| calls.has(one)) => {
            return Forwarding::Passes;
        }
        Observed::Unknown(reason) => {
            return Forwarding::Unclear(format!(
                "br_netfilter passes bridged packets to the firewall, whose rules could not be read: {reason}."
            ));
        }
    };
    let mut drops = Vec::new();
    let mut unclear = None;
    for protocol in Protocol::ALL {
        let frames = Frames {
            bridge: name,
            ports: bridge.map_or(&[], |bridge| &bridge.ports),
            links: &filter.links,
            protocol,
        };
        let meets = |chain: &&Chain| meets(chain.family, protocol, calls.has(protocol));
        for chain in firewall.chains.iter().filter(meets) {
            let Some(policy) = chain.forward else {
                continue;
            };
            match Walk::new(&firewall.chains, frames).end(chain, policy) {
                End::Passes => {}
                End::Dropped => drops.push(Drops {
                    protocol,
                    chain: chain.to_string(),
                    called: chain.family != Family::Bridge,
                }),
                End::Unclear => {
                    unclear = unclear.or(Some(format!(
                        "The {chain} drops {protocol} packets unless one of its rules accepts them, which depends on the packet."
                    )));
                }
            }
        }
    }
    match (drops.is_empty(), unclear) {
        (false, _) => Forwarding::Dropped(drops),
        (true, Some(reason)) => Forwarding::Unclear(reason),
        (true, None) => Forwarding::Passes,
    }
}

/// Whether bridged packets of `protocol` go through chains of `family`.
fn meets(family: Family, protocol: Protocol, called: bool) -> bool {
    match family {
        Family::Bridge => true,
        Family::Ip => called && protocol == Protocol::Ip,
        Family::Ip6 => called && protocol == Protocol::Ip6,
        Family::Inet => called && protocol != Protocol::Arp,
        Family::Arp => called && protocol == Protocol::Arp,
    }
}

impl Forwarding {
    /// Checks that VMs can use this path.
    ///
    /// # Errors
    ///
    /// The chain that drops everything.
    pub fn must_pass(&self, node: &str, bridge: Option<&str>) -> Result<(), Problem> {
        let Forwarding::Dropped(drops) = self else {
            return Ok(());
        };
        let found: Vec<String> = drops
            .iter()
            .map(|drop| {
                let by = match drop.called {
                    true => " (br_netfilter passes bridged packets to it)",
                    false => "",
                };
                format!("{} is dropped by {}{by}", drop.protocol, drop.chain)
            })
            .collect();
        let what = in_words(bridge);
        let problem = Problem::new(
            Code::SoftwarePathDropped,
            &[node, &what],
            format!("{}.", found.join("; ")),
        );
        Err(problem.resolution(remedy(drops, bridge)))
    }

    /// What cannot be determined of this path.
    pub fn warning(&self, node: &str, bridge: Option<&str>) -> Option<Problem> {
        let Forwarding::Unclear(reason) = self else {
            return None;
        };
        let what = in_words(bridge);
        Some(Problem::new(
            Code::SoftwarePathUnclear,
            &[node, &what],
            reason.clone(),
        ))
    }
}

fn in_words(bridge: Option<&str>) -> String {
    match bridge {
        Some(bridge) => format!("bridge {bridge}"),
        None => "a new bridge".to_owned(),
    }
}

fn remedy(drops: &[Drops], bridge: Option<&str>) -> String {
    let name = bridge.unwrap_or("BRIDGE");
    if drops.iter().any(|drop| !drop.called) {
        return format!("Accept what {name} forwards in the chain that is named.");
    }
    let mut protocols: Vec<Protocol> = drops.iter().map(|drop| drop.protocol).collect();
    protocols.dedup();
    let settings: Vec<String> = protocols
        .iter()
        .map(|one| format!("net.bridge.bridge-nf-{}=0", one.call()))
        .collect();
    let settings = settings.join(" ");
    format!(
        "Run 'sysctl -w {settings}', and put the same into a file in /etc/sysctl.d; bridged packets then bypass the firewall. Or accept them there: 'iptables -I FORWARD -i {name} -o {name} -j ACCEPT' (into DOCKER-USER on a host with Docker; ip6tables for IPv6), and make that last."
    )
}
