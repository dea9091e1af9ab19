//! Changes of a ledger.

use accelnet_model::Performance;

use super::Ledger;
use crate::admission::column::{Addition, bins_of, weighed};
use crate::admission::measure::Bin;
use crate::admission::{Cluster, Node, place_of};

impl Ledger {
    /// Adds `vms` VMs of `setting` to an adapter, whether or not failover capacity suffices.
    pub fn add(&mut self, node: usize, adapter: usize, setting: Performance, vms: u32) {
        let place = place_of(setting);
        let size = self.cluster.sizes[place];
        let promised = &mut self.cluster.nodes[node].adapters[adapter].promised[place];
        *promised = promised.saturating_add(vms);
        let before = self
            .free
            .get(node)
            .and_then(|bins| bins.get(adapter))
            .copied();
        let after = before.and_then(|before| before.without(size, u64::from(vms)));
        match (before, after) {
            (Some(before), Some(after)) if self.known[place] => {
                self.free[node][adapter] = after;
                let vms = u64::from(vms);
                self.apply(Addition {
                    node,
                    setting: place,
                    vms,
                    before,
                    after,
                });
            }
            _ => self.count_anew(),
        }
    }

    /// Removes `vms` VMs of `setting` from an adapter.
    pub fn remove(&mut self, node: usize, adapter: usize, setting: Performance, vms: u32) {
        let place = place_of(setting);
        let sizes = self.cluster.sizes;
        let adapter_now = &mut self.cluster.nodes[node].adapters[adapter];
        let promised = &mut adapter_now.promised[place];
        let gone = u64::from(vms.min(*promised));
        *promised = promised.saturating_sub(vms);
        let after = adapter_now.free(&sizes);
        let whole = self.broken.is_empty() && !self.cluster.nodes[node].down;
        // Other families may be complete once something is free again.
        let lasting = self.tables.iter().all(|table| table.family.lasts());
        match after {
            Some(after) if whole && lasting => {
                let before = std::mem::replace(&mut self.free[node][adapter], after);
                for table in &mut self.tables {
                    for column in &mut table.columns {
                        let old = table.family.capacity(&column.measure, before);
                        let new = table.family.capacity(&column.measure, after);
                        let demand = column.weights[place] * gone;
                        let key = column.keys[node] - old + new - demand;
                        column.capacity = column.capacity - old + new;
                        column.replace(node, key);
                    }
                }
            }
            _ => self.count_anew(),
        }
    }

    /// Adds a VM of `setting` for which no adapter of its node has free capacity.
    pub fn add_stranded(&mut self, node: usize, setting: Performance) {
        self.cluster.nodes[node].stranded[place_of(setting)] += 1;
        self.count_anew();
    }

    /// Removes such a VM.
    pub fn remove_stranded(&mut self, node: usize, setting: Performance) {
        let stranded = &mut self.cluster.nodes[node].stranded[place_of(setting)];
        *stranded = stranded.saturating_sub(1);
        self.count_anew();
    }

    /// Replaces the node at `place`: only its own parts of the sums change.
    pub fn set_node(&mut self, place: usize, node: Node) {
        let Some(old) = self.cluster.nodes.get_mut(place) else {
            return;
        };
        let old = std::mem::replace(old, node);
        let new = &self.cluster.nodes[place];
        let mut vms = new.vms().into_iter().zip(self.known);
        let known = vms.all(|(vms, known)| vms == 0 || known);
        let lasting = self.tables.iter().all(|table| table.family.lasts());
        if !known || !lasting || old.down != new.down {
            self.count_anew();
            return;
        }
        let (bins, whole) = bins_of(new, &self.cluster.sizes);
        match whole {
            true => self.broken.remove(&place),
            false => self.broken.insert(place),
        };
        let before = std::mem::replace(&mut self.free[place], bins);
        for table in &mut self.tables {
            for column in &mut table.columns {
                let gone = weighed(&column.weights, &old);
                let demand = weighed(&column.weights, new);
                if new.down {
                    column.lost = column.lost - gone + demand;
                    continue;
                }
                let capacity = |bins: &[Bin]| -> u64 {
                    let each = bins
                        .iter()
                        .map(|bin| table.family.capacity(&column.measure, *bin));
                    each.sum()
                };
                let (taken, given) = (capacity(&before), capacity(&self.free[place]));
                column.capacity = column.capacity - taken + given;
                column.replace(place, demand + given);
            }
        }
    }

    fn count_anew(&mut self) {
        let empty = Cluster {
            nodes: Vec::new(),
            ..self.cluster
        };
        *self = Ledger::new(std::mem::replace(&mut self.cluster, empty));
    }

    fn apply(&mut self, addition: Addition) {
        for table in &mut self.tables {
            for column in &mut table.columns {
                let (key, capacity) = column.after(&table.family, &addition);
                column.capacity = capacity;
                column.replace(addition.node, key);
            }
        }
    }
}
