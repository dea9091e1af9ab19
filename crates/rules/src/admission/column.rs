//! The sums of one measure.

use std::collections::HashMap;

use super::largest::Largest;
use super::measure::{Bin, Family};
use super::{Cluster, Node};

/// The sums of one measure.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) measure: [u64; 3],
    /// The weight of a VM, by setting.
    pub(super) weights: [u64; 3],
    /// Demand and room of each node that is up; nothing for one that is down.
    pub(super) keys: Vec<u64>,
    /// The same of the nodes that are up: the largest, as many as may go down, and the rest.
    pub(super) largest: Largest,
    /// Room of all nodes that are up.
    pub(super) capacity: u64,
    /// Demand of the nodes that are down.
    pub(super) lost: u64,
}

/// More VMs of one setting on one adapter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addition {
    pub(super) node: usize,
    pub(super) setting: usize,
    pub(super) vms: u64,
    pub(super) before: Bin,
    pub(super) after: Bin,
}

/// What adapters have free, each once: many have the same, and a measure judges that once.
pub(super) struct Kinds {
    pub(super) bins: Vec<Bin>,
    /// By node and adapter: the place of what it has free.
    pub(super) places: Vec<Vec<usize>>,
}

impl Kinds {
    pub(super) fn of(free: &[Vec<Bin>]) -> Self {
        let mut bins = Vec::new();
        let mut known = HashMap::new();
        let mut place = |bin: &Bin| {
            *known.entry(*bin).or_insert_with(|| {
                bins.push(*bin);
                bins.len() - 1
            })
        };
        let each = free.iter();
        let places = each.map(|node| node.iter().map(&mut place).collect());
        let places = places.collect();
        Kinds { bins, places }
    }
}

pub(super) fn column(
    family: &Family,
    measure: &[u64; 3],
    cluster: &Cluster,
    kinds: &Kinds,
    more: usize,
) -> Column {
    let rooms: Vec<u64> = kinds
        .bins
        .iter()
        .map(|bin| family.capacity(measure, *bin))
        .collect();
    let weights = family.weights(measure);
    let mut column = Column {
        measure: *measure,
        weights,
        keys: Vec::with_capacity(cluster.nodes.len()),
        largest: Largest::default(),
        capacity: 0,
        lost: 0,
    };
    let mut up = Vec::with_capacity(cluster.nodes.len());
    for (node, places) in cluster.nodes.iter().zip(&kinds.places) {
        let demand = weighed(&weights, node);
        if node.down {
            column.lost += demand;
            column.keys.push(0);
            continue;
        }
        let capacity: u64 = places.iter().map(|place| rooms[*place]).sum();
        column.capacity += capacity;
        column.keys.push(demand + capacity);
        up.push(demand + capacity);
    }
    column.largest = Largest::of(up, more);
    column
}

/// What the adapters of a node have free, and whether it has what it promised; nothing of one that is down.
pub(super) fn bins_of(node: &Node, sizes: &[u64; 3]) -> (Vec<Bin>, bool) {
    if node.down {
        return (Vec::new(), true);
    }
    let none = Bin {
        vfs: 0,
        pairs: 0,
        most: 0,
    };
    let mut whole = node.stranded == [0; 3];
    let bins = node.adapters.iter().map(|adapter| {
        let bin = adapter.free(sizes);
        whole &= bin.is_some();
        bin.unwrap_or(none)
    });
    let bins = bins.collect();
    (bins, whole)
}

/// The weight of all VMs of a node.
pub(super) fn weighed(weights: &[u64; 3], node: &Node) -> u64 {
    let each = node.vms().into_iter().zip(weights);
    each.map(|(vms, weight)| u64::from(vms) * weight).sum()
}

impl Column {
    /// A node's key, and all room, with VMs added to it.
    pub(super) fn after(&self, family: &Family, addition: &Addition) -> (u64, u64) {
        let old = family.capacity(&self.measure, addition.before);
        let new = family.capacity(&self.measure, addition.after);
        let key = self.keys[addition.node] - old + new;
        let demand = self.weights[addition.setting] * addition.vms;
        (key + demand, self.capacity - old + new)
    }

    /// Whether the worst `more` nodes find room; `usual` is what the sum of the largest is for.
    pub(super) fn holds(
        &self,
        family: &Family,
        more: usize,
        addition: Option<&Addition>,
        usual: usize,
    ) -> bool {
        let top = || match more == usual {
            true => self.largest.sum(),
            false => self.largest.sum_of(more),
        };
        match addition {
            None => self.lost + top() <= self.capacity,
            Some(addition) => {
                let (key, capacity) = self.after(family, addition);
                let old = self.keys[addition.node];
                self.lost + self.largest.sum_with(old, key) <= capacity
            }
        }
    }

    /// Gives a node that is up another key.
    pub(super) fn replace(&mut self, node: usize, key: u64) {
        let old = std::mem::replace(&mut self.keys[node], key);
        self.largest.replace(old, key);
    }
}
