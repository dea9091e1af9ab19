//! A node of a cluster: the store that the nodes share, their heartbeats and their reports.

pub(crate) mod adapters;
pub mod backup;
pub mod documents;
pub mod identity;
mod instance;
pub(crate) mod last_reports;
mod lease;
pub mod link;
mod linked;
mod liveness;
pub mod membership;
pub mod migration;
pub(crate) mod node_views;
pub mod nodes;
mod observers;
mod remembered;
pub mod restore;
pub(crate) mod vms;

pub use lease::LEASE;
pub(crate) use lease::{BEAT, OwnLease};
pub use link::{CutOff, Link, Why};
pub use linked::Linked;
pub(crate) use liveness::Liveness;
pub use observers::OBSERVER_SLOTS;
pub(crate) use observers::Observers;
