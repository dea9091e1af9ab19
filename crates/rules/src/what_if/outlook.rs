//! The capacity of a cluster and its use.

use accelnet_model::capacity::{Capacity, MoreVms, NodeCapacity, Share};
use accelnet_model::{Performance, Problem};

use crate::admission::{self, Counts, Ledger, headroom, place_of};

/// VFs and queue pairs that are in use on a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InUse {
    /// VFs.
    pub vfs: u32,
    /// Queue pairs.
    pub queue_pairs: u32,
}

/// An accelerated VM: name, index of its node, and setting.
pub type AcceleratedVm<'a> = (&'a str, usize, Performance);

/// The capacity of `ledger`'s cluster, of which each node has `in_use` in use.
pub fn outlook(ledger: &Ledger, in_use: &[InUse], vms: &[AcceleratedVm<'_>]) -> Capacity {
    let cluster = ledger.cluster();
    let room = headroom(ledger);
    let used = in_use
        .iter()
        .copied()
        .chain(std::iter::repeat(InUse::default()));
    let nodes = cluster.nodes.iter().zip(&room.by_node).zip(used);
    let problem = failover_shortage(ledger, vms);
    Capacity {
        node_reserve_percentage: cluster.reserve_percentage,
        survives_nodes: number(cluster.reserved()),
        failover_capacity_ok: problem.is_none(),
        problem,
        node_failures_survived: room.survives.map(number),
        largest_reserve: room.largest_reserve,
        additional_vms: MoreVms {
            low: room.more[0],
            medium: room.more[1],
            high: room.more[2],
        },
        nodes: nodes
            .map(|((node, more), used)| node_capacity(node, &cluster.sizes, *more, used))
            .collect(),
        answers: Vec::new(),
    }
}

/// Why failover capacity does not suffice for the reserve; none where it does.
pub fn failover_shortage(ledger: &Ledger, vms: &[AcceleratedVm<'_>]) -> Option<Problem> {
    let refusal = ledger.refusal()?;
    let cluster = ledger.cluster();
    let losers = refusal.losers(placed(vms));
    let remedies = admission::remedies(cluster, None);
    Some(admission::explain(
        cluster, None, &refusal, &losers, &remedies,
    ))
}

/// VMs with their setting's place.
pub(crate) fn placed<'a>(
    vms: &[AcceleratedVm<'a>],
) -> impl DoubleEndedIterator<Item = (&'a str, usize, usize)> {
    let each = vms.iter();
    each.map(|(vm, node, setting)| (*vm, *node, place_of(*setting)))
}

fn node_capacity(
    node: &admission::Node,
    sizes: &[u64; 3],
    more: Counts,
    used: InUse,
) -> NodeCapacity {
    let promised: u32 = node.vms().iter().sum();
    let pairs: u64 = node
        .vms()
        .iter()
        .zip(sizes)
        .map(|(vms, size)| u64::from(*vms) * size)
        .sum();
    let vfs = node.adapters.iter().map(|one| u64::from(one.vfs)).sum();
    let all_pairs = node
        .adapters
        .iter()
        .map(|one| one.queue_pairs.map(u64::from));
    let takes = more.iter().map(|vms| u64::from(*vms)).max().unwrap_or(0);
    let takes_pairs = more
        .iter()
        .zip(sizes)
        .map(|(vms, size)| u64::from(*vms) * size)
        .max();
    NodeCapacity {
        node: node.name.clone(),
        down: node.down,
        vfs: share(Some(vfs), used.vfs, u64::from(promised), takes),
        queue_pairs: share(
            all_pairs.sum(),
            used.queue_pairs,
            pairs,
            takes_pairs.unwrap_or(0),
        ),
    }
}

/// `takes` is the most that new VMs can take.
pub(super) fn share(total: Option<u64>, in_use: u32, promised: u64, takes: u64) -> Share {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let free = total.map(|total| total.saturating_sub(promised));
    Share {
        total: total.map(narrow),
        in_use,
        allocated: narrow(promised),
        free: free.map(narrow),
        unavailable: free.map(|free| narrow(free.saturating_sub(takes))),
    }
}

pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
