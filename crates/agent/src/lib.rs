//! The agent of a node: it owns the node's edge, brings the node to the policy in the store,
//! and tells what it found.
//!
//! [`core`] is its mind, one thread that looks, plans, acts and looks again; [`service`] is
//! what the API sees of it; [`mod@run`] puts it to work. [`vf_change`] needs no agent: it is the
//! round of a change of the number of VFs, which the command line makes, too.

mod bell;
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
pub mod logging;
mod mind;
pub mod orders;
pub mod policy;
pub mod reflex;
mod renamed;
mod reopened;
pub mod report;
pub mod run;
pub mod service;
#[cfg(feature = "simulated")]
pub mod simulated;
mod systemd;
pub mod unread;
pub mod vf_change;
mod view;
mod vital;

pub use crate::core::Core;
pub use crate::edge::Edge;
pub use crate::run::{Options, Place, StoreChoice, run};
