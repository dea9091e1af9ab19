//! A cluster as sums: one more VM changes a few numbers of one node.

mod changes;

use std::collections::BTreeSet;

use accelnet_model::Performance;

use super::column::{Addition, Column, Kinds, bins_of, column};
use super::measure::{Bin, Family, Precision, families};
use super::refusal::refusal;
use super::search::{self, Found};
use super::verdict::{Binding, Refusal, Verdict};
use super::{Cluster, place_of};

/// A cluster, prepared for repeated evaluation.
#[derive(Debug, Clone)]
pub struct Ledger {
    cluster: Cluster,
    /// What is free, by node and adapter; of nodes that are down nothing is.
    free: Vec<Vec<Bin>>,
    /// Nodes that are up and have promised what they have not.
    broken: BTreeSet<usize>,
    /// Nodes that may go down besides those that are.
    more: usize,
    /// Settings that the tables know.
    known: [bool; 3],
    tables: Vec<Table>,
}

/// A family with its sums.
#[derive(Debug, Clone)]
struct Table {
    family: Family,
    columns: Vec<Column>,
}

/// Whether a verdict names the nodes that are down at worst, which sorts all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worst {
    Named,
    Unnamed,
}

impl Ledger {
    /// The sums of `cluster`.
    pub fn new(cluster: Cluster) -> Self {
        let mut present = [false; 3];
        for node in &cluster.nodes {
            for (there, vms) in present.iter_mut().zip(node.vms()) {
                *there |= vms > 0;
            }
        }
        Ledger::knowing(cluster, present)
    }

    fn knowing(cluster: Cluster, known: [bool; 3]) -> Self {
        let mut broken = BTreeSet::new();
        let mut free = Vec::with_capacity(cluster.nodes.len());
        for (place, node) in cluster.nodes.iter().enumerate() {
            let (bins, whole) = bins_of(node, &cluster.sizes);
            if !whole {
                broken.insert(place);
            }
            free.push(bins);
        }
        let kinds = Kinds::of(&free);
        let more = cluster.reserved_besides();
        let families = families(&cluster.sizes, known, &kinds.bins);
        let table = |family: Family| {
            let measures = family.measures.iter();
            let columns = measures.map(|measure| column(&family, measure, &cluster, &kinds, more));
            Table {
                columns: columns.collect(),
                family,
            }
        };
        let tables: Vec<Table> = families.into_iter().map(table).collect();
        Ledger {
            broken,
            more,
            known: std::array::from_fn(|setting| {
                tables.iter().all(|table| table.family.counts(setting))
            }),
            tables,
            free,
            cluster,
        }
    }

    /// The cluster, with all changes.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Whether every VM fits with any `more` of the nodes down besides those that are.
    pub fn holds_with(&self, more: usize) -> Verdict {
        self.judged(more, None, Worst::Named)
    }

    /// Whether failover capacity suffices for the reserve.
    pub fn holds(&self) -> Verdict {
        self.holds_with(self.more)
    }

    /// How many nodes may go down besides those that are, whichever they are; none where the
    /// VMs do not fit as it is.
    pub fn survives(&self) -> Option<usize> {
        let up = self.cluster.nodes.len() - self.cluster.down();
        let mut holds = None;
        let (mut low, mut high) = (0, up.max(1));
        // With fewer nodes down it is never harder: their VMs stay where they are.
        while low < high {
            let middle = low.midpoint(high);
            match self.holds_with(middle) {
                Verdict::Holds => {
                    holds = Some(middle);
                    low = middle + 1;
                }
                _ => high = middle,
            }
        }
        holds
    }

    /// Whether it would hold with `vms` more VMs of `setting` on an adapter; none where the
    /// adapter has no free capacity for them.
    pub fn with(
        &self,
        node: usize,
        adapter: usize,
        setting: Performance,
        vms: u64,
    ) -> Option<Verdict> {
        self.with_addition(node, adapter, setting, vms, Worst::Named)
    }

    /// Whether failover capacity would suffice with `vms` more VMs of `setting` on an adapter. In a large cluster this
    /// takes a fraction of [`Ledger::with`] where it would not: the nodes that are down at worst are not
    /// searched.
    pub fn has_capacity_for(
        &self,
        node: usize,
        adapter: usize,
        setting: Performance,
        vms: u64,
    ) -> bool {
        let verdict = self.with_addition(node, adapter, setting, vms, Worst::Unnamed);
        verdict.is_some_and(|verdict| verdict.holds())
    }

    /// How many more VMs of `setting` an adapter has room for now, whatever the reserve; with no limit of its
    /// VFs or pairs, as many as can be counted.
    pub(super) fn capacity_for(&self, node: usize, adapter: usize, setting: Performance) -> u32 {
        let bin = self.free.get(node).and_then(|bins| bins.get(adapter));
        let size = self.cluster.sizes[place_of(setting)];
        let capacity = bin.filter(|bin| size <= bin.most);
        let capacity = capacity.map_or(0, |bin| bin.vfs.min(bin.pairs / size));
        u32::try_from(capacity).unwrap_or(u32::MAX - 1)
    }

    /// The same ledger with tables that know VMs of `setting`, which it may not have yet.
    pub fn knowing_also(&self, setting: Performance) -> Self {
        let mut known = self.known;
        known[place_of(setting)] = true;
        match known == self.known {
            true => self.clone(),
            false => Ledger::knowing(self.cluster.clone(), known),
        }
    }

    fn with_addition(
        &self,
        node: usize,
        adapter: usize,
        setting: Performance,
        vms: u64,
        worst: Worst,
    ) -> Option<Verdict> {
        let place = place_of(setting);
        let before = *self.free.get(node)?.get(adapter)?;
        let after = before.without(self.cluster.sizes[place], vms)?;
        let addition = Addition {
            node,
            setting: place,
            vms,
            before,
            after,
        };
        let addition = Some((adapter, addition));
        Some(match self.known[place] {
            true => self.judged(self.more, addition, worst),
            false => self
                .knowing_also(setting)
                .judged(self.more, addition, worst),
        })
    }

    /// The adapter of a node, by place, that one more VM of `setting` can have there: the first
    /// with which failover capacity suffices.
    ///
    /// # Errors
    ///
    /// No adapter there has free capacity, or failover capacity would not suffice.
    pub fn admit(&self, node: usize, setting: Performance) -> Result<usize, Refusal> {
        self.first_with_capacity(node, setting).map_err(|refused| {
            let named = refused.and_then(|adapter| {
                let verdict = self.with(node, adapter, setting, 1)?;
                Some((adapter, verdict))
            });
            let Some((adapter, verdict)) = named else {
                return self.no_capacity(node, setting);
            };
            let mut cluster = self.cluster.clone();
            cluster.nodes[node].adapters[adapter].promised[place_of(setting)] += 1;
            refusal(&cluster, &verdict)
        })
    }

    /// The same, without the reason of a refusal.
    pub fn admits(&self, node: usize, setting: Performance) -> Option<usize> {
        self.first_with_capacity(node, setting).ok()
    }

    /// Else the adapter with the most specific refusal; none where no adapter has room now.
    fn first_with_capacity(
        &self,
        node: usize,
        setting: Performance,
    ) -> Result<usize, Option<usize>> {
        let adapters = self.free.get(node).map_or(0, Vec::len);
        let mut refused = None;
        for adapter in 0..adapters {
            match self.with_addition(node, adapter, setting, 1, Worst::Unnamed) {
                None => {}
                Some(Verdict::Holds) => return Ok(adapter),
                Some(Verdict::Unproved(_)) => refused = Some(adapter),
                Some(Verdict::Fails(_)) => refused = refused.or(Some(adapter)),
            }
        }
        Err(refused)
    }

    /// Why failover capacity does not suffice; none where it does.
    pub fn refusal(&self) -> Option<Refusal> {
        let verdict = self.holds();
        (!verdict.holds()).then(|| refusal(&self.cluster, &verdict))
    }

    fn no_capacity(&self, node: usize, setting: Performance) -> Refusal {
        let size = self.cluster.sizes[place_of(setting)];
        let bins = self.free.get(node).into_iter().flatten();
        let vfs: u64 = bins.filter(|bin| bin.most >= size).map(|bin| bin.vfs).sum();
        let mut lose = [0; 3];
        lose[place_of(setting)] = 1;
        Refusal {
            binding: match vfs {
                0 => Binding::Vfs,
                _ => Binding::QueuePairs,
            },
            worst: Vec::new(),
            lose,
            proved: true,
        }
    }

    fn judged(&self, more: usize, addition: Option<(usize, Addition)>, named: Worst) -> Verdict {
        if let Some(broken) = self.broken.first().copied() {
            // It has promised what it has not, and no other node need be down for that.
            let down = self.cluster.nodes.iter().enumerate();
            let mut down: Vec<usize> = down
                .filter(|(_, node)| node.down)
                .map(|(place, _)| place)
                .collect();
            down.retain(|place| *place != broken);
            return Verdict::Fails(down);
        }
        let change = addition.map(|(_, addition)| addition);
        let worst = |family: &Family, column: &Column| match named {
            Worst::Named => self.worst(family, column, more, change.as_ref()),
            Worst::Unnamed => Vec::new(),
        };
        let mut unproved = None;
        for table in &self.tables {
            let mut columns = table.columns.iter();
            let failing = columns
                .find(|column| !column.holds(&table.family, more, change.as_ref(), self.more));
            match (table.family.precision, failing) {
                (Precision::Exactly | Precision::YesIfAllHold, None) => return Verdict::Holds,
                (Precision::Exactly | Precision::NoIfOneFails, Some(column)) => {
                    return Verdict::Fails(worst(&table.family, column));
                }
                (Precision::YesIfAllHold, Some(column)) if unproved.is_none() => {
                    unproved = Some(worst(&table.family, column));
                }
                _ => {}
            }
        }
        let Some(unproved) = unproved else {
            return Verdict::Holds;
        };
        let mut free = self.free.clone();
        let mut demands: Vec<[u64; 3]> = self
            .cluster
            .nodes
            .iter()
            .map(|node| node.vms().map(u64::from))
            .collect();
        if let Some((adapter, addition)) = addition {
            free[addition.node][adapter] = addition.after;
            demands[addition.node][addition.setting] += addition.vms;
        }
        let down: Vec<bool> = self.cluster.nodes.iter().map(|node| node.down).collect();
        match search::every_set(&free, &demands, &down, &self.cluster.sizes, more) {
            Found::Fits => Verdict::Holds,
            Found::Fails(worst) => Verdict::Fails(worst),
            Found::TooMany => Verdict::Unproved(unproved),
        }
    }

    /// The nodes that are down when a measure is at its worst.
    fn worst(
        &self,
        family: &Family,
        column: &Column,
        more: usize,
        change: Option<&Addition>,
    ) -> Vec<usize> {
        let key = |place: usize| match change {
            Some(change) if change.node == place => column.after(family, change).0,
            _ => column.keys[place],
        };
        let nodes = self.cluster.nodes.iter().enumerate();
        let (down, mut up): (Vec<_>, Vec<_>) = nodes.partition(|(_, node)| node.down);
        // The asked node last among equals: losses elsewhere explain more.
        up.sort_by_key(|(place, _)| std::cmp::Reverse(key(*place)));
        let all = down.iter().chain(up.iter().take(more));
        let mut worst: Vec<usize> = all.map(|(place, _)| *place).collect();
        worst.sort_unstable();
        worst
    }
}
