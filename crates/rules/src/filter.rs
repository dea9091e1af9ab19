//! The addresses that the filter of an adapter needs, so that VMs on its VFs reach every station behind its
//! bridge.
//!
//! An adapter forwards a frame of a VF to another VF that has the destination, to the PF if the PF's
//! filter has it, and else to the wire alone. So the filter needs every address behind the bridge that no
//! VF has. It must not have an address that is outside: the frames would no longer reach the wire.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_model::Mac;

#[cfg(test)]
mod tests;

/// Most addresses that one adapter gets.
pub const MOST: usize = 512;

/// Most learned addresses behind one port that an adapter gets: a guest that sends from ever new addresses
/// fills no filter.
pub const MOST_BEHIND_A_PORT: usize = 64;

/// The owner of an address, the most important first: the order in which a small filter is filled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A VM in failover bridging.
    Bridged(String),
    /// The node itself.
    Node,
    /// A VM on its software path.
    Vm(String),
    /// Stations behind a port of the bridge.
    Port(String),
    /// An accelerated VM that does not run: it is bridged from its start on.
    Stopped,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Owner::Bridged(vm) | Owner::Vm(vm) => write!(f, "VM {vm}"),
            Owner::Node => write!(f, "the node"),
            Owner::Port(port) => write!(f, "port {port}"),
            Owner::Stopped => write!(f, "a VM that does not run"),
        }
    }
}

/// The input for the filter of one adapter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The adapter's own MAC.
    pub adapter: Option<Mac>,
    /// How many VFs the adapter has.
    pub vfs: usize,
    /// MACs that VFs have, of this adapter and of the node's others.
    pub vf_macs: BTreeSet<Mac>,
    /// MACs in failover bridging.
    pub bridged: BTreeSet<Mac>,
    /// MACs of accelerated VMs that do not run.
    pub stopped: BTreeSet<Mac>,
    /// The node's own MACs on the bridge.
    pub node: BTreeSet<Mac>,
    /// vNICs on the bridge of the VMs that run here, with the VM's name.
    pub vms: BTreeMap<Mac, String>,
    /// MACs that the bridge learned behind other ports than the uplink, with the port's name.
    pub learned: BTreeMap<Mac, String>,
}

/// One address, and its owner.
pub type Address = (Owner, Mac);

/// The addresses that the filter needs, the most important first. Without VFs it needs none: no VM
/// sends through the adapter but the bridge.
pub fn wanted(facts: &Facts) -> Vec<Address> {
    if facts.vfs == 0 {
        return Vec::new();
    }
    let name = |mac: &Mac| match facts.vms.get(mac) {
        Some(vm) => vm.clone(),
        None => mac.to_string(),
    };
    let bridged = facts.bridged.iter();
    let bridged = bridged.map(|mac| (Owner::Bridged(name(mac)), *mac));
    let node = facts.node.iter().map(|mac| (Owner::Node, *mac));
    let vms = facts.vms.iter();
    let vms = vms.map(|(mac, vm)| (Owner::Vm(vm.clone()), *mac));
    let mut taken = BTreeSet::new();
    let mut wanted = Vec::new();
    let stopped = facts.stopped.iter().map(|mac| (Owner::Stopped, *mac));
    let running = bridged.chain(node).chain(vms).chain(by_turns(facts));
    for (owner, mac) in running.chain(stopped) {
        let both = matches!(owner, Owner::Bridged(_) | Owner::Stopped);
        let in_vf = facts.vf_macs.contains(&mac) && !both;
        let none = mac.is_multicast() || mac == Mac::ZERO || facts.adapter == Some(mac);
        if !in_vf && !none && taken.insert(mac) {
            wanted.push((owner, mac));
        }
    }
    wanted
}

/// Learned addresses, of each port one before the second of any.
fn by_turns(facts: &Facts) -> Vec<Address> {
    let mut ports: BTreeMap<&str, usize> = BTreeMap::new();
    let mut turns = Vec::new();
    for (mac, port) in &facts.learned {
        let turn = ports.entry(port).or_default();
        turns.push((*turn, port, *mac));
        *turn += 1;
    }
    turns.sort();
    let turns = turns.into_iter();
    let within = turns.filter(|(turn, ..)| *turn < MOST_BEHIND_A_PORT);
    within
        .map(|(_, port, mac)| (Owner::Port(port.clone()), mac))
        .collect()
}

/// A change of a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Own entries to remove, before the others are added.
    pub remove: Vec<Mac>,
    /// Entries to add, in this order.
    pub add: Vec<Address>,
    /// Addresses without an entry.
    pub left_out: Vec<Address>,
}

/// The change to a filter with the first `capacity` of `wanted`; `ours` are the entries that this program
/// made, and `others` those of other programs, which stay and do not count.
pub fn change(
    wanted: &[Address],
    ours: &BTreeSet<Mac>,
    others: &BTreeSet<Mac>,
    capacity: usize,
) -> Change {
    let needed = wanted.iter().filter(|(_, mac)| !others.contains(mac));
    let needed: Vec<&Address> = needed.collect();
    let (kept, left_out) = needed.split_at(capacity.min(MOST).min(needed.len()));
    let stay: BTreeSet<Mac> = kept.iter().map(|(_, mac)| *mac).collect();
    let new = kept.iter().filter(|(_, mac)| !ours.contains(mac));
    Change {
        remove: ours.difference(&stay).copied().collect(),
        add: new.map(|one| (*one).clone()).collect(),
        left_out: left_out.iter().map(|one| (*one).clone()).collect(),
    }
}
