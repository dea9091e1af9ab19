//! Conditions: what is found again and again is raised once, keeps its time, and is cleared once, with hysteresis.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// When a condition is raised and cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hysteresis {
    /// It is raised when it was found so often, at least once,
    pub raise_after: usize,
    /// within this time.
    pub within: Duration,
    /// It is cleared when it was not found for so long.
    pub clear_after: Duration,
}

impl Hysteresis {
    /// Raised when it is found, cleared when it is not.
    pub const NONE: Hysteresis = Hysteresis {
        raise_after: 1,
        within: Duration::ZERO,
        clear_after: Duration::ZERO,
    };
}

/// The time of an observation.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// RFC 3339, UTC.
    pub time: &'a str,
    /// On the clock that never goes back.
    pub uptime: Duration,
}

/// A transition of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<K> {
    /// It was raised.
    Raised(K),
    /// It was cleared.
    Cleared(K),
}

/// A condition that was found.
#[derive(Debug, Clone)]
struct Condition<V> {
    value: V,
    /// When it was raised, RFC 3339, UTC; none while it is not.
    since: Option<String>,
    hysteresis: Hysteresis,
    /// When it was found last, the latest moment last; as many as can matter.
    found: VecDeque<Duration>,
    /// It was found at the last update.
    is_found: bool,
}

/// Conditions by their keys, such as a subject and a code.
#[derive(Debug, Clone)]
pub struct Conditions<K, V>(BTreeMap<K, Condition<V>>);

impl<K, V> Default for Conditions<K, V> {
    fn default() -> Self {
        Conditions(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V> Conditions<K, V> {
    /// The conditions that an earlier process had raised: key, value and time of each. One that is not found again is
    /// cleared.
    pub fn restored(raised: impl IntoIterator<Item = (K, V, String)>) -> Self {
        let conditions = raised.into_iter().map(|(key, value, since)| {
            let condition = Condition {
                value,
                since: Some(since),
                hysteresis: Hysteresis::NONE,
                found: VecDeque::new(),
                is_found: false,
            };
            (key, condition)
        });
        Conditions(conditions.collect())
    }

    /// Compares all that is found now with what was found before; the transitions.
    pub fn update(
        &mut self,
        found: impl IntoIterator<Item = (K, V, Hysteresis)>,
        now: Moment<'_>,
    ) -> Vec<Change<K>> {
        let mut changes = Vec::new();
        for condition in self.0.values_mut() {
            condition.is_found = false;
        }
        for (key, value, hysteresis) in found {
            if self.find(key.clone(), value, hysteresis, now) {
                changes.push(Change::Raised(key));
            }
        }
        self.0.retain(|key, condition| {
            let kept = condition.is_kept(now.uptime);
            if !kept && condition.since.is_some() {
                changes.push(Change::Cleared(key.clone()));
            }
            kept
        });
        changes
    }

    /// A condition is found, which is raised at once and kept until [`Conditions::clear`]; whether it was not raised
    /// before.
    pub fn raise(&mut self, key: K, value: V, time: &str) -> bool {
        let uptime = Duration::ZERO;
        self.find(key, value, Hysteresis::NONE, Moment { time, uptime })
    }

    /// A condition is over; whether it was raised.
    pub fn clear<Q>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let cleared = self.0.remove(key);
        cleared.is_some_and(|condition| condition.since.is_some())
    }

    /// Forgets conditions whose keys are not to be kept.
    pub fn retain(&mut self, is_kept: impl Fn(&K) -> bool) {
        self.0.retain(|key, _| is_kept(key));
    }

    /// What was found last of a raised condition.
    pub fn value<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let condition = self.0.get(key).filter(|one| one.since.is_some());
        condition.map(|condition| &condition.value)
    }

    /// When a condition was raised, RFC 3339, UTC; none if it is not raised.
    pub fn since<Q>(&self, key: &Q) -> Option<&str>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.0.get(key)?.since.as_deref()
    }

    /// The raised conditions: key, what was found last, and since when.
    pub fn raised(&self) -> impl Iterator<Item = (&K, &V, &str)> {
        let raised = self.0.iter();
        raised.filter_map(|(key, one)| Some((key, &one.value, one.since.as_deref()?)))
    }

    /// Whether that raises the condition.
    fn find(&mut self, key: K, value: V, hysteresis: Hysteresis, now: Moment<'_>) -> bool {
        let condition = match self.0.entry(key) {
            std::collections::btree_map::Entry::Occupied(known) => {
                let known = known.into_mut();
                (known.value, known.hysteresis) = (value, hysteresis);
                known
            }
            std::collections::btree_map::Entry::Vacant(vacant) => vacant.insert(Condition {
                value,
                since: None,
                hysteresis,
                found: VecDeque::new(),
                is_found: false,
            }),
        };
        condition.find(now)
    }
}

impl<V> Condition<V> {
    /// It is found; whether that raises it. Found twice by one update, it counts once.
    fn find(&mut self, now: Moment<'_>) -> bool {
        if !std::mem::replace(&mut self.is_found, true) {
            self.found.push_back(now.uptime);
        }
        let needed = self.hysteresis.raise_after.max(1);
        while self.found.len() > needed {
            self.found.pop_front();
        }
        let first = self.found.front().copied().unwrap_or_default();
        let is_dense = now.uptime.saturating_sub(first) <= self.hysteresis.within;
        let is_raised = self.since.is_none() && self.found.len() >= needed && is_dense;
        if is_raised {
            self.since = Some(now.time.to_owned());
        }
        is_raised
    }

    /// Whether it is kept at `now`: a raised one until it was not found for long enough, another one while earlier
    /// findings count.
    fn is_kept(&self, now: Duration) -> bool {
        let Some(last) = self.found.back() else {
            return false;
        };
        let quiet = now.saturating_sub(*last);
        match self.since {
            _ if self.is_found => true,
            Some(_) => quiet < self.hysteresis.clear_after,
            None => quiet <= self.hysteresis.within,
        }
    }
}
