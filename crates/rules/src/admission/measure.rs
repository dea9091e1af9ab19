//! When a packing comes down to sums.
//!
//! A measure gives each VM a weight and each adapter the most weight that it can hold. VMs that
//! fit weigh no more, under every measure, than the adapters can hold; a family of measures is
//! complete when the reverse is true, too. Then the nodes of a set `F` can be down if and only
//! if, under each measure, `demand(F) <= capacity(outside F)`. With what `F` has free added to both
//! sides: `sum over F of (demand + capacity) <= all capacity`. So the worst set of `k` nodes of a
//! measure is the `k` nodes with the most demand plus room of their own: no set has to be tried.
//!
//! Complete are these families (`v` VFs and `q` queue pairs are free on an adapter; an adapter
//! whose VFs are too narrow for a size holds only smaller ones, which cuts ranges short below
//! and changes no argument):
//!
//! - **VFs alone bind**: an adapter holds `v` VMs. Sizes only decide where a VM may go, and the
//!   widest adapters take the largest first: one count per size.
//! - **Queue pairs alone bind**, sizes divide each other: the largest first leave multiples of
//!   the next size free, so for each size `t`, VMs of at least `t` must fit into `floor(q/t) t`.
//! - **One size, or sizes 1 and s** (any unit): with `x` large VMs an adapter holds
//!   `f(x) = min(v - x, q - s x)` small ones. `f` is concave with slopes `-1..=-s`, so the most
//!   small ones beside `h` large ones, over all adapters, is the least over those slopes of
//!   `sum max(f + slope x) - slope h`: one measure `(1, slope)` each, and `(0, 1)`.
//! - **Sizes 1, 2 and 4**: with the large VMs set, `x` on an adapter, mediums beside them again
//!   have slopes 1 and 2. So three sums must suffice: of `f1 = min(v - x, q - 4x)` for
//!   `low + medium`, of `f2 = min(2(v - x), q - 4x)` for `low + 2 medium`, and of
//!   `f3 = min(v - x, floor(q/2) - 2x)` for `medium`. Each is concave in `x`, and what the next
//!   large VM costs in `(f1, f2)` is one of (1,2), (1,3), (1,4), (2,4), (3,4), (4,4), with `f3`
//!   following `f2`: an adapter's next one never costs less than the one before, in either, and
//!   of two such pairs one is no more in both. So filling adapters in that order is best for all
//!   three sums at once, and each sum may be judged alone, as above.
//!
//! The oracle of the tests packs by trying everything, and agrees.

/// The free capacity of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bin {
    /// VFs.
    pub vfs: u64,
    /// Queue pairs.
    pub pairs: u64,
    /// Queue pairs that one VF can have at most.
    pub most: u64,
}

impl Bin {
    /// What is left with `vms` more VMs of `size` queue pairs; none where they do not fit.
    pub fn without(self, size: u64, vms: u64) -> Option<Bin> {
        if vms > 0 && size > self.most {
            return None;
        }
        Some(Bin {
            vfs: self.vfs.checked_sub(vms)?,
            pairs: match self.pairs {
                u64::MAX => u64::MAX,
                pairs => pairs.checked_sub(size.checked_mul(vms)?)?,
            },
            most: self.most,
        })
    }
}

/// How exact the answer of a family's measures is for a set of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// It fits if and only if all of them hold.
    Exactly,
    /// It does not fit if one of them fails.
    NoIfOneFails,
    /// It fits if all of them hold.
    YesIfAllHold,
}

/// How much an adapter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// By VFs.
    Vfs,
    /// By queue pairs.
    Pairs,
    /// By both, sizes one, two, or 1, 2 and 4.
    Both,
    /// At most, by whichever is less.
    Bound,
}

/// VMs that are counted as one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grade {
    /// Queue pairs that each is counted with, in units.
    size: u64,
    /// Queue pairs that a VF must be able to have.
    reach: u64,
}

/// Measures that decide together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// How exact their answer is.
    pub precision: Precision,
    shape: Shape,
    /// Queue pairs of a unit.
    unit: u64,
    /// Sizes, the smallest first.
    grades: Vec<Grade>,
    /// The grade of each setting; none for one that no VM has.
    grade_of: [Option<usize>; 3],
    /// The measures: a weight for each grade.
    pub measures: Vec<[u64; 3]>,
}

impl Family {
    /// The weight of a VM, by setting.
    pub fn weights(&self, measure: &[u64; 3]) -> [u64; 3] {
        self.grade_of
            .map(|grade| grade.map_or(0, |grade| measure[grade]))
    }

    /// Whether it counts VMs of the setting with index `setting`.
    pub fn counts(&self, setting: usize) -> bool {
        self.grade_of[setting].is_some()
    }

    /// Whether it stays complete when VMs are removed.
    pub fn lasts(&self) -> bool {
        self.precision == Precision::Exactly && self.shape == Shape::Both
    }

    /// The largest weight that an adapter can hold.
    pub fn capacity(&self, measure: &[u64; 3], bin: Bin) -> u64 {
        let wide = |grade: &&Grade| grade.reach <= bin.most;
        let grades = self.grades.iter().take_while(wide).count();
        let Some(top) = grades.checked_sub(1) else {
            return 0;
        };
        let first = measure.iter().position(|weight| *weight > 0).unwrap_or(0);
        match self.shape {
            Shape::Vfs => bin.vfs * measure[top],
            Shape::Pairs if first > top => 0,
            Shape::Pairs => {
                let size = self.grades[first].size;
                // Every VF can have the largest size: more pairs than that are never used.
                let pairs = bin.pairs.min(bin.vfs * self.grades[top].size);
                pairs / size * size
            }
            Shape::Bound if first > top => 0,
            Shape::Bound => {
                let Grade { size, .. } = self.grades[first];
                let counted = measure[top] == measure[first];
                match counted {
                    true => bin.vfs.min(bin.pairs / size) * measure[first],
                    false => bin.pairs.min(bin.vfs * self.grades[top].size),
                }
            }
            Shape::Both => {
                let pairs = bin.pairs / self.unit;
                let size = |grade: usize| self.grades[grade].size;
                match grades {
                    1 => one(measure, bin.vfs, pairs),
                    2 => two(measure, size(1), bin.vfs, pairs),
                    _ => three(measure, size(1), size(2), bin.vfs, pairs),
                }
            }
        }
    }
}

fn one(weights: &[u64; 3], vfs: u64, pairs: u64) -> u64 {
    weights[0] * vfs.min(pairs)
}

/// The most of sizes 1 and `size`: at the ends, or where VFs and queue pairs bind at once.
fn two(weights: &[u64; 3], size: u64, vfs: u64, pairs: u64) -> u64 {
    let most = vfs.min(pairs / size);
    let turn = pairs.saturating_sub(vfs) / (size - 1);
    let weight =
        |large: u64| weights[1] * large + weights[0] * (vfs - large).min(pairs - size * large);
    let places = [0, turn.min(most), turn.saturating_add(1).min(most), most];
    places.into_iter().map(weight).max().unwrap_or(0)
}

/// The most of sizes 1, 2 and 4, likewise.
fn three(weights: &[u64; 3], medium: u64, large: u64, vfs: u64, pairs: u64) -> u64 {
    let most = vfs.min(pairs / large);
    let first = pairs.saturating_sub(vfs) / (large - 1);
    let second = pairs.saturating_sub(medium.saturating_mul(vfs)) / (large - medium);
    let weight = |x: u64| weights[2] * x + two(weights, medium, vfs - x, pairs - large * x);
    let places = [
        0,
        first.min(most),
        first.saturating_add(1).min(most),
        second.min(most),
        second.saturating_add(1).min(most),
        most,
    ];
    places.into_iter().map(weight).max().unwrap_or(0)
}

/// The measures for VMs of `sizes`, of which those in `present` are there, on adapters that
/// have `bins` free: one complete family, or several that only bound.
pub fn families(sizes: &[u64; 3], present: [bool; 3], bins: &[Bin]) -> Vec<Family> {
    let exact = |shape, grades: Vec<u64>, present| {
        vec![family(Precision::Exactly, shape, sizes, present, &grades)]
    };
    for present in [[true; 3], present] {
        let distinct = distinct(sizes, present);
        if is_plain(&distinct) {
            return exact(Shape::Both, distinct, present);
        }
    }
    let distinct = distinct(sizes, present);
    let widest = |bin: &Bin| distinct.iter().rfind(|size| **size <= bin.most).copied();
    let vfs_alone = |bin: &Bin| widest(bin).is_none_or(|size| bin.pairs >= bin.vfs * size);
    if bins.iter().all(vfs_alone) {
        return exact(Shape::Vfs, distinct, present);
    }
    let least = distinct.first().copied().unwrap_or(1);
    let pairs_alone = |bin: &Bin| bin.most < least || bin.vfs >= bin.pairs / least;
    let divide = distinct.windows(2).all(|two| two[1].is_multiple_of(two[0]));
    if divide && bins.iter().all(pairs_alone) {
        return exact(Shape::Pairs, distinct, present);
    }
    let mut all = vec![family(
        Precision::NoIfOneFails,
        Shape::Bound,
        sizes,
        present,
        &distinct,
    )];
    for larger in rounded_up(&distinct) {
        let one = family(
            Precision::YesIfAllHold,
            Shape::Both,
            sizes,
            present,
            &larger,
        );
        all.push(one);
    }
    all
}

/// The sizes that are there, the smallest first.
fn distinct(sizes: &[u64; 3], present: [bool; 3]) -> Vec<u64> {
    let there = sizes.iter().zip(present).filter(|(_, there)| *there);
    let mut distinct: Vec<u64> = there.map(|(size, _)| *size).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Whether measures are complete with VFs and queue pairs binding.
fn is_plain(sizes: &[u64]) -> bool {
    match sizes {
        [] | [_] => true,
        [a, b] => b.is_multiple_of(*a),
        [a, b, c] => *b == 2 * a && *c == 4 * a,
        _ => false,
    }
}

/// Plain sizes that are no smaller, each list as long as `sizes`.
fn rounded_up(sizes: &[u64]) -> Vec<Vec<u64>> {
    let divisor = |of: u64, least: u64| {
        (least..=of)
            .find(|size| of.is_multiple_of(*size))
            .unwrap_or(of)
    };
    let mut all = match *sizes {
        [a, b] => vec![
            vec![a, b.next_multiple_of(a)],
            vec![divisor(b, a), b],
            vec![b, b],
        ],
        [a, b, c] => {
            let unit = a.max(b.div_ceil(2)).max(c.div_ceil(4));
            vec![
                vec![unit, 2 * unit, 4 * unit],
                vec![a, c.next_multiple_of(a), c.next_multiple_of(a)],
                vec![divisor(c, a), c, c],
                vec![b, b, c.next_multiple_of(b)],
                vec![divisor(c, b), divisor(c, b), c],
                vec![c, c, c],
            ]
        }
        _ => Vec::new(),
    };
    all.sort_unstable();
    all.dedup();
    all
}

/// A family in which VMs of the distinct `sizes` that are present count with `counted`.
fn family(
    precision: Precision,
    shape: Shape,
    sizes: &[u64; 3],
    present: [bool; 3],
    counted: &[u64],
) -> Family {
    let real = distinct(sizes, present);
    let unit = match shape {
        Shape::Both => counted.first().copied().unwrap_or(1),
        _ => 1,
    };
    let mut grades: Vec<Grade> = Vec::new();
    let mut at = Vec::new();
    for (reach, counted) in real.iter().zip(counted) {
        let (size, reach) = (counted / unit, *reach);
        match grades.last_mut() {
            Some(last) if last.size == size => last.reach = reach,
            _ => grades.push(Grade { size, reach }),
        }
        at.push(grades.len() - 1);
    }
    let grade_of = std::array::from_fn(|setting| {
        let place = real.iter().position(|size| *size == sizes[setting]);
        place.filter(|_| present[setting]).map(|place| at[place])
    });
    let measures = measures(shape, &grades);
    Family {
        precision,
        shape,
        unit,
        grades,
        grade_of,
        measures,
    }
}

fn measures(shape: Shape, grades: &[Grade]) -> Vec<[u64; 3]> {
    let from = |first: usize, weight: &dyn Fn(&Grade) -> u64| {
        let mut measure = [0; 3];
        for (place, grade) in grades.iter().enumerate().skip(first) {
            measure[place] = weight(grade);
        }
        measure
    };
    let each = 0..grades.len();
    match (shape, grades) {
        (Shape::Vfs, _) => each.map(|first| from(first, &|_| 1)).collect(),
        (Shape::Pairs, _) => each.map(|first| from(first, &|grade| grade.size)).collect(),
        (Shape::Bound, _) => each
            .flat_map(|first| [from(first, &|_| 1), from(first, &|grade| grade.size)])
            .collect(),
        (Shape::Both, []) => Vec::new(),
        (Shape::Both, [_]) => vec![[1, 0, 0]],
        (Shape::Both, [_, large]) => {
            let slopes = (1..=large.size).map(|slope| [1, slope, 0]);
            slopes.chain([[0, 1, 0]]).collect()
        }
        (Shape::Both, _) => vec![
            [1, 1, 1],
            [1, 1, 2],
            [1, 1, 3],
            [1, 1, 4],
            [1, 2, 2],
            [1, 2, 3],
            [1, 2, 4],
            [0, 1, 1],
            [0, 1, 2],
            [0, 0, 1],
        ],
    }
}
