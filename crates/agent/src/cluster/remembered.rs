//! What a node read last, for the time when it is cut off.

#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use accelnet_store::{Change, Entry, Range};
use serde::{Deserialize, Serialize};

use super::identity::{Identity, Known};
use crate::check::judge;
use crate::orders::is_order;
use crate::policy::POLICY;
use crate::unread::shown;
use writer::{Writer, seen_beside};

/// Prefixes whose newest reading is kept in memory; the policy in a file, too, beside the node's own keys.
const KEPT: [&str; 6] = [
    POLICY,
    "reports/",
    "report-parts/",
    "members/",
    "alive/",
    "down/",
];
/// The format of the file.
const FORMAT: u32 = 1;

/// What was read last.
pub(super) struct Remembered {
    /// Prefix of the node's own keys.
    own: String,
    file: Option<Writer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ranges: BTreeMap<String, Range>,
    /// Of values that cannot be read, the last ones that could, by key: the file has those.
    good: BTreeMap<String, Entry>,
    /// The cluster whose store it is.
    identity: Option<Identity>,
    /// The highest revision that was seen.
    highest: u64,
    /// Grows when the store counts anew: watches of before begin again.
    era: u64,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    #[serde(default)]
    known: Option<Known>,
    ranges: Vec<SavedRange>,
}

#[derive(Serialize, Deserialize)]
struct SavedRange {
    prefix: String,
    revision: u64,
    entries: Vec<SavedEntry>,
}

/// An entry; every value that accelnet writes is text.
#[derive(Serialize, Deserialize)]
struct SavedEntry {
    key: String,
    value: String,
    create_revision: u64,
    mod_revision: u64,
    version: u64,
}

impl Remembered {
    pub(super) fn new(node: &str, file: Option<PathBuf>) -> Self {
        let mut state = file.as_deref().and_then(load).unwrap_or_default();
        if let (Some(file), Some(identity)) = (file.as_deref(), &state.identity) {
            state.highest = state.highest.max(seen_of(file, identity));
        }
        Remembered {
            own: format!("nodes/{node}/"),
            file: file.map(Writer::new),
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cluster whose store it is, and the highest revision that was seen.
    pub(super) fn known(&self) -> (Option<Identity>, u64) {
        let state = self.lock();
        (state.identity.clone(), state.highest)
    }

    /// How often the store began to count anew.
    pub(super) fn era(&self) -> u64 {
        self.lock().era
    }

    /// The store was seen at that revision.
    pub(super) fn has_seen(&self, revision: u64) {
        self.rises(&mut self.lock(), revision);
    }

    /// Events and reports change no policy: without a word of its own the file would know an older revision.
    fn rises(&self, state: &mut State, revision: u64) {
        if revision <= state.highest {
            return;
        }
        state.highest = revision;
        if let (Some(file), Some(identity)) = (&self.file, &state.identity) {
            file.has_seen(Known {
                identity: identity.clone(),
                revision,
            });
        }
    }

    /// From now on the store has that identity, and is at that revision: what was read before is not of
    /// it.
    pub(super) fn counts(&self, identity: Identity, revision: u64) {
        let mut state = self.lock();
        let anew = state.identity.is_some();
        state.identity = Some(identity);
        state.highest = revision;
        if anew {
            state.ranges.clear();
            state.good.clear();
            state.era += 1;
        }
        self.save(&state);
    }

    /// Revision of what is known of `prefix`.
    pub(super) fn revision(&self, prefix: &str) -> Option<u64> {
        self.lock().ranges.get(prefix).map(|known| known.revision)
    }

    /// Keeps a reading, if it is of a kind that is kept; `before` is the revision of what was known
    /// when it began.
    pub(super) fn keep(&self, prefix: &str, range: &Range, before: Option<u64>) {
        // Orders mean nothing to an agent that starts while it is cut off.
        let own = prefix.starts_with(&self.own) && !is_order(prefix);
        if !own && !KEPT.contains(&prefix) {
            return;
        }
        let mut state = self.lock();
        self.rises(&mut state, range.revision);
        let known = state.ranges.get(prefix);
        let news = known.is_none_or(|known| known.entries != range.entries);
        // One that was read earlier and arrives later. An older one that began when all that is known
        // was known is of a store that was set back, as from a backup.
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
            state.has_changed(prefix, &before, &range.entries);
        }
        if news && lasting {
            self.save(&state);
        }
    }

    /// What stood at a key of the policy, or of the node's own, when it could be read last; none while it can be.
    pub(super) fn good(&self, key: &str) -> Option<Entry> {
        self.lock().good.get(key).cloned()
    }

    /// Whether a reading of the policy has an older value than was read before, though its revision is no
    /// older: an older state was restored, and its revision raised afterwards. A fragment.
    pub(super) fn set_back(&self, range: &Range) -> Option<String> {
        let state = self.lock();
        let known = state.ranges.get(POLICY)?;
        if range.revision < known.revision {
            // It was read earlier, and arrives later.
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

    /// Keeps the policy up with what its watch told: all changes of it from revision `from` up to the
    /// last of `changes`.
    pub(super) fn follow(&self, from: u64, changes: &[Change]) {
        let mut state = self.lock();
        let last = changes.last().map_or(0, Change::revision);
        self.rises(&mut state, last);
        // What was read before the watch began may miss something.
        let State { ranges, good, .. } = &mut *state;
        let known = ranges.get_mut(POLICY);
        let Some(known) = known.filter(|known| known.revision + 1 >= from) else {
            return;
        };
        let read = known.revision;
        let mut news = false;
        for change in changes.iter().filter(|change| change.revision() > read) {
            let was = apply(change, &mut known.entries);
            match change {
                Change::Put(now) => keep_good(good, was.as_ref(), now),
                Change::Delete { key, .. } => drop(good.remove(key)),
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

    /// What begins with `prefix`, if what is known of it is not of before `revision`.
    pub(super) fn range_since(&self, prefix: &str, revision: u64) -> Option<Range> {
        let state = self.lock();
        let known = state.ranges.get(prefix)?;
        (known.revision >= revision).then(|| known.clone())
    }

    /// What begins with `prefix`, if that was ever read. Of other nodes nothing is known before
    /// somebody asks for them, which is no reason to show nothing of this one.
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

    /// One key, if something that holds it was ever read.
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
    /// What begins with `prefix` changed.
    fn has_changed(&mut self, prefix: &str, before: &[Entry], now: &[Entry]) {
        let gone = |key: &str| entry_of(now, key).is_none();
        self.good
            .retain(|key, _| !key.starts_with(prefix) || !gone(key));
        for entry in now {
            keep_good(&mut self.good, entry_of(before, &entry.key), entry);
        }
    }
}

/// Keeps what could be read of a key whose value cannot be any more.
fn keep_good(good: &mut BTreeMap<String, Entry>, was: Option<&Entry>, now: &Entry) {
    if was.is_some_and(|was| was.mod_revision == now.mod_revision) {
        return;
    }
    if judge(now).is_none() {
        good.remove(&now.key);
    } else if let Some(was) = was.filter(|was| judge(was).is_none()) {
        good.insert(now.key.clone(), was.clone());
    }
}

fn entry_of<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Entry> {
    let place = entries.binary_search_by(|entry| entry.key.as_str().cmp(key));
    place.ok().map(|at| &entries[at])
}

/// Makes a change; what was there before.
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

/// The highest revision of that cluster's store that was seen, as far as the file beside `file` knows.
fn seen_of(file: &Path, identity: &Identity) -> u64 {
    let beside = seen_beside(file);
    if !accelnet_store::is_private(&beside).unwrap_or(false) {
        return 0;
    }
    let text = std::fs::read(beside).unwrap_or_default();
    let known = serde_json::from_slice::<Known>(&text).ok();
    known.map_or(0, |known| match known.identity == *identity {
        true => known.revision,
        false => 0,
    })
}

fn load(file: &Path) -> Option<State> {
    if !accelnet_store::is_private(file).unwrap_or(false) {
        return None;
    }
    let text = std::fs::read(file).ok()?;
    let saved: Saved = serde_json::from_slice(&text).ok()?;
    if saved.format != FORMAT {
        return None;
    }
    let highest = saved.ranges.iter().map(|range| range.revision).max();
    let highest = highest.max(saved.known.as_ref().map(|known| known.revision));
    let ranges = saved.ranges.into_iter().map(|saved| {
        let entries = saved.entries.into_iter().map(|entry| Entry {
            key: entry.key,
            value: entry.value.into_bytes(),
            create_revision: entry.create_revision,
            mod_revision: entry.mod_revision,
            version: entry.version,
            lease: None,
        });
        let range = Range {
            entries: entries.collect(),
            revision: saved.revision,
        };
        (saved.prefix, range)
    });
    Some(State {
        ranges: ranges.collect(),
        identity: saved.known.map(|known| known.identity),
        highest: highest.unwrap_or(0),
        good: BTreeMap::new(),
        era: 0,
    })
}

/// What of it is kept in the file.
fn content(own: &str, state: &State) -> Saved {
    let lasting = state
        .ranges
        .iter()
        .filter(|(prefix, _)| prefix.starts_with(own) || *prefix == POLICY);
    Saved {
        format: FORMAT,
        known: state.identity.clone().map(|identity| Known {
            identity,
            revision: state.highest,
        }),
        ranges: lasting
            .map(|(prefix, range)| SavedRange {
                prefix: prefix.clone(),
                revision: range.revision,
                entries: range
                    .entries
                    .iter()
                    .map(|entry| saved_entry(state.good.get(&entry.key).unwrap_or(entry)))
                    .collect(),
            })
            .collect(),
    }
}

fn saved_entry(entry: &Entry) -> SavedEntry {
    SavedEntry {
        key: entry.key.clone(),
        value: String::from_utf8_lossy(&entry.value).into_owned(),
        create_revision: entry.create_revision,
        mod_revision: entry.mod_revision,
        version: entry.version,
    }
}
