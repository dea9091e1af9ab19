//! Warnings about the uplink and its bridge. Each sentence is the same
//! before the bridge has the uplink's addresses and afterwards, for as long as it holds.

use accelnet_model::switch::{Address, Mention, NetworkState, Renewal};

use super::choose::Chosen;
use super::keepers::{self, Pair};

/// Places of one kind that are listed; the rest is counted.
const LISTED: usize = 8;

/// What a bridge that filters VLANs means for the VMs on it, for as long as it does.
pub fn of_vlans(chosen: &Chosen<'_>) -> Option<String> {
    let bridge = chosen.existing.filter(|bridge| bridge.vlan_filtering)?;
    let (name, uplink) = (&bridge.name, &chosen.link.name);
    Some(format!(
        "Bridge {name} filters VLANs: the VF of a VM gets the VLAN of the VM's port (its PVID), as {uplink} sends it. A VM whose port has several VLANs, or one that {uplink} does not carry, gets no VF. 'bridge vlan show' lists them."
    ))
}

/// The warnings, each one or more sentences.
pub fn of(chosen: &Chosen<'_>, standing: &NetworkState) -> Vec<String> {
    let bridge = &chosen.bridge;
    let uplink = &chosen.link.name;
    let pair = Pair {
        uplink,
        mac: chosen.link.mac,
        bridge,
    };
    let keepers = chosen.uplink.keepers.iter().filter(|one| !one.as_port);
    let mut warnings: Vec<String> = keepers
        .map(|keeper| keepers::warning(keeper, pair))
        .collect();
    let renewal = renewal(chosen, standing);
    let own = chosen
        .existing
        .map_or(&[][..], |existing| &existing.addresses);
    let moving = &chosen.uplink.carried.addresses;
    let there = |address: &Address| own.iter().any(|own| own.is(address));
    let moving = moving.iter().filter(|address| !there(address));
    for address in own.iter().chain(moving) {
        let Some(seconds) = address.valid.filter(|_| !address.is_link_local()) else {
            continue;
        };
        if renewed_by(address, &renewal).is_some() {
            continue;
        }
        let expiry = standing.expiries.iter().find(|one| one.ip == address.ip);
        let when = match expiry {
            Some(expiry) => format!("at {}", expiry.at),
            None => format!("in {seconds} s"),
        };
        warnings.push(format!(
            "Address {address} runs out {when}: no program known to accelnet renews it on {bridge}, and the node is without it from then on."
        ));
    }
    let stopped = standing.direct.iter();
    let stopped: Vec<&str> = stopped
        .filter(|one| one.link == *uplink && !one.running)
        .map(|one| one.vm.as_str())
        .collect();
    if !stopped.is_empty() {
        warnings.push(format!(
            "No macvtap can be on {uplink} while it is a port of {bridge}, so these VMs do not start: {}. Connect their vNICs to a network on {bridge} in place of <interface type='direct'>.",
            listed(&stopped)
        ));
    }
    warnings
}

/// What renews leases on the bridge. Of a bridge that does not stand, or that no program
/// configures yet, it is known that it takes router advertisements as its uplink does.
fn renewal(chosen: &Chosen<'_>, standing: &NetworkState) -> Renewal {
    let of = |link: &str| standing.renewals.iter().find(|one| one.link == link);
    match chosen.existing {
        Some(bridge) => of(&bridge.name).cloned().unwrap_or_default(),
        None => Renewal {
            link: chosen.bridge.clone(),
            keepers: Vec::new(),
            advertisements: of(&chosen.link.name).is_some_and(|one| one.advertisements),
        },
    }
}

/// What renews an address that is valid for a time; none when nothing is known to.
pub fn renewed_by(address: &Address, renewal: &Renewal) -> Option<String> {
    // DHCPv6 gives addresses without a network.
    const ALONE: u8 = 128;
    if address.ip.is_ipv6() && address.prefix != ALONE && renewal.advertisements {
        return Some("router advertisements".to_owned());
    }
    let keeper = renewal.keepers.iter().find(|keeper| keeper.leases);
    keeper.map(ToString::to_string)
}

/// What names the uplink elsewhere, and what to do about it: a sentence or more for each kind.
pub fn of_mentions(uplink: &str, bridge: &str, mentions: &[Mention]) -> Vec<String> {
    let mut mentions = mentions.to_vec();
    mentions.sort();
    mentions.dedup();
    let mut warnings = Vec::new();
    for kind in mentions.chunk_by(|a, b| std::mem::discriminant(a) == std::mem::discriminant(b)) {
        let places: Vec<String> = kind.iter().map(ToString::to_string).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        let places = listed(&places);
        let now = format!("Packets for the node come in by {bridge}, no longer by {uplink}");
        warnings.extend(kind.first().map(|first| match first {
            Mention::Nftables { .. } => format!(
                "nftables names {uplink}: {places}. {now}: name {bridge} there as well ('nft -a list ruleset' shows the rules). What is at the device {uplink} itself applies to the traffic of VMs, too."
            ),
            Mention::Iptables { .. } => format!(
                "iptables names {uplink}: {places}. {now}: add the same rules for {bridge}."
            ),
            Mention::Firewalld { .. } => format!(
                "firewalld has {uplink} in {places}. {now}: run 'firewall-cmd --permanent --zone=ZONE --change-interface={bridge}' with that zone, and the same without --permanent."
            ),
            Mention::PolicyRule { .. } => format!(
                "ip rule names {uplink}: {places}. {now}, and leave by {bridge}: add the same rules with {bridge} in place of {uplink}."
            ),
            Mention::TrafficControl { .. } => format!(
                "Traffic control is set on {uplink}: {places}. It stays on {uplink}, and applies to the traffic of VMs on {bridge}, too."
            ),
            Mention::VirtualNetwork { .. } => format!(
                "Networks of libvirt forward to {uplink}: {places}. {now}: name {bridge} in their <forward> ('virsh net-edit')."
            ),
            Mention::Unread { .. } => format!(
                "Whether the firewall names {uplink} could not be read: {places}. {now}: check whether a rule has to name {bridge}."
            ),
        }));
    }
    warnings
}

/// Names, the first of them in full.
fn listed(names: &[&str]) -> String {
    match names.split_at_checked(LISTED) {
        Some((shown, rest)) if !rest.is_empty() => {
            format!("{}, and {} more", shown.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}
