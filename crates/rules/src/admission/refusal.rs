//! Why a cluster does not hold.

use std::collections::HashSet;

use super::verdict::{Binding, Refusal, Verdict};
use super::{Cluster, pack};

/// What is missing in `cluster` with a verdict's nodes down.
pub(super) fn refusal(cluster: &Cluster, verdict: &Verdict) -> Refusal {
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

pub(super) fn add(sum: &mut [u64; 3], vms: [u64; 3]) {
    for (sum, vms) in sum.iter_mut().zip(vms) {
        *sum += vms;
    }
}
