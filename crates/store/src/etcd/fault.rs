//! Why etcd did not do what it was asked: it refused, or it could not be asked.

use std::error::Error as _;
use std::num::NonZeroU64;

use super::address::EtcdAddress;
use crate::{LeaseId, StoreError};

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// etcd answered, and another member would answer the same.
    Refused(Refusal),
    /// No member answered, or the one that did has no quorum.
    CutOff {
        /// What was met.
        found: String,
        /// Whether it may have been done nevertheless.
        sent: bool,
    },
}

/// What etcd refuses.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such lease.
    Lease,
    /// The revision is forgotten.
    Compacted,
    /// The revision is not there yet.
    Future,
    /// Its space is used up.
    Full,
    /// Anything else, in its words.
    Other(String),
}

/// What etcd reports (`api/v3rpc/rpctypes/error.go`) when it has no quorum or no leader, or is not
/// ready; whether the request may have been done nevertheless.
const NOT_NOW: &[(&str, bool)] = &[
    ("no leader", false),
    ("not capable", false),
    ("too many requests", false),
    ("leader changed", true),
    ("request timed out", true),
    ("server stopped", true),
    ("unhealthy cluster", false),
    ("not leader", false),
    ("rpc not supported for learner", false),
];

impl Fault {
    /// Nothing was received in time.
    pub(super) fn silent() -> Self {
        Self::CutOff {
            found: "it does not answer".to_owned(),
            sent: true,
        }
    }

    pub(super) fn of(error: &etcd_client::Error) -> Self {
        let words = words(error);
        if words.contains("lease not found") {
            return Self::Refused(Refusal::Lease);
        }
        let status = match error {
            etcd_client::Error::GRpcStatus(status) => status,
            // The stream of a call ended without an answer.
            _ => {
                return Self::CutOff {
                    found: words,
                    sent: true,
                };
            }
        };
        let said = status.message();
        if let Some((_, sent)) = NOT_NOW.iter().find(|(not_now, _)| said.contains(not_now)) {
            return Self::CutOff {
                found: format!("it has no quorum now ({said})"),
                sent: *sent,
            };
        }
        if said.contains("has been compacted") {
            return Self::Refused(Refusal::Compacted);
        }
        if said.contains("is a future revision") {
            return Self::Refused(Refusal::Future);
        }
        if said.contains("database space exceeded") {
            return Self::Refused(Refusal::Full);
        }
        if said.starts_with("etcdserver:") || is_answer(i32::from(status.code())) {
            return Self::Refused(Refusal::Other(words));
        }
        Self::CutOff {
            sent: !words.contains("connect error") && !words.contains("Connection refused"),
            found: words,
        }
    }
}

/// Whether a gRPC code is one that a server gives for a reason of its own: INVALID_ARGUMENT,
/// NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE,
/// UNIMPLEMENTED, UNAUTHENTICATED.
fn is_answer(code: i32) -> bool {
    matches!(code, 3 | 5 | 6 | 7 | 9 | 11 | 12 | 16)
}

impl Refusal {
    pub(super) fn of(self, address: &EtcdAddress) -> StoreError {
        match self {
            Self::Lease => StoreError::LeaseNotFound {
                lease: LeaseId(NonZeroU64::MIN),
            },
            Self::Compacted => StoreError::Compacted {
                asked: 0,
                oldest: 0,
            },
            Self::Future => StoreError::FutureRevision {
                asked: 0,
                revision: 0,
            },
            Self::Full => StoreError::NoSpace {
                store: address.to_string(),
            },
            Self::Other(found) => StoreError::Refused {
                store: address.to_string(),
                found,
            },
        }
    }
}

/// An error in words, the cause of each behind it.
pub(super) fn words(error: &etcd_client::Error) -> String {
    let mut words = match error {
        etcd_client::Error::GRpcStatus(status) => status.message().to_owned(),
        other => other.to_string(),
    };
    let mut cause = match error {
        etcd_client::Error::GRpcStatus(status) => status.source(),
        other => other.source(),
    };
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(&more);
        }
        cause = error.source();
    }
    words
}
