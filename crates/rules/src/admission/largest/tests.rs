use proptest::prelude::*;

use super::*;

/// The sum of the `count` largest, by sorting all.
fn sorted(numbers: &[u64], count: usize) -> u64 {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
    numbers.iter().take(count).sum()
}

proptest! {
    /// Few numbers differ, so that equal ones stand on both sides.
    #[test]
    fn it_stays_what_it_is_when_all_are_sorted_anew(
        mut numbers in prop::collection::vec(0..6_u64, 1..12),
        count in 0..14_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..6_u64), 0..20),
    ) {
        let mut largest = Largest::of(numbers.clone(), count);
        for (place, new) in changes {
            let place = place.index(numbers.len());
            let old = std::mem::replace(&mut numbers[place], new);
            prop_assert_eq!(largest.sum_with(old, new), sorted(&numbers, count));
            largest.replace(old, new);
            prop_assert_eq!(&largest, &Largest::of(numbers.clone(), count));
            for other in 0..numbers.len() + 2 {
                prop_assert_eq!(largest.sum_of(other), sorted(&numbers, other));
            }
        }
    }
}
