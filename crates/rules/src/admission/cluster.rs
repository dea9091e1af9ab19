//! The cluster that admission evaluates.

use accelnet_model::Performance;
use accelnet_model::performance::PerformanceSettings;

use super::measure::Bin;

/// Nodes that may be down at once: `floor(nodes x reserve / 100)`.
pub fn reserved_nodes(nodes: usize, reserve_percentage: u8) -> usize {
    let down = nodes as u128 * u128::from(reserve_percentage) / 100;
    usize::try_from(down).unwrap_or(nodes)
}

/// Numbers of VMs, by setting: Low, Medium, High.
pub type Counts = [u32; 3];

/// The index of a setting in [`Counts`].
pub const fn place_of(setting: Performance) -> usize {
    match setting {
        Performance::Low => 0,
        Performance::Medium => 1,
        Performance::High => 2,
    }
}

/// Queue pairs of Low, Medium and High; none takes less than one.
pub fn sizes_of(figures: &PerformanceSettings) -> [u64; 3] {
    Performance::ALL.map(|setting| u64::from(figures.of(setting).queue_pairs).max(1))
}

/// An adapter of the intent, with its capacity and allocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// Its name on its node.
    pub name: String,
    /// VFs that accelerated VMs can have.
    pub vfs: u32,
    /// Queue pairs of all those VFs; no limit when none.
    pub queue_pairs: Option<u32>,
    /// Queue pairs that one VF can have at most; no limit when none.
    pub queue_pairs_per_vf: Option<u32>,
    /// VMs that have a VF of it, or will when they start.
    pub promised: Counts,
}

/// A node with its adapters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it is down now: its VMs need VFs elsewhere already.
    pub down: bool,
    /// The intent's adapters there.
    pub adapters: Vec<Adapter>,
    /// VMs there that no adapter has a VF for.
    pub stranded: Counts,
}

/// A cluster: its nodes, the queue pairs of the settings, and the reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// Queue pairs of Low, Medium and High.
    pub sizes: [u64; 3],
    /// The share of nodes that may be down at once, in percent, 0..=99.
    pub reserve_percentage: u8,
}

impl Cluster {
    /// Nodes that may be down at once by the reserve.
    pub fn reserved(&self) -> usize {
        reserved_nodes(self.nodes.len(), self.reserve_percentage)
    }

    /// Nodes that are down now.
    pub fn down(&self) -> usize {
        self.nodes.iter().filter(|node| node.down).count()
    }

    /// Nodes that may go down besides those that are, by the reserve.
    pub fn reserved_besides(&self) -> usize {
        self.reserved().saturating_sub(self.down())
    }
}

impl Adapter {
    /// All that it has.
    pub(super) fn whole(&self) -> Bin {
        Bin {
            vfs: u64::from(self.vfs),
            pairs: self.queue_pairs.map_or(u64::MAX, u64::from),
            most: self.queue_pairs_per_vf.map_or(u64::MAX, u64::from),
        }
    }

    /// VFs and queue pairs that are left; none when more is promised than there is, or to a VM
    /// that needs more of one VF than it can have.
    pub(super) fn free(&self, sizes: &[u64; 3]) -> Option<Bin> {
        let mut free = self.whole();
        for (vms, size) in self.promised.iter().zip(sizes) {
            free = free.without(*size, u64::from(*vms))?;
        }
        Some(free)
    }

    /// Whether it has free capacity for one more VM of the setting with index `setting`.
    pub fn has_capacity(&self, sizes: &[u64; 3], setting: usize) -> bool {
        let free = self.free(sizes);
        free.and_then(|free| free.without(sizes[setting], 1))
            .is_some()
    }

    /// Whether it could ever give a VF with so many queue pairs.
    pub fn can_give(&self, pairs: u64) -> bool {
        let whole = self.whole();
        pairs <= whole.pairs.min(whole.most)
    }
}

impl Node {
    /// VMs of the node, by setting.
    pub fn vms(&self) -> Counts {
        let mut all = self.stranded;
        for adapter in &self.adapters {
            for (sum, vms) in all.iter_mut().zip(adapter.promised) {
                *sum += vms;
            }
        }
        all
    }
}
