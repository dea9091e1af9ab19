//! The limits of a transaction.

/// Most checks, and most ops, of one transaction (etcd: `--max-txn-ops`).
pub const MAX_OPS: usize = 128;

/// Most bytes of one transaction: its keys and values, and 64 for each check and op. Below what
/// etcd takes (`--max-request-bytes`), so that what one store takes the other takes, too.
pub const MAX_TXN_BYTES: usize = 1_500_000;
