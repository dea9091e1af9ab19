//! The agent of a node: it applies the policy in the store to the node, and reports the node's state.
//!
//! [`core`] is its engine, one thread that observes, plans and executes; `service` is its interface to the
//! API; [`mod@run`] starts it. [`vf_change`] needs no agent: the command line uses it as well.

mod batch;
#[cfg(test)]
mod broken;
pub mod check;
pub mod cluster;
pub mod core;
pub mod destinations;
pub mod edge;
mod faults;
mod files;
mod filter_ledger;
pub mod journal;
pub mod journald;
mod mind;
mod notifier;
pub mod orders;
pub mod policy;
pub mod problems;
pub mod reflex;
mod renamed;
mod reopened;
pub mod reports;
pub mod run;
mod service;
#[cfg(feature = "simulated")]
pub mod simulated;
mod systemd;
pub mod unread;
pub mod vf_change;
mod view;
pub(crate) mod views;
mod vital;
mod watchers;

pub use crate::core::Core;
pub use crate::edge::Edge;
pub use crate::run::{Options, Place, StoreChoice, run};
