//! The filter entries that accelnet added, recorded in a file: a restarted agent removes its stale entries,
//! and none of other programs.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accelnet_model::Mac;
use serde::{Deserialize, Serialize};

use crate::files;

#[cfg(test)]
mod tests;

/// The format of the file.
const FORMAT: u32 = 1;

/// An entry: index of the adapter's link, and the MAC.
pub(crate) type Entry = (u32, Mac);

/// The entries. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    file: PathBuf,
    entries: Arc<Mutex<BTreeSet<Entry>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    entries: Vec<Entry>,
}

impl Ledger {
    /// The entries in `file`; none if it is missing or another program wrote it.
    pub fn open(file: PathBuf) -> Self {
        let entries = read(&file).unwrap_or_default();
        Ledger {
            file,
            entries: Arc::new(Mutex::new(entries)),
        }
    }

    /// All entries.
    pub fn all(&self) -> BTreeSet<Entry> {
        self.locked().clone()
    }

    /// Records entries, before they are added.
    ///
    /// # Errors
    ///
    /// The file cannot be written: then they are not recorded.
    pub fn remember(&self, new: impl IntoIterator<Item = Entry>) -> io::Result<()> {
        let mut entries = self.locked();
        let mut all = entries.clone();
        all.extend(new);
        if all != *entries {
            write(&self.file, &all)?;
            *entries = all;
        }
        Ok(())
    }

    /// Clears entries that were removed, or not added. If the file cannot be written, the next agent finds
    /// them missing and clears them.
    pub fn forget(&self, gone: &BTreeSet<Entry>) {
        let mut entries = self.locked();
        let before = entries.len();
        entries.retain(|entry| !gone.contains(entry));
        if entries.len() != before {
            drop(write(&self.file, &entries));
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeSet<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(file: &Path) -> Option<BTreeSet<Entry>> {
    let written: Written = serde_json::from_slice(&files::read_capped(file).ok()?).ok()?;
    let ours = |(link, mac): &Entry| *link > 0 && !mac.is_multicast() && *mac != Mac::ZERO;
    let sound = written.format == FORMAT && written.entries.iter().all(ours);
    sound.then(|| written.entries.into_iter().collect())
}

fn write(file: &Path, entries: &BTreeSet<Entry>) -> io::Result<()> {
    let written = Written {
        format: FORMAT,
        entries: entries.iter().copied().collect(),
    };
    files::replace(file, &serde_json::to_vec(&written)?)
}
