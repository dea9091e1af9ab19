//! How entries and changes are kept in the file: numbers little-endian, then text, then value.

use std::num::NonZeroU64;

use crate::embedded::fault::Fault;
use crate::{Change, Entry, LeaseId};

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// What a key has in `entries`.
pub(super) fn encode_entry(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32 + entry.value.len());
    push_entry(&mut bytes, entry);
    bytes
}

pub(super) fn decode_entry(key: &str, bytes: &[u8]) -> Result<Entry, Fault> {
    Bytes(bytes)
        .entry(key.to_owned())
        .ok_or_else(|| Fault::corrupt(format!("the entry of {key} is cut short")))
}

/// What `changes` holds for one change.
pub(super) fn encode_change(change: &Change) -> Vec<u8> {
    let key = change.key();
    let mut bytes = Vec::with_capacity(37 + key.len());
    let entry = match change {
        Change::Put(entry) => Some(entry),
        Change::Delete { .. } => None,
    };
    bytes.push(if entry.is_some() { PUT } else { DELETE });
    bytes.extend((key.len() as u64).to_le_bytes());
    bytes.extend(key.as_bytes());
    if let Some(entry) = entry {
        push_entry(&mut bytes, entry);
    }
    bytes
}

/// The change of `revision`, when its key begins with `prefix`.
pub(super) fn decode_change(
    revision: u64,
    bytes: &[u8],
    prefix: &str,
) -> Result<Option<Change>, Fault> {
    let mut rest = Bytes(bytes);
    let change = (|| {
        let kind = *rest.take(1)?.first()?;
        let length = usize::try_from(rest.number()?).ok()?;
        let key = std::str::from_utf8(rest.take(length)?).ok()?;
        if !key.starts_with(prefix) {
            return Some(None);
        }
        let key = key.to_owned();
        match kind {
            PUT => Some(Some(Change::Put(rest.entry(key)?))),
            DELETE => Some(Some(Change::Delete { key, revision })),
            _ => None,
        }
    })();
    change.ok_or_else(|| Fault::corrupt(format!("a change of revision {revision} cannot be read")))
}

fn push_entry(bytes: &mut Vec<u8>, entry: &Entry) {
    let lease = entry.lease.map_or(0, |lease| lease.0.get());
    for number in [
        entry.create_revision,
        entry.mod_revision,
        entry.version,
        lease,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(&entry.value);
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn entry(&mut self, key: String) -> Option<Entry> {
        Some(Entry {
            key,
            create_revision: self.number()?,
            mod_revision: self.number()?,
            version: self.number()?,
            lease: NonZeroU64::new(self.number()?).map(LeaseId),
            value: self.0.to_vec(),
        })
    }
}
