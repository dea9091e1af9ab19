//! Packing VMs into what is free: with certainty where there are few, quickly where there are
//! many.

use std::collections::BinaryHeap;

use super::measure::Bin;

/// Whether VFs suffice, if queue pairs were no matter: the largest VMs into the widest adapters.
pub fn counts_fit(bins: &[Bin], sizes: &[u64; 3], demand: [u64; 3]) -> bool {
    sizes.iter().all(|size| {
        let wanted: u64 = demand
            .iter()
            .zip(sizes)
            .filter(|(_, other)| *other >= size)
            .map(|(vms, _)| *vms)
            .sum();
        let wide = bins.iter().filter(|bin| bin.most >= *size);
        wanted <= wide.map(|bin| bin.vfs).sum()
    })
}

/// VMs that one packing leaves without a place: the largest first, into the adapter with the
/// most queue pairs a VF. Not the best packing where sizes are odd, and any packing leaves
/// something where not all fit.
pub fn left_over(bins: &[Bin], sizes: &[u64; 3], demand: [u64; 3]) -> [u64; 3] {
    let mut left = demand;
    let mut order = [0, 1, 2];
    order.sort_by_key(|setting| std::cmp::Reverse(sizes[*setting]));
    let mut bins: Vec<Bin> = bins.iter().copied().filter(|bin| bin.vfs > 0).collect();
    for setting in order {
        let size = sizes[setting];
        let fits = |bin: &Bin| bin.most >= size && bin.pairs >= size && bin.vfs > 0;
        let ratio = |bin: &Bin| u128::from(bin.pairs) * 1024 / u128::from(bin.vfs.max(1));
        let (able, mut rest): (Vec<Bin>, Vec<Bin>) = bins.into_iter().partition(fits);
        let mut heap: BinaryHeap<(u128, Bin)> =
            able.into_iter().map(|bin| (ratio(&bin), bin)).collect();
        while left[setting] > 0
            && let Some((_, bin)) = heap.pop()
        {
            left[setting] -= 1;
            match bin.without(size, 1) {
                Some(bin) if fits(&bin) => heap.push((ratio(&bin), bin)),
                Some(bin) => rest.push(bin),
                None => {}
            }
        }
        rest.extend(heap.into_iter().map(|(_, bin)| bin));
        bins = rest;
    }
    left
}

/// Whether `demand` fits into `bins`, by trying everything that differs: for each number of
/// large and medium VMs that the adapters so far can hold, the most small ones beside them.
/// Takes from `work` what it costs; none when that is not enough.
pub fn packs(bins: &[Bin], sizes: &[u64; 3], demand: [u64; 3], work: &mut u64) -> Option<bool> {
    let mut order = [0, 1, 2];
    order.sort_by_key(|setting| sizes[*setting]);
    let [small, medium, large] = order.map(|setting| sizes[setting]);
    let [smalls, mediums, larges] = order.map(|setting| demand[setting]);
    let cells = (mediums + 1).saturating_mul(larges + 1);
    if cells > *work {
        return None;
    }
    let wide = usize::try_from(mediums + 1).ok()?;
    // The most small ones, by larges * wide + mediums.
    let mut best: Vec<Option<u64>> = vec![None; usize::try_from(cells).ok()?];
    best[0] = Some(0);
    for bin in bins.iter().filter(|bin| bin.vfs > 0 && bin.most >= small) {
        let mut next = best.clone();
        for (place, held) in best.iter().enumerate() {
            let Some(held) = *held else { continue };
            let (have_larges, have_mediums) = ((place / wide) as u64, (place % wide) as u64);
            for x in 0..=larges - have_larges {
                let Some(with) = bin.without(large, x) else {
                    break;
                };
                for y in 0..=mediums - have_mediums {
                    let Some(with) = with.without(medium, y) else {
                        break;
                    };
                    *work = work.checked_sub(1)?;
                    let z = with.vfs.min(with.pairs / small);
                    let there =
                        place + usize::try_from(x).ok()? * wide + usize::try_from(y).ok()?;
                    let most = smalls.min(held + z);
                    next[there] = Some(next[there].map_or(most, |before| before.max(most)));
                }
            }
        }
        best = next;
        if best.last().copied().flatten() == Some(smalls) {
            return Some(true);
        }
    }
    Some(best.last().copied().flatten() == Some(smalls))
}
