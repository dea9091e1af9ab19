//! etcd's words in ours, and back.

use std::num::NonZeroU64;

use etcd_client::KeyValue;

use crate::{Entry, LeaseId};

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
pub(super) fn entry(kv: KeyValue, prefix: &str) -> Entry {
    let lease = NonZeroU64::new(unsigned(kv.lease())).map(LeaseId);
    let create_revision = unsigned(kv.create_revision());
    let mod_revision = unsigned(kv.mod_revision());
    let version = unsigned(kv.version());
    let (key, value) = kv.into_key_value();
    Entry {
        key: key_below(&key, prefix),
        value,
        create_revision,
        mod_revision,
        version,
        lease,
    }
}

/// Where the bytes of a key begin that are no text: they follow in hexadecimal.
const NO_TEXT: char = char::REPLACEMENT_CHARACTER;

/// A key without the prefix. One that is no text, which accelnet did not write, is shown so that
/// [`bytes_of`] finds it again.
pub(super) fn key_below(key: &[u8], prefix: &str) -> String {
    let below = key.strip_prefix(prefix.as_bytes()).unwrap_or(key);
    let (text, rest) = match std::str::from_utf8(below) {
        Ok(text) => (text, &[][..]),
        Err(error) => {
            let (text, rest) = below.split_at(error.valid_up_to());
            (std::str::from_utf8(text).unwrap_or_default(), rest)
        }
    };
    let mut shown = text.to_owned();
    if !rest.is_empty() {
        shown.push(NO_TEXT);
        for byte in rest {
            shown.push_str(&format!("{byte:02x}"));
        }
    }
    shown
}

/// The bytes of a key as it is shown.
pub(super) fn bytes_of(key: &str) -> Vec<u8> {
    let bytes = |hex: &str| -> Option<Vec<u8>> {
        let pairs = hex.as_bytes().chunks(2);
        let pairs = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        pairs.collect()
    };
    let parts = key.split_once(NO_TEXT);
    let parts =
        parts.and_then(|(text, hex)| Some((text, bytes(hex).filter(|rest| !rest.is_empty())?)));
    match parts {
        Some((text, rest)) => [text.as_bytes(), &rest].concat(),
        None => key.as_bytes().to_vec(),
    }
}
