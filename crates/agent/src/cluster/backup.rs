//! The content of a store in a file.

use accelnet_model::Problem;
use accelnet_store::{Entry, Store, Stored};
use serde::{Deserialize, Serialize};

use super::documents::is_transient;
use super::identity::{IDENTITY, Identity};
use super::remembered::Saved;
use crate::problems::failed;

/// The format of the file.
const FORMAT: u32 = 1;

/// The content of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    format: u32,
    kind: Kind,
    /// When it was taken, RFC 3339, UTC; empty of the last readings of an agent.
    pub at: String,
    /// The store's revision then.
    pub revision: u64,
    /// Its keys.
    pub entries: Vec<SavedEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "accelnet store backup")]
    Backup,
}

/// A key and its value: a text, or the bytes of another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedEntry {
    /// The key.
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bytes: Vec<u8>,
}

impl SavedEntry {
    fn of(entry: &Entry) -> Self {
        let text = String::from_utf8(entry.value.clone());
        let (text, bytes) = match text {
            Ok(text) => (Some(text), Vec::new()),
            Err(error) => (None, error.into_bytes()),
        };
        SavedEntry {
            key: entry.key.clone(),
            text,
            bytes,
        }
    }

    fn of_text(key: String, text: String) -> Self {
        SavedEntry {
            key,
            text: Some(text),
            bytes: Vec::new(),
        }
    }

    /// The entry of a store.
    pub(crate) fn entry(&self) -> Entry {
        let text = self.text.as_ref().map(|text| text.as_bytes().to_vec());
        Entry {
            key: self.key.clone(),
            value: text.unwrap_or_else(|| self.bytes.clone()),
            create_revision: 0,
            mod_revision: 0,
            version: 1,
            lease: None,
        }
    }
}

impl Backup {
    /// A backup of these entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>, revision: u64, at: &str) -> Self {
        Backup {
            format: FORMAT,
            kind: Kind::Backup,
            at: at.to_owned(),
            revision,
            entries: entries.into_iter().map(SavedEntry::of).collect(),
        }
    }

    /// A backup of all keys that do not depend on leases.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn take(store: &dyn Store, at: &str) -> Result<Self, Problem> {
        let all = store.range("").map_err(failed)?;
        let lasting = all.entries.iter();
        let lasting = lasting.filter(|entry| !is_transient(&entry.key));
        Ok(Backup::of(lasting, all.revision, at))
    }

    /// Parses a backup, or the last readings of an agent.
    ///
    /// # Errors
    ///
    /// It is neither: why, a fragment.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let backup = match serde_json::from_slice::<Backup>(text) {
            Ok(backup) => backup,
            Err(error) => of_last_read(text).ok_or_else(|| {
                format!("it is neither a backup nor the last state that an agent read ({error})")
            })?,
        };
        match backup.format {
            FORMAT => Ok(backup),
            other => Err(format!(
                "it has format {other}, and this accelnet reads format {FORMAT}"
            )),
        }
    }

    /// The identity of its cluster.
    pub fn identity(&self) -> Option<Identity> {
        let entry = self.entries.iter().find(|entry| entry.key == IDENTITY)?;
        Some(Stored::<Identity>::read(&entry.entry()).ok()?.value)
    }
}

fn of_last_read(text: &[u8]) -> Option<Backup> {
    let saved: Saved = serde_json::from_slice(text).ok()?;
    let revision = saved.ranges.iter().map(|range| range.revision).max();
    let entries = saved.ranges.into_iter().flat_map(|range| range.entries);
    let entries = entries.map(|entry| SavedEntry::of_text(entry.key, entry.value));
    let mut entries: Vec<SavedEntry> = entries.collect();
    if let Some(known) = saved.known
        && !entries.iter().any(|entry| entry.key == IDENTITY)
    {
        let identity = serde_json::json!({ "format": 1, "value": known.identity });
        entries.push(SavedEntry::of_text(
            IDENTITY.to_owned(),
            identity.to_string(),
        ));
    }
    Some(Backup {
        format: saved.format,
        kind: Kind::Backup,
        at: String::new(),
        revision: revision?,
        entries,
    })
}
