//! What a node read last, for the time when it is cut off.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use accelnet_store::{Change, Entry, Range};
use serde::{Deserialize, Serialize};

use crate::policy::POLICY;

/// Prefixes whose newest reading is kept in memory; the policy in a file, too, beside the node's own keys.
const KEPT: [&str; 5] = [POLICY, "reports/", "members/", "alive/", "down/"];
/// The format of the file.
const FORMAT: u32 = 1;

/// What was read last.
pub(super) struct Remembered {
    /// Prefix of the node's own keys.
    own: String,
    file: Option<PathBuf>,
    ranges: Mutex<BTreeMap<String, Range>>,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
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
        let ranges = file.as_deref().and_then(load).unwrap_or_default();
        Remembered {
            own: format!("nodes/{node}/"),
            file,
            ranges: Mutex::new(ranges),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Range>> {
        self.ranges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Revision of what is known of `prefix`.
    pub(super) fn revision(&self, prefix: &str) -> Option<u64> {
        self.lock().get(prefix).map(|known| known.revision)
    }

    /// Keeps a reading, if it is of a kind that is kept; `before` is the revision of what was known
    /// when it began.
    pub(super) fn keep(&self, prefix: &str, range: &Range, before: Option<u64>) {
        let own = prefix.starts_with(&self.own);
        if !own && !KEPT.contains(&prefix) {
            return;
        }
        let mut ranges = self.lock();
        let known = ranges.get(prefix);
        let news = known.is_none_or(|known| known.entries != range.entries);
        // One that was read earlier and arrives later. An older one that began when all that is known
        // was known is of a store that was set back, as from a backup.
        let newer = known
            .map(|known| known.revision)
            .filter(|known| *known > range.revision);
        if newer.is_some() && newer != before {
            return;
        }
        ranges.insert(prefix.to_owned(), range.clone());
        if news && (own || prefix == POLICY) {
            self.save(&ranges);
        }
    }

    /// Keeps the policy up with what its watch told: all changes of it from revision `from` up to the
    /// last of `changes`.
    pub(super) fn follow(&self, from: u64, changes: &[Change]) {
        let mut ranges = self.lock();
        // What was read before the watch began may miss something.
        let known = ranges.get_mut(POLICY);
        let Some(known) = known.filter(|known| known.revision + 1 >= from) else {
            return;
        };
        let read = known.revision;
        let mut news = false;
        for change in changes.iter().filter(|change| change.revision() > read) {
            apply(change, &mut known.entries);
            known.revision = change.revision();
            news = true;
        }
        if news {
            self.save(&ranges);
        }
    }

    fn save(&self, ranges: &BTreeMap<String, Range>) {
        if let Some(file) = &self.file {
            // Without it a node that starts while it is cut off waits for the store.
            drop(save(file, &self.own, ranges));
        }
    }

    /// What begins with `prefix`, if what is known of it is not of before `revision`.
    pub(super) fn range_since(&self, prefix: &str, revision: u64) -> Option<Range> {
        let ranges = self.lock();
        let known = ranges.get(prefix)?;
        (known.revision >= revision).then(|| known.clone())
    }

    /// What begins with `prefix`, if that was ever read. Of other nodes nothing is known before
    /// somebody asks for them, which is no reason to show nothing of this one.
    pub(super) fn range(&self, prefix: &str) -> Option<Range> {
        let known = self.lock().get(prefix).cloned();
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
        let ranges = self.lock();
        let mut holding = ranges
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

fn apply(change: &Change, entries: &mut Vec<Entry>) {
    let place = entries.binary_search_by(|entry| entry.key.as_str().cmp(change.key()));
    match (change, place) {
        (Change::Put(new), Ok(at)) => entries[at] = new.clone(),
        (Change::Put(new), Err(at)) => entries.insert(at, new.clone()),
        (Change::Delete { .. }, Ok(at)) => drop(entries.remove(at)),
        (Change::Delete { .. }, Err(_)) => {}
    }
}

fn load(file: &Path) -> Option<BTreeMap<String, Range>> {
    let text = std::fs::read(file).ok()?;
    let saved: Saved = serde_json::from_slice(&text).ok()?;
    if saved.format != FORMAT {
        return None;
    }
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
    Some(ranges.collect())
}

fn save(file: &Path, own: &str, ranges: &BTreeMap<String, Range>) -> std::io::Result<()> {
    let lasting = ranges
        .iter()
        .filter(|(prefix, _)| prefix.starts_with(own) || *prefix == POLICY);
    let saved = Saved {
        format: FORMAT,
        ranges: lasting
            .map(|(prefix, range)| SavedRange {
                prefix: prefix.clone(),
                revision: range.revision,
                entries: range.entries.iter().map(saved_entry).collect(),
            })
            .collect(),
    };
    let text = serde_json::to_vec(&saved)?;
    let beside = file.with_extension("new");
    let mut new = std::fs::File::create(&beside)?;
    new.write_all(&text)?;
    new.sync_all()?;
    std::fs::rename(&beside, file)
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
