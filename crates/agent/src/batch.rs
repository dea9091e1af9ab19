//! Many operations on a store, in as few transactions as possible.

use accelnet_store::{Commit, MAX_OPS, MAX_TXN_BYTES, Store, StoreError, Txn};

/// Operations of one transaction; each may have a check.
const OPS: usize = MAX_OPS / 2;
/// Bytes of keys and values of one transaction.
const BYTES: usize = MAX_TXN_BYTES - 64 * 1024;

/// Operations that are committed whenever a transaction is full, and by [`Batch::commit`].
pub(crate) struct Batch<'a> {
    store: &'a dyn Store,
    /// What each transaction begins with.
    base: Txn,
    txn: Txn,
    bytes: usize,
}

impl<'a> Batch<'a> {
    /// No operations yet. Each transaction begins with `base`.
    pub fn new(store: &'a dyn Store, base: Txn) -> Self {
        Batch {
            store,
            txn: base.clone(),
            base,
            bytes: 0,
        }
    }

    /// Adds an operation with that many bytes of keys and values. False if a check of an earlier one failed.
    pub fn add(
        &mut self,
        bytes: usize,
        op: impl FnOnce(Txn) -> Result<Txn, StoreError>,
    ) -> Result<bool, StoreError> {
        if (self.bytes + bytes > BYTES || self.txn.ops.len() >= OPS) && !self.commit()? {
            return Ok(false);
        }
        self.bytes += bytes;
        self.txn = op(std::mem::take(&mut self.txn))?;
        Ok(true)
    }

    /// Commits the operations that were added last. False if a check failed.
    pub fn commit(&mut self) -> Result<bool, StoreError> {
        self.bytes = 0;
        let txn = std::mem::replace(&mut self.txn, self.base.clone());
        match txn.ops.is_empty() {
            true => Ok(true),
            false => Ok(matches!(self.store.commit(&txn)?, Commit::Done { .. })),
        }
    }
}
