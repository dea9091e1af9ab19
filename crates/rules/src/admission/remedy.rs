//! Remedies for a VM that is refused. Each was tried, and suffices by itself.

use std::collections::HashSet;
use std::fmt;

use accelnet_model::Performance;

use super::{Cluster, Ledger, place_of};

/// VFs or queue pairs more, each adapter, that are tried at most.
const MOST: u32 = 4096;
/// Names that are listed before the rest is counted.
const NAMES: usize = 4;

/// A change that suffices by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// A reserve of so many percent, or less.
    Reserve(u8),
    /// A lower setting for the VM.
    Setting(Performance),
    /// The VM on another node.
    Node(String),
    /// More capacity of an adapter.
    More {
        /// VFs more on each adapter.
        vfs: u32,
        /// Queue pairs more on each adapter.
        queue_pairs: u32,
        /// Nodes whose adapters need it, by name.
        nodes: Vec<String>,
    },
}

impl fmt::Display for Remedy {
    /// An imperative: "lower the node reserve to 33 %".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |number: u32, thing: &str| match number {
            1 => format!("1 {thing}"),
            number => format!("{number} {thing}s"),
        };
        match self {
            Remedy::Reserve(reserve) => write!(f, "lower the node reserve to {reserve} %"),
            Remedy::Setting(setting) => write!(f, "take {setting}"),
            Remedy::Node(node) => write!(f, "run the VM on {node}"),
            Remedy::More {
                vfs,
                queue_pairs,
                nodes,
            } => {
                let mut what = Vec::new();
                if *vfs > 0 {
                    what.push(plural(*vfs, "VF"));
                }
                if *queue_pairs > 0 {
                    what.push(plural(*queue_pairs, "queue pair"));
                }
                let many = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
                write!(
                    f,
                    "add {} to each adapter of {} ({})",
                    what.join(" and "),
                    plural(many, "node"),
                    names(nodes)
                )
            }
        }
    }
}

/// The first names, and how many more there are.
pub(crate) fn names<T: AsRef<str>>(all: &[T]) -> String {
    let shown: Vec<&str> = all.iter().take(NAMES).map(AsRef::as_ref).collect();
    match all.len() - shown.len() {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// The remedies, each by itself: for one more VM (its node and setting), or for the cluster
/// as it is.
pub fn remedies(cluster: &Cluster, asked: Option<(usize, Performance)>) -> Vec<Remedy> {
    let mut all = Vec::new();
    all.extend(lower_reserve(cluster, asked).map(Remedy::Reserve));
    if let Some((node, setting)) = asked {
        let ledger = Ledger::new(cluster.clone());
        let lower = Performance::ALL.into_iter().rev();
        let mut lower = lower
            .filter(|lower| cluster.sizes[place_of(*lower)] < cluster.sizes[place_of(setting)]);
        all.extend(
            lower
                .find(|lower| ledger.admits(node, *lower).is_some())
                .map(Remedy::Setting),
        );
        let mut others = (0..cluster.nodes.len()).filter(|other| *other != node);
        let other = others.find(|other| ledger.admits(*other, setting).is_some());
        all.extend(other.map(|other| Remedy::Node(cluster.nodes[other].name.clone())));
    }
    all.extend(more(cluster, asked));
    all
}

/// Whether `cluster` admits what is asked, or holds as it is.
fn suffices(cluster: Cluster, asked: Option<(usize, Performance)>) -> bool {
    let ledger = Ledger::new(cluster);
    match asked {
        Some((node, setting)) => ledger.admits(node, setting).is_some(),
        None => ledger.holds().holds(),
    }
}

/// The largest reserve below the present one that suffices.
fn lower_reserve(cluster: &Cluster, asked: Option<(usize, Performance)>) -> Option<u8> {
    let with = |reserve_percentage| Cluster {
        reserve_percentage,
        ..cluster.clone()
    };
    // A lower reserve is never harder.
    let mut least = None;
    let (mut low, mut high) = (0, cluster.reserve_percentage);
    while low < high {
        let middle = low + (high - low) / 2;
        match suffices(with(middle), asked) {
            true => {
                least = Some(middle);
                low = middle + 1;
            }
            false => high = middle,
        }
    }
    least
}

/// The fewest VFs, or queue pairs, or both, more on each adapter that suffice; then the fewest
/// nodes that need them.
fn more(cluster: &Cluster, asked: Option<(usize, Performance)>) -> Option<Remedy> {
    let largest = |adapter: &super::Adapter| {
        let wide = cluster.sizes.iter().filter(|size| adapter.can_give(**size));
        u32::try_from(wide.max().copied().unwrap_or(1)).unwrap_or(u32::MAX)
    };
    let adapters = || cluster.nodes.iter().flat_map(|node| &node.adapters);
    let pairs = adapters().map(largest).max().unwrap_or(1);
    // Nodes outside of the worst set first: what those of it get is lost with them.
    let worst = match asked {
        Some((node, setting)) => Ledger::new(cluster.clone()).admit(node, setting).err(),
        None => Ledger::new(cluster.clone()).refusal(),
    };
    let worst = worst.map_or_else(Vec::new, |refusal| refusal.worst);
    let worst: HashSet<usize> = worst.into_iter().collect();
    let asking = asked.map(|(node, _)| node);
    let mut order: Vec<usize> = (0..cluster.nodes.len()).collect();
    order.sort_by_key(|place| {
        let down = cluster.nodes[*place].down;
        (down, worst.contains(place), Some(*place) != asking)
    });
    let with = |(vfs, queue_pairs): (u32, u32), nodes: usize| {
        let mut larger = cluster.clone();
        for place in &order[..nodes] {
            for adapter in &mut larger.nodes[*place].adapters {
                adapter.vfs = adapter.vfs.saturating_add(vfs);
                adapter.queue_pairs = adapter
                    .queue_pairs
                    .map(|old| old.saturating_add(queue_pairs));
            }
        }
        larger
    };
    let kinds: [&dyn Fn(u32) -> (u32, u32); 3] =
        [&|n| (n, 0), &|n| (0, n), &|n| (n, n.saturating_mul(pairs))];
    for kind in kinds {
        let enough = |number, nodes| suffices(with(kind(number), nodes), asked);
        if !enough(MOST, order.len()) {
            continue;
        }
        let number = least(1, MOST, |number| enough(number, order.len()));
        let nodes = least(1, count(order.len()), |nodes| {
            enough(number, nodes as usize)
        });
        let mut named: Vec<usize> = order[..nodes as usize].to_vec();
        named.sort_unstable();
        let (vfs, queue_pairs) = kind(number);
        return Some(Remedy::More {
            vfs,
            queue_pairs,
            nodes: named
                .iter()
                .map(|place| cluster.nodes[*place].name.clone())
                .collect(),
        });
    }
    None
}

/// The least number of `from..=to` that is enough, where `to` is and more is never less.
fn least(from: u32, to: u32, enough: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low.midpoint(high);
        match enough(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    high
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
