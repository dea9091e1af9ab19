//! The last readings of a node, for the time when it is cut off.

mod saved;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use accelnet_store::{Change, Entry, Range};

use super::identity::{Identity, Known};
use crate::check::judge;
use crate::orders::is_order;
use crate::policy::POLICY;
use crate::unread::shown;
use saved::{FORMAT, SavedRange};
pub(super) use saved::{Saved, SavedEntry};
use writer::{Writer, revision_file};

/// Prefixes whose last reading is kept in memory. The file has the policy and the node's own keys.
const KEPT: [&str; 6] = [
    POLICY,
    "reports/",
    "report-parts/",
    "members/",
    "alive/",
    "down/",
];

/// The last readings.
pub(super) struct Remembered {
    /// Prefix of the node's own keys.
    own: String,
    file: Option<Writer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ranges: BTreeMap<String, Range>,
    /// The last readable values of unreadable keys: the file has these.
    readable: BTreeMap<String, Entry>,
    /// The cluster whose store it is.
    identity: Option<Identity>,
    /// The highest revision that was observed.
    highest: u64,
    /// Grows when an older revision is accepted: earlier watches begin again.
    era: u64,
}

impl Remembered {
    pub(super) fn new(node: &str, file: Option<PathBuf>) -> Self {
        let state = file.as_deref().and_then(load).unwrap_or_default();
        Remembered {
            own: format!("nodes/{node}/"),
            file: file.map(Writer::new),
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The identity of the store, and the highest revision that was observed.
    pub(super) fn known(&self) -> (Option<Identity>, u64) {
        let state = self.lock();
        (state.identity.clone(), state.highest)
    }

    /// Number of times that an older revision was accepted.
    pub(super) fn era(&self) -> u64 {
        self.lock().era
    }

    /// Records a revision of the store.
    pub(super) fn observed(&self, revision: u64) {
        self.raise(&mut self.lock(), revision);
    }

    /// Changes of other keys raise the revision as well, without a new reading of the policy.
    fn raise(&self, state: &mut State, revision: u64) {
        if revision <= state.highest {
            return;
        }
        state.highest = revision;
        if let (Some(file), Some(identity)) = (&self.file, &state.identity) {
            file.write_revision(Known {
                identity: identity.clone(),
                revision,
            });
        }
    }

    /// Accepts a store with that identity at that revision: earlier readings are dropped.
    pub(super) fn accept(&self, identity: Identity, revision: u64) {
        let mut state = self.lock();
        let anew = state.identity.is_some();
        state.identity = Some(identity);
        state.highest = revision;
        if anew {
            state.ranges.clear();
            state.readable.clear();
            state.era += 1;
        }
        self.save(&state);
    }

    /// Revision of the last reading of `prefix`.
    pub(super) fn revision(&self, prefix: &str) -> Option<u64> {
        self.lock().ranges.get(prefix).map(|known| known.revision)
    }

    /// Keeps a reading of a prefix that is kept; `before` is the revision of the last one when it began.
    pub(super) fn keep(&self, prefix: &str, range: &Range, before: Option<u64>) {
        // An agent that starts while it is cut off has no use for orders.
        let own = prefix.starts_with(&self.own) && !is_order(prefix);
        if !own && !KEPT.contains(&prefix) {
            return;
        }
        let mut state = self.lock();
        self.raise(&mut state, range.revision);
        let known = state.ranges.get(prefix);
        let news = known.is_none_or(|known| known.entries != range.entries);
        // An older reading may arrive late. If it began after the last one, the store was restored to an
        // older state.
        let newer = known
            .map(|known| known.revision)
            .filter(|known| *known > range.revision);
        if newer.is_some() && newer != before {
            return;
        }
        let lasting = own || prefix == POLICY;
        let before = state.ranges.insert(prefix.to_owned(), range.clone());
        if lasting && news {
            let before = before.map_or_else(Vec::new, |before| before.entries);
            state.update_readable(prefix, &before, &range.entries);
        }
        if news && lasting {
            self.save(&state);
        }
    }

    /// The last readable value of a key that has become unreadable.
    pub(super) fn last_readable(&self, key: &str) -> Option<Entry> {
        self.lock().readable.get(key).cloned()
    }

    /// Why a reading of the policy shows that an older state was restored and its revision raised afterwards,
    /// a fragment: a value is older than before, although the revision is not.
    pub(super) fn older_state(&self, range: &Range) -> Option<String> {
        let state = self.lock();
        let known = state.ranges.get(POLICY)?;
        if range.revision < known.revision {
            // It arrives late.
            return None;
        }
        let mut known = known.entries.iter();
        let older = known.find_map(|entry| {
            let found = entry_of(&range.entries, &entry.key)?.mod_revision;
            (found < entry.mod_revision).then_some((entry, found))
        });
        older.map(|(entry, found)| {
            format!(
                "{} was last changed at revision {found}, and this node has seen its change at revision {}: \
                 an older state was restored",
                shown(&entry.key),
                entry.mod_revision
            )
        })
    }

    /// Applies the watched changes of the policy: all from revision `from` to the last of `changes`.
    pub(super) fn follow(&self, from: u64, changes: &[Change]) {
        let mut state = self.lock();
        let last = changes.last().map_or(0, Change::revision);
        self.raise(&mut state, last);
        // A reading from before the watch may miss a change.
        let State {
            ranges, readable, ..
        } = &mut *state;
        let known = ranges.get_mut(POLICY);
        let Some(known) = known.filter(|known| known.revision + 1 >= from) else {
            return;
        };
        let read = known.revision;
        let mut news = false;
        for change in changes.iter().filter(|change| change.revision() > read) {
            let was = apply(change, &mut known.entries);
            match change {
                Change::Put(now) => keep_readable(readable, was.as_ref(), now),
                Change::Delete { key, .. } => drop(readable.remove(key)),
            }
            known.revision = change.revision();
            news = true;
        }
        if news {
            self.save(&state);
        }
    }

    fn save(&self, state: &State) {
        if let Some(file) = &self.file {
            file.write(content(&self.own, state));
        }
    }

    /// The last reading of `prefix`, if it is not older than `revision`.
    pub(super) fn range_since(&self, prefix: &str, revision: u64) -> Option<Range> {
        let state = self.lock();
        let known = state.ranges.get(prefix)?;
        (known.revision >= revision).then(|| known.clone())
    }

    /// The last reading of `prefix`. Keys of other nodes that were never read are empty, so that this node is
    /// still shown.
    pub(super) fn range(&self, prefix: &str) -> Option<Range> {
        let known = self.lock().ranges.get(prefix).cloned();
        let of_others = prefix != POLICY && KEPT.contains(&prefix);
        known.or_else(|| {
            of_others.then(|| Range {
                entries: Vec::new(),
                revision: 0,
            })
        })
    }

    /// One key, if a prefix of it was ever read.
    pub(super) fn key(&self, key: &str) -> Option<Option<Entry>> {
        let state = self.lock();
        let mut holding = state
            .ranges
            .iter()
            .filter(|(prefix, _)| key.starts_with(prefix.as_str()))
            .peekable();
        holding.peek()?;
        let mut found = holding.filter_map(|(_, range)| {
            let mut entries = range.entries.iter();
            entries.find(|entry| entry.key == key)
        });
        Some(found.next().cloned())
    }
}

impl State {
    /// Updates the last readable values below `prefix`.
    fn update_readable(&mut self, prefix: &str, before: &[Entry], now: &[Entry]) {
        let gone = |key: &str| entry_of(now, key).is_none();
        self.readable
            .retain(|key, _| !key.starts_with(prefix) || !gone(key));
        for entry in now {
            keep_readable(&mut self.readable, entry_of(before, &entry.key), entry);
        }
    }
}

/// Keeps the last value of a key that becomes unreadable.
fn keep_readable(readable: &mut BTreeMap<String, Entry>, was: Option<&Entry>, now: &Entry) {
    if was.is_some_and(|was| was.mod_revision == now.mod_revision) {
        return;
    }
    if judge(now).is_none() {
        readable.remove(&now.key);
    } else if let Some(was) = was.filter(|was| judge(was).is_none()) {
        readable.insert(now.key.clone(), was.clone());
    }
}

fn entry_of<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    let place = entries.binary_search_by(|entry| entry.key.as_str().cmp(key));
    place.ok().map(|at| &entries[at])
}

/// Applies a change; the value before it.
fn apply(change: &Change, entries: &mut Vec<Entry>) -> Option<Entry> {
    let place = entries.binary_search_by(|entry| entry.key.as_str().cmp(change.key()));
    match (change, place) {
        (Change::Put(new), Ok(at)) => Some(std::mem::replace(&mut entries[at], new.clone())),
        (Change::Put(new), Err(at)) => {
            entries.insert(at, new.clone());
            None
        }
        (Change::Delete { .. }, Ok(at)) => Some(entries.remove(at)),
        (Change::Delete { .. }, Err(_)) => None,
    }
}

/// The last readings in `file`.
fn load(file: &Path) -> Option<State> {
    let saved: Saved = saved::load(file)?;
    if saved.format != FORMAT {
        return None;
    }
    let revisions = saved.ranges.iter().map(|range| range.revision);
    let beside: Option<Known> = saved::load(&revision_file(file));
    let known = saved.known.into_iter();
    let identity = known.clone().map(|known| known.identity).next();
    // The revision beside the file is of the same cluster, or of an earlier one.
    let beside = beside.filter(|beside| Some(&beside.identity) == identity.as_ref());
    let revisions = revisions.chain(known.chain(beside).map(|known| known.revision));
    Some(State {
        highest: revisions.max().unwrap_or(0),
        ranges: saved
            .ranges
            .into_iter()
            .map(|saved| (saved.prefix.clone(), saved.range()))
            .collect(),
        identity,
        readable: BTreeMap::new(),
        era: 0,
    })
}

/// What of the state the file has.
fn content(own: &str, state: &State) -> Saved {
    let lasting = state
        .ranges
        .iter()
        .filter(|(prefix, _)| prefix.starts_with(own) || *prefix == POLICY);
    let ranges = lasting.map(|(prefix, range)| {
        let entries = range.entries.iter().map(|entry| {
            let readable = state.readable.get(&entry.key);
            SavedEntry::of(readable.unwrap_or(entry))
        });
        SavedRange {
            prefix: prefix.clone(),
            revision: range.revision,
            entries: entries.collect(),
        }
    });
    Saved {
        format: FORMAT,
        known: state.identity.clone().map(|identity| Known {
            identity,
            revision: state.highest,
        }),
        ranges: ranges.collect(),
    }
}
