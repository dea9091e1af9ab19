//! etcd's words in ours, and back.

use std::num::NonZeroU64;

use etcd_client::KeyValue;

use crate::{Entry, LeaseId, StoreError};

/// etcd counts in signed numbers that are never negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number that etcd never gave stays one that it never gives.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A lease's name, bit for bit.
pub(super) fn lease_id(lease: LeaseId) -> i64 {
    signed(lease.0.get())
}

/// A key and its value, below `prefix`.
pub(super) fn entry(kv: KeyValue, prefix: &str) -> Result<Entry, StoreError> {
    let lease = NonZeroU64::new(unsigned(kv.lease())).map(LeaseId);
    let create_revision = unsigned(kv.create_revision());
    let mod_revision = unsigned(kv.mod_revision());
    let version = unsigned(kv.version());
    let (key, value) = kv.into_key_value();
    Ok(Entry {
        key: key_below(&key, prefix)?,
        value,
        create_revision,
        mod_revision,
        version,
        lease,
    })
}

/// A key without the prefix.
pub(super) fn key_below(key: &[u8], prefix: &str) -> Result<String, StoreError> {
    let text = std::str::from_utf8(key).ok();
    let below = text.and_then(|text| text.strip_prefix(prefix));
    below.map(str::to_owned).ok_or_else(|| StoreError::Refused {
        store: "etcd".to_owned(),
        found: format!(
            "it has the key {:?}, which accelnet did not write",
            String::from_utf8_lossy(key)
        ),
    })
}
