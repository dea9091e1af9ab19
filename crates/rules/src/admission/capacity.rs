//! The free capacity of a cluster.

use accelnet_model::Performance;

use super::{Counts, Ledger, place_of, reserved_nodes};

/// VMs that can still be admitted, and node failures that the cluster survives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headroom {
    /// How many more VMs of each setting are admitted, if all are of that setting: one after
    /// another, node by node.
    pub more: Counts,
    /// The same on each node alone.
    pub by_node: Vec<Counts>,
    /// Nodes that may go down besides those that are; none where the VMs do not fit as it is.
    pub survives: Option<usize>,
    /// The largest reserve, in percent, for which the capacity suffices; none where no
    /// reserve helps.
    pub largest_reserve: Option<u8>,
}

/// The free capacity of `ledger`'s cluster.
pub fn headroom(ledger: &Ledger) -> Headroom {
    let nodes = ledger.cluster().nodes.len();
    let mut more = [0; 3];
    let mut by_node = vec![[0; 3]; nodes];
    for setting in Performance::ALL {
        let place = place_of(setting);
        let mut work = ledger.knowing_also(setting);
        for (node, counts) in by_node.iter_mut().enumerate() {
            counts[place] = alone(&mut work, node, setting);
        }
        more[place] = (0..nodes).map(|node| fill(&mut work, node, setting)).sum();
    }
    let survives = ledger.survives();
    Headroom {
        more,
        by_node,
        survives,
        largest_reserve: survives.and_then(|survives| largest_reserve(ledger, survives)),
    }
}

/// The largest reserve that promises no more than `survives` nodes besides those that are down.
fn largest_reserve(ledger: &Ledger, survives: usize) -> Option<u8> {
    let cluster = ledger.cluster();
    let down = cluster.down();
    let promises =
        |reserve: &u8| reserved_nodes(cluster.nodes.len(), *reserve).saturating_sub(down);
    (0..=99).rev().find(|reserve| promises(reserve) <= survives)
}

/// Adds as many VMs as are admitted to each adapter of a node; returns how many.
fn fill(work: &mut Ledger, node: usize, setting: Performance) -> u32 {
    let adapters = work.cluster().nodes[node].adapters.len();
    let mut added = 0;
    for adapter in 0..adapters {
        let vms = most(work, node, adapter, setting);
        if vms > 0 {
            work.add(node, adapter, setting, vms);
        }
        added += vms;
    }
    added
}

/// How many VMs are admitted to a node, which has none of them afterwards.
fn alone(work: &mut Ledger, node: usize, setting: Performance) -> u32 {
    let adapters = work.cluster().nodes[node].adapters.len();
    let mut added = Vec::with_capacity(adapters);
    for adapter in 0..adapters {
        let vms = most(work, node, adapter, setting);
        added.push(vms);
        // Only further adapters see what this one has.
        if vms > 0 && adapter + 1 < adapters {
            work.add(node, adapter, setting, vms);
        }
    }
    let before_the_last = added.iter().enumerate().take(adapters.saturating_sub(1));
    for (adapter, vms) in before_the_last.filter(|(_, vms)| **vms > 0) {
        work.remove(node, adapter, setting, *vms);
    }
    added.iter().sum()
}

/// How many VMs are admitted to one adapter.
fn most(work: &Ledger, node: usize, adapter: usize, setting: Performance) -> u32 {
    let fits = |vms: u32| work.has_capacity_for(node, adapter, setting, u64::from(vms));
    // One VM more is never easier. Most adapters take all that they have room for, or none.
    let mut beyond = work.capacity_for(node, adapter, setting).saturating_add(1);
    if beyond == 1 || !fits(1) {
        return 0;
    }
    let mut most = 1;
    let mut middle = beyond - 1;
    while beyond - most > 1 {
        match fits(middle) {
            true => most = middle,
            false => beyond = middle,
        }
        middle = most.midpoint(beyond);
    }
    most
}
