//! A store in a file, and a store put back from one.

use accelnet_model::{Code, Problem};
use accelnet_store::{Commit, Entry, MAX_OPS, MAX_TXN_BYTES, Store, Stored, Txn};
use serde::{Deserialize, Serialize};

use super::identity::{IDENTITY, Identity, Known};
use super::membership::{CLUSTER, PASSING, sign};
use crate::check::judge;
use crate::policy::{POLICY, store_failed};

/// The format of the file.
const FORMAT: u32 = 1;
/// Keys, and bytes of keys and values, of one step.
const STEP: (usize, usize) = (MAX_OPS / 2, MAX_TXN_BYTES / 2);

/// The content of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    format: u32,
    /// What the file is.
    kind: Kind,
    /// When it was made, RFC 3339, UTC.
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

/// A key and its value: text where it is text, as all that accelnet writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedEntry {
    /// The key.
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bytes: Vec<u8>,
}

/// What an agent keeps of what it read last.
#[derive(Deserialize)]
struct LastRead {
    format: u32,
    #[serde(default)]
    known: Option<Known>,
    ranges: Vec<LastRange>,
}

#[derive(Deserialize)]
struct LastRange {
    revision: u64,
    entries: Vec<LastEntry>,
}

#[derive(Deserialize)]
struct LastEntry {
    key: String,
    value: String,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// When the backup was made; empty of what an agent read last.
    pub at: String,
    /// Keys that were written.
    pub written: usize,
    /// Keys of the policy that were removed, since the backup does not have them.
    pub removed: Vec<String>,
    /// Keys of the backup that were left out: their values cannot be read.
    pub unreadable: Vec<String>,
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

    /// As a store would have it.
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
    /// Of these entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>, revision: u64, at: &str) -> Self {
        Backup {
            format: FORMAT,
            kind: Kind::Backup,
            at: at.to_owned(),
            revision,
            entries: entries.into_iter().map(SavedEntry::of).collect(),
        }
    }

    /// Of all that lasts in a store.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn take(store: &dyn Store, at: &str) -> Result<Self, Problem> {
        let all = store.range("").map_err(|error| store_failed(&error))?;
        let lasting = all.entries.iter().filter(|entry| !passes(&entry.key));
        Ok(Backup::of(lasting, all.revision, at))
    }

    /// Reads a backup, or what an agent read last; a fragment why it is neither.
    ///
    /// # Errors
    ///
    /// It is neither.
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

    /// The cluster whose store it is of.
    pub fn identity(&self) -> Option<Identity> {
        let entry = self.entries.iter().find(|entry| entry.key == IDENTITY)?;
        Some(Stored::<Identity>::read(&entry.entry()).ok()?.value)
    }
}

fn of_last_read(text: &[u8]) -> Option<Backup> {
    let read: LastRead = serde_json::from_slice(text).ok()?;
    let revision = read.ranges.iter().map(|range| range.revision).max();
    let entries = read.ranges.into_iter().flat_map(|range| range.entries);
    let mut entries: Vec<SavedEntry> = entries
        .map(|entry| SavedEntry {
            key: entry.key,
            text: Some(entry.value),
            bytes: Vec::new(),
        })
        .collect();
    if let Some(known) = read.known
        && !entries.iter().any(|entry| entry.key == IDENTITY)
    {
        let identity = serde_json::json!({ "format": 1, "value": known.identity });
        entries.push(SavedEntry {
            key: IDENTITY.to_owned(),
            text: Some(identity.to_string()),
            bytes: Vec::new(),
        });
    }
    Some(Backup {
        format: read.format,
        kind: Kind::Backup,
        at: String::new(),
        revision: revision?,
        entries,
    })
}

fn passes(key: &str) -> bool {
    PASSING.iter().any(|passing| key.starts_with(passing))
}

/// Puts a backup into `store`, called `name`: the policy becomes the backup's, and what else is missing is
/// added. Until all is there the store has no identity, so that no agent believes it; `now` is the time in
/// seconds.
///
/// # Errors
///
/// The store cannot be used, or somebody else changes it. It can be called again.
pub fn restore(
    store: &dyn Store,
    name: &str,
    backup: &Backup,
    at: &str,
    now: u64,
    dry_run: bool,
) -> Result<Restored, Problem> {
    let failed = |error| store_failed(&error);
    let there = store.range("").map_err(failed)?.entries;
    let found = |key: &str| there.iter().find(|entry| entry.key == key);
    let identity = match backup.identity() {
        Some(identity) => identity,
        None => match found(IDENTITY).and_then(|entry| Stored::<Identity>::read(entry).ok()) {
            Some(stored) => stored.value,
            None => make_identity()?,
        },
    };
    // The epoch also passes that of the store that is replaced.
    let known = found(IDENTITY).and_then(|entry| Stored::<Identity>::read(entry).ok());
    let epoch = known.map_or(0, |stored| stored.value.epoch + 1);
    let identity = identity.renewed(now.max(epoch));
    let mut restored = Restored {
        at: backup.at.clone(),
        written: 0,
        removed: Vec::new(),
        unreadable: Vec::new(),
    };
    let mut steps: Vec<(Txn, usize)> = Vec::new();
    let mut push = |size: usize, step: &dyn Fn(Txn) -> Txn| match steps.last_mut() {
        Some((txn, bytes)) if txn.ops.len() < STEP.0 && *bytes + size <= STEP.1 => {
            *txn = step(std::mem::take(txn));
            *bytes += size;
        }
        _ => steps.push((step(Txn::new()), size)),
    };
    if found(IDENTITY).is_some() {
        push(IDENTITY.len(), &|txn| txn.delete(IDENTITY));
    }
    for saved in backup.entries.iter().filter(|saved| !passes(&saved.key)) {
        let entry = saved.entry();
        let key = saved.key.as_str();
        if key == IDENTITY || key == CLUSTER {
            continue;
        }
        if judge(&entry).is_some() {
            restored.unreadable.push(saved.key.clone());
            continue;
        }
        let is_there = match found(key) {
            Some(other) if key.starts_with(POLICY) => other.value == entry.value,
            other => other.is_some(),
        };
        if !is_there {
            restored.written += 1;
            let size = key.len() + entry.value.len();
            push(size, &|txn| txn.put(key, entry.value.clone()));
        }
    }
    for entry in there.iter().filter(|entry| entry.key.starts_with(POLICY)) {
        let kept = backup.entries.iter().any(|saved| saved.key == entry.key);
        if !kept && entry.key != IDENTITY {
            restored.removed.push(entry.key.clone());
            push(entry.key.len(), &|txn| txn.delete(&entry.key));
        }
    }
    if dry_run {
        return Ok(restored);
    }
    for (txn, _) in steps {
        // Nothing is checked, so there is no conflict.
        drop(store.commit(&txn).map_err(failed)?);
    }
    let last = Txn::new().put_json(IDENTITY, &identity).map_err(failed)?;
    let last = match found(CLUSTER) {
        Some(_) => last,
        None => last.put_json(CLUSTER, &sign(at)).map_err(failed)?,
    };
    match store.commit(&last).map_err(failed)? {
        Commit::Done { .. } => Ok(restored),
        Commit::Conflict { .. } => Err(Problem::new(
            Code::ClusterRefused,
            &[name],
            "Another program changed the store at the same time.",
        )),
    }
}

/// The store counts as it is from now on, for every agent that knows its cluster; `known` is the cluster
/// of this node, for a store that has lost its identity.
///
/// # Errors
///
/// It is the store of another cluster, or cannot be used.
pub fn accept(
    store: &dyn Store,
    name: &str,
    known: Option<&Identity>,
    now: u64,
    dry_run: bool,
) -> Result<(), Problem> {
    let failed = |error| store_failed(&error);
    let entry = store.get(IDENTITY).map_err(failed)?;
    let read = entry.as_ref().map(Stored::<Identity>::read);
    let found = read.and_then(Result::ok).map(|stored| stored.value);
    if let (Some(found), Some(known)) = (&found, known)
        && found.id != known.id
    {
        let found = format!(
            "It is of the cluster with the id {}, and this node's cluster has {}. 'accelnet cluster join' makes this node one of that cluster.",
            found.id, known.id
        );
        return Err(Problem::new(Code::ClusterRefused, &[name], found));
    }
    let identity = match found.or_else(|| known.cloned()) {
        Some(identity) => identity,
        None => make_identity()?,
    };
    let epoch = known.map_or(0, |known| known.epoch + 1);
    let identity = identity.renewed(now.max(epoch));
    if dry_run {
        return Ok(());
    }
    let revision = entry.map_or(0, |entry| entry.mod_revision);
    let txn = Txn::new().check(IDENTITY, revision);
    let txn = txn.put_json(IDENTITY, &identity).map_err(failed)?;
    match store.commit(&txn).map_err(failed)? {
        Commit::Done { .. } => Ok(()),
        Commit::Conflict { .. } => Err(Problem::new(
            Code::ClusterRefused,
            &[name],
            "Another program changed the store at the same time.",
        )),
    }
}

fn make_identity() -> Result<Identity, Problem> {
    Identity::make().map_err(|error| {
        let found = format!("The kernel provides no random number: {error}.");
        Problem::new(Code::StoreFailed, &[], found)
    })
}

#[cfg(test)]
mod tests;
