//! Every set of nodes that can be down, where no measures are complete: nodes that are alike
//! count once.

use std::collections::BTreeMap;

use super::measure::Bin;
use super::pack;

/// Sets that are read, at most.
const SETS: u64 = 20_000;
/// Steps of packing, at most.
const WORK: u64 = 5_000_000;

/// What the search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Every set fits.
    Fits,
    /// With these nodes down it does not.
    Fails(Vec<usize>),
    /// There is more to read than the bound permits.
    TooMany,
}

/// Nodes with the same free adapters and the same VMs.
struct Kind {
    nodes: Vec<usize>,
    free: Vec<Bin>,
    demand: [u64; 3],
}

/// Reads every set of `more` nodes that are up, those in `down` being down already.
pub fn every_set(
    free: &[Vec<Bin>],
    demands: &[[u64; 3]],
    down: &[bool],
    sizes: &[u64; 3],
    more: usize,
) -> Found {
    let mut kinds: BTreeMap<(Vec<Bin>, [u64; 3]), Vec<usize>> = BTreeMap::new();
    let mut lost = [0; 3];
    for (node, ((bins, demand), down)) in free.iter().zip(demands).zip(down).enumerate() {
        if *down {
            lost = plus(lost, *demand, 1);
            continue;
        }
        let mut bins: Vec<Bin> = bins.iter().copied().filter(|bin| bin.vfs > 0).collect();
        bins.sort_unstable();
        kinds.entry((bins, *demand)).or_default().push(node);
    }
    let kinds: Vec<Kind> = kinds
        .into_iter()
        .map(|((free, demand), nodes)| Kind {
            nodes,
            free,
            demand,
        })
        .collect();
    if sets(&kinds, more) > SETS {
        return Found::TooMany;
    }
    let mut search = Search {
        kinds: &kinds,
        sizes,
        work: WORK,
        taken: Vec::with_capacity(kinds.len()),
    };
    match search.rest(more, lost) {
        None => Found::TooMany,
        Some(None) => Found::Fits,
        Some(Some(mut worst)) => {
            worst.extend(
                down.iter()
                    .enumerate()
                    .filter(|(_, down)| **down)
                    .map(|(node, _)| node),
            );
            worst.sort_unstable();
            Found::Fails(worst)
        }
    }
}

/// How many sets of `more` nodes differ; the greatest number where there are more than that.
fn sets(kinds: &[Kind], more: usize) -> u64 {
    let mut ways = vec![0_u64; more + 1];
    ways[0] = 1;
    for kind in kinds {
        let mut next = vec![0_u64; more + 1];
        for (there, sum) in next.iter_mut().enumerate() {
            let least = there.saturating_sub(kind.nodes.len());
            for before in &ways[least..=there] {
                *sum = sum.saturating_add(*before);
            }
        }
        ways = next;
        if ways.iter().all(|ways| *ways > SETS) {
            return u64::MAX;
        }
    }
    ways[more]
}

struct Search<'a> {
    kinds: &'a [Kind],
    sizes: &'a [u64; 3],
    work: u64,
    /// How many of each kind are down, of those that were decided.
    taken: Vec<usize>,
}

impl Search<'_> {
    /// A set that does not fit, of all that begin with what was taken; the outer none when the
    /// bound was met.
    fn rest(&mut self, more: usize, lost: [u64; 3]) -> Option<Option<Vec<usize>>> {
        let Some(kind) = self.kinds.get(self.taken.len()) else {
            return self.judge(lost);
        };
        let after: usize = self.kinds[self.taken.len() + 1..]
            .iter()
            .map(|kind| kind.nodes.len())
            .sum();
        for here in more.saturating_sub(after)..=more.min(kind.nodes.len()) {
            self.taken.push(here);
            let found = self.rest(more - here, plus(lost, kind.demand, here as u64));
            self.taken.pop();
            if !matches!(found, Some(None)) {
                return found;
            }
        }
        Some(None)
    }

    fn judge(&mut self, lost: [u64; 3]) -> Option<Option<Vec<usize>>> {
        let each = || self.kinds.iter().zip(&self.taken);
        let left = each().flat_map(|(kind, taken)| {
            let nodes = kind.nodes.len() - taken;
            std::iter::repeat_n(kind.free.as_slice(), nodes)
                .flatten()
                .copied()
        });
        let bins: Vec<Bin> = left.collect();
        let fits = pack::packs(&bins, self.sizes, lost, &mut self.work)?;
        Some((!fits).then(|| {
            let worst = each().flat_map(|(kind, taken)| kind.nodes.iter().take(*taken));
            worst.copied().collect()
        }))
    }
}

fn plus(sum: [u64; 3], demand: [u64; 3], nodes: u64) -> [u64; 3] {
    std::array::from_fn(|setting| sum[setting] + demand[setting] * nodes)
}
