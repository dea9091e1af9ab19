//! What the node's own network has to do with a virtual switch: addresses that run out, and rules
//! that name an uplink. It is kept between reconciles.

use std::net::IpAddr;
use std::time::Duration;

use accelnet_host::clock::later;
use accelnet_model::switch::{Address, DirectVnic, Expiry, Mention, NetworkState, Plan};
use accelnet_model::{Domain, Intent, Problem};
use accelnet_rules::switch::{self, Lease};

use crate::context::Context;
use crate::observed::Snapshot;

/// A lease that ends so little later than it was seen to is the same: the kernel counts in seconds.
const SLACK: Duration = Duration::from_secs(2);
/// The rules of the firewall are taken to be unchanged for so long after they were read.
const FRESH: Duration = Duration::from_secs(10);
/// Rules that name an uplink are read again after so long.
const STALE: Duration = Duration::from_secs(5 * 60);

/// What is remembered.
#[derive(Default)]
pub(crate) struct HostNetwork {
    leases: Vec<Leased>,
    mentions: Vec<Mentioned>,
}

/// An address that is valid for a time.
struct Leased {
    ip: IpAddr,
    /// When it runs out, on the clock that never goes back.
    ends: Duration,
    lease: Lease,
    /// The intent whose bridge has it, or had it until it ran out.
    intent: Option<String>,
    /// The problem at the last check.
    problem: Option<Problem>,
}

/// Where an uplink is named.
struct Mentioned {
    uplink: String,
    at: Duration,
    mentions: Vec<Mention>,
}

impl HostNetwork {
    /// Remembers every address that is valid for a time, and writes down when each runs out. The
    /// addresses were read between `begun` and `now`.
    pub fn note(
        &mut self,
        standing: &mut NetworkState,
        begun: Duration,
        now: Duration,
        clock: &str,
    ) {
        let leases = &mut self.leases;
        let carried = standing
            .uplinks
            .iter()
            .map(|uplink| &uplink.carried.addresses);
        let bridges = standing.bridges.iter().map(|bridge| &bridge.addresses);
        for address in carried.chain(bridges).flatten() {
            let Some(valid) = address.valid else {
                leases.retain(|one| one.ip != address.ip);
                continue;
            };
            let valid_for = Duration::from_secs(valid.into());
            // A slow reading must not count as a renewal.
            let (earliest, ends) = (begun + valid_for, now + valid_for);
            match leases.iter_mut().find(|one| one.ip == address.ip) {
                Some(known) if earliest <= known.ends + SLACK => {
                    known.ends = known.ends.min(ends);
                }
                Some(known) => {
                    // A move from the adapter to the bridge takes a while, too: what renews a
                    // lease does so for longer.
                    let jump = earliest.saturating_sub(known.ends).as_secs();
                    let renewed = jump > u64::from(known.lease.longest / 8);
                    known.ends = ends;
                    if renewed || known.intent.is_some() {
                        known.lease.at = later(clock, valid);
                    }
                    if renewed {
                        known.lease.longest = known.lease.longest.max(valid);
                        known.lease.was_renewed = known.intent.is_some();
                    }
                }
                None => leases.push(Leased::new(address, ends, later(clock, valid), valid)),
            }
        }
        // One that ran out on a bridge of an intent is remembered until it is there again.
        leases.retain(|one| one.intent.is_some() || one.ends > now);
        let expiries = leases.iter().map(|one| Expiry {
            ip: one.ip,
            at: one.lease.at.clone(),
        });
        standing.expiries = expiries.collect();
    }

    /// Judges the leases on the bridge that `intent` has by `plan`.
    pub fn judge(&mut self, intent: &Intent, plan: &Plan, standing: &NetworkState, now: Duration) {
        let leases = &mut self.leases;
        let bridge = standing.bridges.iter().find(|one| one.name == plan.bridge);
        let own: &[Address] = bridge.map_or(&[], |bridge| &bridge.addresses);
        let renewal = standing.renewals.iter().find(|one| one.link == plan.bridge);
        let renewal = renewal.cloned().unwrap_or_default();
        for one in leases.iter_mut() {
            match own.iter().find(|address| address.ip == one.ip) {
                Some(address) if !address.is_link_local() => {
                    one.intent = Some(intent.name.to_string());
                    one.lease.bridge.clone_from(&plan.bridge);
                    one.lease.own_bridge = plan.bridge == intent.bridge_name();
                    one.lease.renewed_by = switch::renewed_by(address, &renewal);
                }
                Some(_) => continue,
                None if one.intent.as_deref() != Some(&*intent.name) => continue,
                // Somebody took it away, or the bridge has another one by now.
                None if one.ends > now + SLACK
                    || own.iter().any(|other| replaces(other, one.ip)) =>
                {
                    one.intent = None;
                }
                None => {}
            }
            one.problem = match one.intent {
                Some(_) => one.lease.problem(one.left(now)),
                None => None,
            };
        }
    }

    /// What `intent` has to do with leases no longer matters.
    pub fn forget(&mut self, intent: &str) {
        let leases = &mut self.leases;
        leases.retain(|one| one.intent.as_deref() != Some(intent));
    }

    /// The addresses of bridges that are not renewed, with whether each has run out, and its
    /// intent.
    pub fn problems(&self, now: Duration) -> Vec<(String, bool, Problem)> {
        let leases = &self.leases;
        let found = leases.iter().filter_map(|one| {
            let over = one.left(now) == 0;
            Some((one.intent.clone()?, over, one.problem.clone()?))
        });
        found.collect()
    }

    /// When the next address should have been renewed; none of those that are known not to be.
    pub fn next_due(&self) -> Option<Duration> {
        let leases = &self.leases;
        let awaited = leases
            .iter()
            .filter(|one| one.intent.is_some() && one.problem.is_none());
        awaited
            .map(|one| {
                one.ends
                    .saturating_sub(Duration::from_secs(one.lease.due().into()))
            })
            .min()
    }

    /// That moment has come: it is not waited for again before the next reading.
    pub fn recheck(&mut self, now: Duration) {
        for one in &mut self.leases {
            if one.intent.is_some() && one.problem.is_none() {
                one.problem = one.lease.problem(one.left(now));
            }
        }
    }
}

impl HostNetwork {
    /// Completes what a switch is planned from, which was read from `begun` on: VMs with macvtaps, and when
    /// addresses expire.
    pub fn complete(
        &mut self,
        ctx: &Context,
        network: &mut NetworkState,
        snapshot: &Snapshot,
        begun: Duration,
    ) {
        network.direct = direct(snapshot);
        self.note(network, begun, ctx.uptime(), &ctx.now());
    }

    /// Where the uplink of `plan` is named. Programs of the node are run for it when the uplink is about to become
    /// a port, and every few minutes while it is a port of accelnet's own bridge and was named.
    pub fn mentions(
        &mut self,
        ctx: &Context,
        intent: &Intent,
        plan: &Plan,
        snapshot: &Snapshot,
    ) -> Vec<Mention> {
        let now = ctx.uptime();
        let place = self
            .mentions
            .iter()
            .position(|one| one.uplink == plan.uplink);
        let known = place.and_then(|place| self.mentions.get(place));
        let becomes_port = !plan.steps.is_empty();
        let own = plan.bridge == intent.bridge_name();
        let again = match known {
            Some(known) if becomes_port => known.at + FRESH <= now,
            Some(known) => !known.mentions.is_empty() && known.at + STALE <= now,
            // An agent that has just started has more to do first.
            None => becomes_port || (own && ctx.libvirt_is_ready),
        };
        if again {
            self.mentions.retain(|one| one.uplink != plan.uplink);
            self.mentions.push(Mentioned {
                uplink: plan.uplink.clone(),
                at: now,
                mentions: ctx.edge.switches().mentions(&plan.uplink),
            });
        }
        let known = self.mentions.iter().find(|one| one.uplink == plan.uplink);
        let mut mentions = known.map_or(Vec::new(), |known| known.mentions.clone());
        mentions.extend(networks_on(snapshot, &plan.uplink));
        mentions
    }
}

impl Leased {
    fn new(address: &Address, ends: Duration, at: String, valid: u32) -> Self {
        Leased {
            ip: address.ip,
            ends,
            lease: Lease {
                address: address.to_string(),
                bridge: String::new(),
                at,
                longest: valid,
                renewed_by: None,
                was_renewed: false,
                own_bridge: false,
            },
            intent: None,
            problem: None,
        }
    }

    /// Whole seconds that are left.
    fn left(&self, now: Duration) -> u32 {
        let left = self.ends.saturating_sub(now).as_secs();
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}

/// Whether an address does for one that ran out.
fn replaces(address: &Address, ip: IpAddr) -> bool {
    address.ip.is_ipv4() == ip.is_ipv4() && !address.is_link_local()
}

/// vNICs that are macvtaps, of running VMs and by the definitions of the others.
fn direct(snapshot: &Snapshot) -> Vec<DirectVnic> {
    let networks = macvtap_networks(snapshot);
    let links = |domain: &Domain| -> Vec<String> {
        let vnics = domain.vnics.iter().filter_map(|vnic| {
            let source = vnic.source.clone()?;
            match vnic.kind.as_str() {
                "direct" => Some(vec![source]),
                "network" => {
                    let network = networks.iter().find(|(name, _)| *name == source)?;
                    Some(network.1.to_vec())
                }
                _ => None,
            }
        });
        vnics.flatten().collect()
    };
    let domains = snapshot.domains().iter();
    domains
        .flat_map(|domain| {
            links(domain).into_iter().map(|link| DirectVnic {
                vm: domain.name.clone(),
                link,
                running: domain.state.holds_devices(),
            })
        })
        .collect()
}

/// libvirt's networks that put macvtaps on links, with those links.
fn macvtap_networks(snapshot: &Snapshot) -> Vec<(&str, &[String])> {
    let networks = snapshot.network_facts().iter().filter(|(_, facts)| {
        let macvtap = matches!(
            facts.mode.as_deref(),
            Some("bridge" | "private" | "vepa" | "passthrough")
        );
        macvtap && facts.bridge.is_none()
    });
    networks
        .map(|(name, facts)| (name.as_str(), facts.links.as_slice()))
        .collect()
}

/// libvirt's networks that forward to `link`.
fn networks_on(snapshot: &Snapshot, link: &str) -> Vec<Mention> {
    let networks = snapshot.network_facts().iter();
    let networks = networks.filter(|(_, facts)| facts.links.iter().any(|one| one == link));
    let names = networks.map(|(name, _)| name.clone());
    names.map(|name| Mention::VirtualNetwork { name }).collect()
}

#[cfg(test)]
mod tests;
