//! What a cluster still has room for.

use accelnet_model::Performance;

use super::{Counts, Ledger, place_of, reserved_nodes};

/// What can still be admitted, and how much could go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headroom {
    /// How many more VMs of each setting are admitted, if all are of that setting: one after
    /// another, node by node.
    pub more: Counts,
    /// The same on each node alone.
    pub by_node: Vec<Counts>,
    /// Nodes that may go down besides those that are; none where the VMs do not fit as it is.
    pub survives: Option<usize>,
    /// The largest reserve, in percent, with which the promise would hold; none where no
    /// reserve helps.
    pub largest_reserve: Option<u8>,
}

/// What `ledger`'s cluster still has room for.
pub fn headroom(ledger: &Ledger) -> Headroom {
    let nodes = ledger.cluster().nodes.len();
    let mut work = ledger.clone();
    let mut more = [0; 3];
    let mut by_node = vec![[0; 3]; nodes];
    for setting in Performance::ALL {
        let place = place_of(setting);
        for (node, counts) in by_node.iter_mut().enumerate() {
            let added = fill(&mut work, node, setting);
            counts[place] = added.iter().sum();
            take_back(&mut work, node, setting, &added);
        }
        let mut all = Vec::with_capacity(nodes);
        for node in 0..nodes {
            let added = fill(&mut work, node, setting);
            more[place] += added.iter().sum::<u32>();
            all.push(added);
        }
        for (node, added) in all.iter().enumerate() {
            take_back(&mut work, node, setting, added);
        }
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
fn fill(work: &mut Ledger, node: usize, setting: Performance) -> Vec<u32> {
    let adapters = work.cluster().nodes[node].adapters.len();
    let mut added = Vec::with_capacity(adapters);
    for adapter in 0..adapters {
        let fits = |vms: u32| {
            let verdict = work.with(node, adapter, setting, u64::from(vms));
            verdict.is_some_and(|verdict| verdict.holds())
        };
        let vfs = work.cluster().nodes[node].adapters[adapter].vfs;
        // One VM more is never easier.
        let (mut most, mut beyond) = (0, vfs.saturating_add(1));
        while beyond - most > 1 {
            let middle = most.midpoint(beyond);
            match fits(middle) {
                true => most = middle,
                false => beyond = middle,
            }
        }
        if most > 0 {
            work.add(node, adapter, setting, most);
        }
        added.push(most);
    }
    added
}

fn take_back(work: &mut Ledger, node: usize, setting: Performance, added: &[u32]) {
    for (adapter, vms) in added.iter().enumerate().filter(|(_, vms)| **vms > 0) {
        work.remove(node, adapter, setting, *vms);
    }
}
