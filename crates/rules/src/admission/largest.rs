//! The sum of the largest of many numbers, of which one changes at a time.

use std::collections::BTreeMap;

/// Numbers, parted into the largest and the rest. Replacing one takes the logarithm of how many differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Largest {
    within: Numbers,
    beyond: Numbers,
    /// The sum of those within.
    sum: u64,
    /// The least of those within.
    least: Option<u64>,
    /// The largest of the rest.
    next: Option<u64>,
}

/// Numbers, each with how often it is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Numbers(BTreeMap<u64, usize>);

impl Numbers {
    fn of(sorted: &[u64]) -> Self {
        let runs = sorted.chunk_by(|one, other| one == other);
        Numbers(runs.map(|run| (run[0], run.len())).collect())
    }

    fn insert(&mut self, number: u64) {
        *self.0.entry(number).or_default() += 1;
    }

    fn remove(&mut self, number: u64) {
        if let Some(times) = self.0.get_mut(&number) {
            *times -= 1;
            if *times == 0 {
                self.0.remove(&number);
            }
        }
    }

    fn least(&self) -> Option<u64> {
        self.0.first_key_value().map(|(number, _)| *number)
    }

    fn most(&self) -> Option<u64> {
        self.0.last_key_value().map(|(number, _)| *number)
    }
}

impl Largest {
    /// The `count` largest of `numbers`, and the rest.
    pub fn of(mut numbers: Vec<u64>, count: usize) -> Self {
        numbers.sort_unstable();
        let (rest, largest) = numbers.split_at(numbers.len().saturating_sub(count));
        let (within, beyond) = (Numbers::of(largest), Numbers::of(rest));
        Largest {
            sum: largest.iter().sum(),
            least: within.least(),
            next: beyond.most(),
            within,
            beyond,
        }
    }

    /// The sum of the largest.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The sum of the `count` largest of all numbers.
    pub fn sum_of(&self, count: usize) -> u64 {
        let (mut left, mut sum) = (count, 0);
        let within = self.within.0.iter().rev();
        for (number, times) in within.chain(self.beyond.0.iter().rev()) {
            let taken = left.min(*times);
            sum += number * taken as u64;
            left -= taken;
            if left == 0 {
                break;
            }
        }
        sum
    }

    /// The sum of the largest, if one number were `new` instead of `old`.
    pub fn sum_with(&self, old: u64, new: u64) -> u64 {
        match self.least {
            None => self.sum,
            // Without the old one the next largest takes its place.
            Some(least) if old >= least => self.sum - old + new.max(self.next.unwrap_or(0)),
            Some(least) => self.sum - least + least.max(new),
        }
    }

    /// One number is `new` instead of `old` from now on.
    pub fn replace(&mut self, old: u64, new: u64) {
        if old == new {
            return;
        }
        self.sum = self.sum_with(old, new);
        match self.least {
            Some(least) if old >= least => {
                self.within.remove(old);
                match self.next.filter(|next| *next > new) {
                    Some(next) => {
                        self.beyond.remove(next);
                        self.within.insert(next);
                        self.beyond.insert(new);
                    }
                    None => self.within.insert(new),
                }
            }
            least => {
                self.beyond.remove(old);
                match least.filter(|least| *least < new) {
                    Some(least) => {
                        self.within.remove(least);
                        self.beyond.insert(least);
                        self.within.insert(new);
                    }
                    None => self.beyond.insert(new),
                }
            }
        }
        self.least = self.within.least();
        self.next = self.beyond.most();
    }
}

#[cfg(test)]
mod tests;
