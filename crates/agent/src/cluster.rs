//! One node among several: the way to the common store, and who else is there.

pub(crate) mod adapters;
pub mod backup;
pub mod identity;
mod instance;
pub(crate) mod last_reports;
pub mod link;
mod liveness;
pub mod membership;
pub mod nodes;
pub(crate) mod observers;
mod remembered;
pub(crate) mod vms;

pub use link::{CutOff, Link, Linked, Why};
pub use liveness::{BEAT, LEASE};
pub(crate) use liveness::{Liveness, OwnLease};
pub(crate) use membership::{CLUSTER, MIGRATION};
pub use observers::PLACES;
pub(crate) use observers::{OBSERVERS, Observing};
