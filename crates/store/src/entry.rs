//! What a store holds, and how it changes.

use crate::LeaseId;

/// A key and what is known of it (etcd: `KeyValue`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
    /// Revision at which the key came to be; a deleted key that comes back has a new one.
    pub create_revision: u64,
    /// Revision of its last change.
    pub mod_revision: u64,
    /// Number of puts since it came to be, from 1.
    pub version: u64,
    /// The lease that the last put tied it to.
    pub lease: Option<LeaseId>,
}

/// All keys with one prefix at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// In the order of the keys' bytes.
    pub entries: Vec<Entry>,
    /// The store's revision at that moment: a watch from the next one misses nothing.
    pub revision: u64,
}

/// One change of one key. Changes of one transaction share a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The key has this value now.
    Put(Entry),
    /// The key is gone.
    Delete {
        /// The key.
        key: String,
        /// Revision at which it went.
        revision: u64,
    },
}

impl Change {
    /// The key that changed.
    pub fn key(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Delete { key, .. } => key,
        }
    }

    /// The revision of the change.
    pub fn revision(&self) -> u64 {
        match self {
            Self::Put(entry) => entry.mod_revision,
            Self::Delete { revision, .. } => *revision,
        }
    }
}
