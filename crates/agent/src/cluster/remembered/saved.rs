//! The content of the file with the last readings.

use std::path::Path;

use accelnet_store::{Entry, Range, is_private};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cluster::identity::Known;

/// The format of the file.
pub(in crate::cluster) const FORMAT: u32 = 1;

/// The content.
#[derive(Serialize, Deserialize)]
pub(in crate::cluster) struct Saved {
    pub format: u32,
    #[serde(default)]
    pub known: Option<Known>,
    pub ranges: Vec<SavedRange>,
}

/// A reading.
#[derive(Serialize, Deserialize)]
pub(in crate::cluster) struct SavedRange {
    #[serde(default)]
    pub prefix: String,
    pub revision: u64,
    pub entries: Vec<SavedEntry>,
}

/// An entry; every value that accelnet writes is text.
#[derive(Serialize, Deserialize)]
pub(in crate::cluster) struct SavedEntry {
    pub key: String,
    pub value: String,
    #[serde(default)]
    create_revision: u64,
    #[serde(default)]
    mod_revision: u64,
    #[serde(default)]
    version: u64,
}

impl SavedRange {
    pub fn range(self) -> Range {
        let entries = self.entries.into_iter().map(|entry| Entry {
            key: entry.key,
            value: entry.value.into_bytes(),
            create_revision: entry.create_revision,
            mod_revision: entry.mod_revision,
            version: entry.version,
            lease: None,
        });
        Range {
            entries: entries.collect(),
            revision: self.revision,
        }
    }
}

impl SavedEntry {
    pub fn of(entry: &Entry) -> Self {
        SavedEntry {
            key: entry.key.clone(),
            value: String::from_utf8_lossy(&entry.value).into_owned(),
            create_revision: entry.create_revision,
            mod_revision: entry.mod_revision,
            version: entry.version,
        }
    }
}

/// The content of a file that only its owner can change.
pub(super) fn load<T: DeserializeOwned>(file: &Path) -> Option<T> {
    if !is_private(file).unwrap_or(false) {
        return None;
    }
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
