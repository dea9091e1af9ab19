//! A cluster as sums: one more VM changes a few numbers of one node.

use std::collections::{BTreeSet, HashMap, HashSet};

use accelnet_model::Performance;

use super::largest::Largest;
use super::measure::{Bin, Family, Says, families};
use super::search::{self, Found};
use super::verdict::{Binding, Refusal, Verdict};
use super::{Cluster, Node, pack, place_of};

/// A cluster, ready to be judged again and again.
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

/// The sums of one measure.
#[derive(Debug, Clone)]
struct Column {
    measure: [u64; 3],
    /// The weight of a VM, by setting.
    weights: [u64; 3],
    /// Demand and room of each node that is up; nothing for one that is down.
    keys: Vec<u64>,
    /// The same of the nodes that are up: the largest, as many as may go down, and the rest.
    largest: Largest,
    /// Room of all nodes that are up.
    room: u64,
    /// Demand of the nodes that are down.
    lost: u64,
}

/// Whether a verdict names the nodes that are down at worst, which sorts all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worst {
    Named,
    Unnamed,
}

/// More VMs of one setting on one adapter.
#[derive(Debug, Clone, Copy)]
struct Addition {
    node: usize,
    setting: usize,
    vms: u64,
    before: Bin,
    after: Bin,
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

    /// The cluster, with all that was added.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Whether every VM fits with any `more` of the nodes down besides those that are.
    pub fn holds_with(&self, more: usize) -> Verdict {
        self.judged(more, None, Worst::Named)
    }

    /// Whether the promise of the reserve holds.
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
    /// adapter has no room for them.
    pub fn with(
        &self,
        node: usize,
        adapter: usize,
        setting: Performance,
        vms: u64,
    ) -> Option<Verdict> {
        self.with_addition(node, adapter, setting, vms, Worst::Named)
    }

    /// Whether the promise would hold with `vms` more VMs of `setting` on an adapter. In a large cluster this
    /// takes a fraction of [`Ledger::with`] where it would not: the nodes that are down at worst are not
    /// looked for.
    pub fn has_room_for(
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
    pub(super) fn room_of(&self, node: usize, adapter: usize, setting: Performance) -> u32 {
        let bin = self.free.get(node).and_then(|bins| bins.get(adapter));
        let size = self.cluster.sizes[place_of(setting)];
        let room = bin.filter(|bin| size <= bin.most);
        let room = room.map_or(0, |bin| bin.vfs.min(bin.pairs / size));
        u32::try_from(room).unwrap_or(u32::MAX - 1)
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
    /// with which the promise holds.
    ///
    /// # Errors
    ///
    /// No adapter there has room now, or the promise would not hold.
    pub fn admit(&self, node: usize, setting: Performance) -> Result<usize, Refusal> {
        self.first_with_room(node, setting).map_err(|refused| {
            let named = refused.and_then(|adapter| {
                let verdict = self.with(node, adapter, setting, 1)?;
                Some((adapter, verdict))
            });
            let Some((adapter, verdict)) = named else {
                return self.no_room(node, setting);
            };
            let mut cluster = self.cluster.clone();
            cluster.nodes[node].adapters[adapter].promised[place_of(setting)] += 1;
            refusal(&cluster, &verdict)
        })
    }

    /// The same without a reason where there is none.
    pub fn admits(&self, node: usize, setting: Performance) -> Option<usize> {
        self.first_with_room(node, setting).ok()
    }

    /// Else the adapter whose refusal says most; none where no adapter has room now.
    fn first_with_room(&self, node: usize, setting: Performance) -> Result<usize, Option<usize>> {
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

    /// Why the promise does not hold; none where it does.
    pub fn refusal(&self) -> Option<Refusal> {
        let verdict = self.holds();
        (!verdict.holds()).then(|| refusal(&self.cluster, &verdict))
    }

    fn no_room(&self, node: usize, setting: Performance) -> Refusal {
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

    /// Adds `vms` VMs of `setting` to an adapter, whether or not the promise holds with them.
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

    /// Takes `vms` VMs of `setting` away from an adapter.
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
                        let old = table.family.room(&column.measure, before);
                        let new = table.family.room(&column.measure, after);
                        let demand = column.weights[place] * gone;
                        let key = column.keys[node] - old + new - demand;
                        column.room = column.room - old + new;
                        column.replace(node, key);
                    }
                }
            }
            _ => self.count_anew(),
        }
    }

    /// Adds a VM of `setting` for which no adapter of its node has room.
    pub fn add_stranded(&mut self, node: usize, setting: Performance) {
        self.cluster.nodes[node].stranded[place_of(setting)] += 1;
        self.count_anew();
    }

    /// Takes such a VM away.
    pub fn remove_stranded(&mut self, node: usize, setting: Performance) {
        let stranded = &mut self.cluster.nodes[node].stranded[place_of(setting)];
        *stranded = stranded.saturating_sub(1);
        self.count_anew();
    }

    /// Puts `node` in the place of another, which it is now: of the sums only its own parts change.
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
                let room = |bins: &[Bin]| -> u64 {
                    let each = bins
                        .iter()
                        .map(|bin| table.family.room(&column.measure, *bin));
                    each.sum()
                };
                let (taken, given) = (room(&before), room(&self.free[place]));
                column.room = column.room - taken + given;
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
                let (key, room) = column.after(&table.family, &addition);
                column.room = room;
                column.replace(addition.node, key);
            }
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
            match (table.family.says, failing) {
                (Says::Exactly | Says::YesIfAllHold, None) => return Verdict::Holds,
                (Says::Exactly | Says::NoIfOneFails, Some(column)) => {
                    return Verdict::Fails(worst(&table.family, column));
                }
                (Says::YesIfAllHold, Some(column)) if unproved.is_none() => {
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
        // The asked node last among equals: what is lost elsewhere tells more.
        up.sort_by_key(|(place, _)| std::cmp::Reverse(key(*place)));
        let all = down.iter().chain(up.iter().take(more));
        let mut worst: Vec<usize> = all.map(|(place, _)| *place).collect();
        worst.sort_unstable();
        worst
    }
}

/// What is missing in `cluster` with a verdict's nodes down.
fn refusal(cluster: &Cluster, verdict: &Verdict) -> Refusal {
    let worst = verdict.worst().to_vec();
    let mut is_down: Vec<bool> = cluster.nodes.iter().map(|node| node.down).collect();
    worst.iter().for_each(|place| is_down[*place] = true);
    let sizes = &cluster.sizes;
    let mut demand = [0; 3];
    let mut bins = Vec::new();
    // VMs on nodes that stay up, without a VF there.
    let mut lose = [0; 3];
    for (node, is_down) in cluster.nodes.iter().zip(is_down) {
        if is_down {
            add(&mut demand, node.vms().map(u64::from));
            continue;
        }
        add(&mut lose, node.stranded.map(u64::from));
        for adapter in &node.adapters {
            match adapter.free(sizes) {
                Some(bin) => bins.push(bin),
                None => {
                    let whole = adapter.whole();
                    let promised = adapter.promised.map(u64::from);
                    add(&mut lose, pack::left_over(&[whole], sizes, promised));
                }
            }
        }
    }
    let counts_fit = pack::counts_fit(&bins, sizes, demand);
    add(&mut lose, pack::left_over(&bins, sizes, demand));
    let too_wide = (0..3).any(|place| lose[place] > 0 && !can_be_given(cluster, sizes[place]));
    Refusal {
        binding: match too_wide || (counts_fit && !is_short_of_vfs(cluster, &worst)) {
            true => Binding::QueuePairs,
            false => Binding::Vfs,
        },
        lose,
        worst,
        proved: !matches!(verdict, Verdict::Unproved(_)),
    }
}

/// Whether any adapter could ever give a VF with so many queue pairs.
fn can_be_given(cluster: &Cluster, pairs: u64) -> bool {
    let mut adapters = cluster.nodes.iter().flat_map(|node| &node.adapters);
    adapters.any(|adapter| adapter.can_give(pairs))
}

/// Whether a node that stays up has more VMs than VFs, when those of `worst` are down.
fn is_short_of_vfs(cluster: &Cluster, worst: &[usize]) -> bool {
    let worst: HashSet<usize> = worst.iter().copied().collect();
    let mut nodes = cluster.nodes.iter().enumerate();
    nodes.any(|(place, node)| {
        let vms: u64 = node.vms().iter().map(|vms| u64::from(*vms)).sum();
        let vfs: u64 = node.adapters.iter().map(|one| u64::from(one.vfs)).sum();
        !node.down && !worst.contains(&place) && vms > vfs
    })
}

fn add(sum: &mut [u64; 3], vms: [u64; 3]) {
    for (sum, vms) in sum.iter_mut().zip(vms) {
        *sum += vms;
    }
}

/// What adapters have free, each once: many have the same, and a measure judges that once.
struct Kinds {
    bins: Vec<Bin>,
    /// By node and adapter: the place of what it has free.
    places: Vec<Vec<usize>>,
}

impl Kinds {
    fn of(free: &[Vec<Bin>]) -> Self {
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

fn column(
    family: &Family,
    measure: &[u64; 3],
    cluster: &Cluster,
    kinds: &Kinds,
    more: usize,
) -> Column {
    let rooms: Vec<u64> = kinds
        .bins
        .iter()
        .map(|bin| family.room(measure, *bin))
        .collect();
    let weights = family.weights(measure);
    let mut column = Column {
        measure: *measure,
        weights,
        keys: Vec::with_capacity(cluster.nodes.len()),
        largest: Largest::default(),
        room: 0,
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
        let room: u64 = places.iter().map(|place| rooms[*place]).sum();
        column.room += room;
        column.keys.push(demand + room);
        up.push(demand + room);
    }
    column.largest = Largest::of(up, more);
    column
}

/// What the adapters of a node have free, and whether it has what it promised; nothing of one that is down.
fn bins_of(node: &Node, sizes: &[u64; 3]) -> (Vec<Bin>, bool) {
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
fn weighed(weights: &[u64; 3], node: &Node) -> u64 {
    let each = node.vms().into_iter().zip(weights);
    each.map(|(vms, weight)| u64::from(vms) * weight).sum()
}

impl Column {
    /// A node's key, and all room, with VMs added to it.
    fn after(&self, family: &Family, addition: &Addition) -> (u64, u64) {
        let old = family.room(&self.measure, addition.before);
        let new = family.room(&self.measure, addition.after);
        let key = self.keys[addition.node] - old + new;
        let demand = self.weights[addition.setting] * addition.vms;
        (key + demand, self.room - old + new)
    }

    /// Whether the worst `more` nodes find room; `usual` is what the sum of the largest is for.
    fn holds(
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
            None => self.lost + top() <= self.room,
            Some(addition) => {
                let (key, room) = self.after(family, addition);
                let old = self.keys[addition.node];
                self.lost + self.largest.sum_with(old, key) <= room
            }
        }
    }

    /// Gives a node that is up another key.
    fn replace(&mut self, node: usize, key: u64) {
        let old = std::mem::replace(&mut self.keys[node], key);
        self.largest.replace(old, key);
    }
}
