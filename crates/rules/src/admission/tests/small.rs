//! Small clusters at random, and the oracle that tries everything.

use super::super::*;

/// A generator of numbers that only depends on its seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0..`many`.
    pub fn below(&mut self, many: u64) -> u64 {
        self.next() % many
    }

    pub fn small(&mut self, from: u32, to: u32) -> u32 {
        from + u32::try_from(self.below(u64::from(to - from) + 1)).expect("a small number")
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let place = self.below(all.len() as u64);
        all[usize::try_from(place).expect("a small number")]
    }
}

/// Sizes that divide each other.
pub const DIVIDING: [[u64; 3]; 12] = [
    [1, 2, 4],
    [1, 2, 4],
    [1, 2, 4],
    [2, 4, 8],
    [1, 1, 1],
    [1, 1, 4],
    [1, 4, 4],
    [2, 2, 6],
    [1, 2, 8],
    [1, 3, 6],
    [1, 2, 6],
    [1, 4, 8],
];

/// Sizes that do not.
pub const ODD: [[u64; 3]; 5] = [[1, 2, 3], [2, 3, 4], [2, 3, 6], [3, 4, 5], [1, 3, 4]];

/// Up to 6 nodes with up to 3 adapters each, some of them narrow, some without a limit, some
/// nodes down, and VMs wherever they have room.
pub fn cluster(random: &mut Random, sizes: [u64; 3]) -> Cluster {
    let count = random.small(1, 6);
    let unit = u32::try_from(sizes[0]).expect("a small number");
    let widest = u32::try_from(sizes[2]).expect("a small number");
    let busy = random.below(5);
    let uneven = random.below(2) == 0;
    let some = random.below(4) == 0;
    let like: Vec<Adapter> = (0..random.small(1, 2))
        .map(|place| adapter(random, place, unit, widest))
        .collect();
    let mut nodes = Vec::new();
    for number in 0..count {
        let mut adapters = match uneven {
            false => like.clone(),
            true => (0..random.small(1, 3))
                .map(|place| adapter(random, place, unit, widest))
                .collect(),
        };
        for adapter in &mut adapters {
            for _ in 0..adapter.vfs {
                if random.below(5) >= busy {
                    continue;
                }
                let setting = random.one_of(&[0, 1, 2]);
                adapter.promised[setting] += 1;
                if adapter.free(&sizes).is_none() {
                    adapter.promised[setting] -= 1;
                }
            }
        }
        nodes.push(Node {
            name: format!("n{number}"),
            down: some && random.below(5) == 0,
            adapters,
            stranded: [0; 3],
        });
    }
    Cluster {
        nodes,
        sizes,
        reserve_percentage: 0,
    }
}

fn adapter(random: &mut Random, place: u32, unit: u32, widest: u32) -> Adapter {
    let vfs = random.small(0, 5);
    let tight = random.below(3) > 0;
    let most = vfs * widest;
    let pairs = match tight {
        true => random.small(0, (most / 2).max(1)),
        false => random.small(most / 2, most),
    };
    Adapter {
        name: format!("pf{place}"),
        vfs,
        queue_pairs: (random.below(12) > 0).then_some(pairs),
        queue_pairs_per_vf: match random.below(3) {
            0 => None,
            1 => Some(random.small(unit, widest)),
            _ => Some(widest),
        },
        promised: [0; 3],
    }
}

/// The least reserve that means `down` nodes.
pub fn reserve_for(nodes: usize, down: usize) -> u8 {
    (0..=99)
        .find(|reserve| reserved_nodes(nodes, *reserve) == down)
        .expect("a reserve")
}

/// Whether the VMs of the nodes in `gone`, and of those that are down, fit on the others: by
/// trying every adapter for every VM, one after another.
pub fn fits(cluster: &Cluster, gone: u32) -> bool {
    let mut vms: Vec<u64> = Vec::new();
    let mut bins: Vec<(u64, u64, u64)> = Vec::new();
    for (place, node) in cluster.nodes.iter().enumerate() {
        let gone = node.down || gone & (1 << place) != 0;
        if !gone && node.stranded != [0; 3] {
            return false;
        }
        if gone {
            for (vms_of, size) in node.vms().iter().zip(cluster.sizes) {
                vms.extend((0..*vms_of).map(|_| size));
            }
            continue;
        }
        for adapter in &node.adapters {
            let taken: u64 = adapter
                .promised
                .iter()
                .zip(cluster.sizes)
                .map(|(vms, size)| u64::from(*vms) * size)
                .sum();
            let number: u64 = adapter.promised.iter().map(|vms| u64::from(*vms)).sum();
            let pairs = adapter.queue_pairs.map_or(100_000, u64::from);
            let most = adapter.queue_pairs_per_vf.map_or(100_000, u64::from);
            if number > u64::from(adapter.vfs) || taken > pairs {
                return false;
            }
            bins.push((u64::from(adapter.vfs) - number, pairs - taken, most));
        }
    }
    vms.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    let mut seen = std::collections::HashSet::new();
    place_all(&vms, &mut bins, &mut seen)
}

type Bins = Vec<(u64, u64, u64)>;

/// Depth first, remembering what was tried in vain.
fn place_all(
    vms: &[u64],
    bins: &mut Bins,
    seen: &mut std::collections::HashSet<(usize, Bins)>,
) -> bool {
    let Some((size, rest)) = vms.split_first() else {
        return true;
    };
    let mut key = bins.clone();
    key.sort_unstable();
    if !seen.insert((vms.len(), key)) {
        return false;
    }
    for place in 0..bins.len() {
        let (vfs, pairs, most) = bins[place];
        if vfs == 0 || pairs < *size || most < *size || bins[..place].contains(&bins[place]) {
            continue;
        }
        bins[place] = (vfs - 1, pairs - size, most);
        let placed = place_all(rest, bins, seen);
        bins[place] = (vfs, pairs, most);
        if placed {
            return true;
        }
    }
    false
}

/// Whether all fits for every set of `more` nodes that are up.
pub fn holds(cluster: &Cluster, more: usize) -> bool {
    let up: Vec<usize> = (0..cluster.nodes.len())
        .filter(|place| !cluster.nodes[*place].down)
        .collect();
    (0_u32..1 << cluster.nodes.len()).all(|gone| {
        let of_up = up.iter().filter(|place| gone & (1 << **place) != 0).count();
        let proper = gone.count_ones() as usize == of_up && of_up == more;
        !proper || fits(cluster, gone)
    })
}
