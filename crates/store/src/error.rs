//! Why a store did not do what it was asked. A conflict is not here: it is an answer.

use std::io;
use std::path::PathBuf;

use crate::{LeaseId, MAX_OPS, MAX_TXN_BYTES};

/// Why a store did not do what it was asked: what was found, what was needed, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is open elsewhere.
    #[error(
        "open the store {}: it is in use, and one process at a time may have it; \
         stop the other accelnet agent (`fuser {}` shows its process)",
        path.display(),
        path.display()
    )]
    Held {
        /// The store's file.
        path: PathBuf,
    },
    /// No room on the file system.
    #[error(
        "write the store {}: no space is left on its file system; free space there, then the store \
         continues automatically",
        path.display()
    )]
    Full {
        /// The store's file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel refused.
    #[error("use the store {}: {source}; its file and folder must be there to read and write, on a file system without errors", path.display())]
    Io {
        /// The store's file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The file may have been written by another process.
    #[error(
        "trust the store {}: {found}; only the user that the agent runs as may write to it \
         ('chown root: {}' and 'chmod 600 {}')",
        path.display(), path.display(), path.display()
    )]
    NotPrivate {
        /// The store's file, or its folder.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// The file does not hold what a store holds.
    #[error(
        "read the store {}: its content is damaged or not a store ({found}); stop the \
         agent, move the file away, and restore a copy or start with an empty store",
        path.display()
    )]
    Corrupt {
        /// The store's file.
        path: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// The file was written by a newer accelnet.
    #[error(
        "read the store {}: it has format {found}, and this accelnet reads formats up to {known}; \
         install the accelnet that wrote it, or a newer one",
        path.display()
    )]
    NewerStore {
        /// The store's file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that can be read.
        known: u64,
    },
    /// A value was written by a newer accelnet, or by one too old.
    #[error(
        "read {key}: it has format {found} of {kind}, and this accelnet reads format {known}; \
         {}",
        if found > known { "install the accelnet that wrote it, or a newer one" }
        else { "write it again with this accelnet" }
    )]
    Format {
        /// The key.
        key: String,
        /// What the value is.
        kind: &'static str,
        /// The value's format.
        found: u32,
        /// The format that can be read.
        known: u32,
    },
    /// A value is not what its key promises.
    #[error("read {key}: its value is not that of {kind} ({source}); write it again")]
    Value {
        /// The key.
        key: String,
        /// What the value should be.
        kind: &'static str,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// A value does not go with its key, or is too long.
    #[error("read {}: it is not a valid value of {kind}: {found}; write it again", key.escape_debug())]
    Disagrees {
        /// The key.
        key: String,
        /// What the value should be.
        kind: &'static str,
        /// Where it differs.
        found: String,
    },
    /// A value has no form as JSON.
    #[error("write {kind} as JSON: {source}")]
    NoJson {
        /// What the value is.
        kind: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// Changes that were requested are forgotten.
    #[error(
        "go back to revision {asked}: the history begins at revision {oldest}; \
         read the keys again, and watch from there"
    )]
    Compacted {
        /// The revision that was requested.
        asked: u64,
        /// The oldest revision whose changes are known.
        oldest: u64,
    },
    /// The store is not there yet.
    #[error("compact the history before revision {asked}: the store is at revision {revision}")]
    FutureRevision {
        /// The revision that was requested.
        asked: u64,
        /// The store's revision.
        revision: u64,
    },
    /// There is no such lease.
    #[error("find the lease {lease}: it expired, was revoked or never was; ask for a new one")]
    LeaseNotFound {
        /// The lease.
        lease: LeaseId,
    },
    /// A key has at least one byte.
    #[error("use an empty key: a key has at least one byte")]
    EmptyKey,
    /// One transaction changes a key twice.
    #[error("change {key} twice in one transaction: name each key once")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Too many checks or ops.
    #[error("do {found} steps in one transaction: at most {MAX_OPS} go; split it")]
    TooManyOps {
        /// How many there are.
        found: usize,
    },
    /// Too many bytes.
    #[error("write {found} bytes in one transaction: at most {MAX_TXN_BYTES} go; split it")]
    TooLarge {
        /// How many bytes there are.
        found: usize,
    },
    /// etcd does not answer, or has no quorum.
    #[error(
        "reach the store {store}: {found}; whether the change was applied is known when it answers again"
    )]
    CutOff {
        /// Its address.
        store: String,
        /// What was met.
        found: String,
    },
    /// What answers is not the store of this cluster, or an older state of it.
    #[error("use the store: {found}")]
    Foreign {
        /// What was found.
        found: String,
    },
    /// etcd has no room.
    #[error(
        "write the store {store}: etcd's space is used up; compact and defragment it, give it more \
         (--quota-backend-bytes), then 'etcdctl alarm disarm'"
    )]
    NoSpace {
        /// Its address.
        store: String,
    },
    /// etcd refused, with its message.
    #[error("use the store {store}: {found}")]
    Refused {
        /// Its address.
        store: String,
        /// Its message.
        found: String,
    },
    /// The address or the settings of etcd are invalid.
    #[error("make ready for etcd: {found}")]
    EtcdSettings {
        /// What was found.
        found: String,
    },
    /// The watch was closed, or its store is gone.
    #[error("watch any longer: the watch is closed")]
    Closed,
}

#[cfg(test)]
mod tests;
