//! The state of a cluster: one trait with etcd's meaning, and an embedded store and etcd behind it.
//!
//! [`Store`] is what everyone else uses: keys with revisions, changes by compare-and-swap
//! ([`Txn`]), watches that resume from a revision, and leases. [`Embedded`] keeps it in one file
//! for a cluster of one, [`Etcd`] in an etcd for several. [`Json`] reads and writes documents that carry a format version.

mod clock;
mod embedded;
mod entry;
mod error;
mod etcd;
mod json;
mod lease;
mod limits;
mod private;
mod store;
mod txn;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use clock::Clock;
pub use embedded::{Embedded, History};
pub use entry::{Change, Entry, Range};
pub use error::StoreError;
pub use etcd::{ClientIdentity, Etcd, EtcdAddress, EtcdTls};
pub use json::{Document, Documents, Json, Stored, Unreadable, renamed};
pub use lease::{Lease, LeaseId};
pub use limits::{MAX_OPS, MAX_TXN_BYTES};
pub use private::is_private;
pub use store::{Close, Store, Watch};
pub use txn::{Check, Commit, Op, Txn};
