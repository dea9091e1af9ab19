//! Leases: keys that vanish unless a caller keeps them alive.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

/// Names a lease. Never used twice in the life of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub NonZeroU64);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A lease as granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Its name.
    pub id: LeaseId,
    /// How long it lives after the grant and after each `keep_alive`. Whole seconds; a store may
    /// grant more than was requested (etcd does not go below its election timeout).
    pub ttl: Duration,
}
