//! A transaction, and what came of it.

use std::collections::BTreeSet;

use crate::{LeaseId, MAX_OPS, MAX_TXN_BYTES, StoreError};

/// A condition of a transaction: the key's last change was at this revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The key.
    pub key: String,
    /// Its `mod_revision`; 0 means that it must not exist.
    pub mod_revision: u64,
}

/// One step of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a key, and ties it to the lease or to none.
    Put {
        /// The key.
        key: String,
        /// Its value from then on.
        value: Vec<u8>,
        /// The lease it is tied to.
        lease: Option<LeaseId>,
    },
    /// Removes a key. One that does not exist is no error.
    Delete {
        /// The key.
        key: String,
    },
}

/// Checks and ops. A key may be put once, and not be put and deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Txn {
    /// All must hold.
    pub checks: Vec<Check>,
    /// Done in this order.
    pub ops: Vec<Op>,
}

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was written"]
pub enum Commit {
    /// Everything is done.
    Done {
        /// The store's revision with it.
        revision: u64,
    },
    /// A check does not hold, and nothing was done.
    Conflict {
        /// The key of the first check that does not hold.
        key: String,
        /// The key's `mod_revision`; 0 when it does not exist.
        found_revision: u64,
        /// The store's revision at that moment.
        revision: u64,
    },
}

impl Op {
    /// The key that it sets or removes.
    pub fn key(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

impl Txn {
    /// A transaction without conditions that does nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that the key's last change was at `mod_revision`; 0: that it does not exist.
    #[must_use]
    pub fn check(mut self, key: impl Into<String>, mod_revision: u64) -> Self {
        self.checks.push(Check {
            key: key.into(),
            mod_revision,
        });
        self
    }

    /// Sets a key.
    #[must_use]
    pub fn put(self, key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.put_leased(key, value, None)
    }

    /// Sets a key that vanishes with the lease, if there is one.
    #[must_use]
    pub fn put_leased(
        mut self,
        key: impl Into<String>,
        value: impl Into<Vec<u8>>,
        lease: Option<LeaseId>,
    ) -> Self {
        self.ops.push(Op::Put {
            key: key.into(),
            value: value.into(),
            lease,
        });
        self
    }

    /// Removes a key.
    #[must_use]
    pub fn delete(mut self, key: impl Into<String>) -> Self {
        self.ops.push(Op::Delete { key: key.into() });
        self
    }

    /// Whether every store would take it.
    ///
    /// # Errors
    ///
    /// An empty key, a key that is put twice or both put and deleted, more than [`MAX_OPS`] checks
    /// or ops, more than [`MAX_TXN_BYTES`].
    pub fn validate(&self) -> Result<(), StoreError> {
        let most = self.checks.len().max(self.ops.len());
        if most > MAX_OPS {
            return Err(StoreError::TooManyOps { found: most });
        }
        let checked = self.checks.iter().map(|check| &*check.key);
        if checked
            .chain(self.ops.iter().map(Op::key))
            .any(str::is_empty)
        {
            return Err(StoreError::EmptyKey);
        }
        let bytes = self.bytes();
        if bytes > MAX_TXN_BYTES {
            return Err(StoreError::TooLarge { found: bytes });
        }
        let mut put = BTreeSet::new();
        let mut deleted = BTreeSet::new();
        for op in &self.ops {
            let key = op.key();
            let fits = match op {
                Op::Put { .. } => put.insert(key) && !deleted.contains(key),
                Op::Delete { .. } => {
                    deleted.insert(key);
                    !put.contains(key)
                }
            };
            if !fits {
                return Err(StoreError::DuplicateKey { key: key.into() });
            }
        }
        Ok(())
    }

    /// The leases that it ties keys to.
    pub(crate) fn leases(&self) -> impl Iterator<Item = LeaseId> {
        self.ops.iter().filter_map(|op| match op {
            Op::Put { lease, .. } => *lease,
            Op::Delete { .. } => None,
        })
    }

    fn bytes(&self) -> usize {
        const OVERHEAD: usize = 64;
        let checks = self.checks.iter().map(|check| check.key.len() + OVERHEAD);
        let ops = self.ops.iter().map(|op| match op {
            Op::Put { key, value, .. } => key.len() + value.len() + OVERHEAD,
            Op::Delete { key } => key.len() + OVERHEAD,
        });
        checks.chain(ops).sum()
    }
}
