//! The agent of a node: it applies the policy in the store to the node, and reports the node's state.
//!
//! `engine` is one thread that runs requests and reconciles; `reconcilers` says in which order. A reconcile gathers
//! the `world`, plans with the functions of accelnet-rules, executes, and publishes what was observed afterwards.
//! `service` is the interface to the API; [`mod@run`] starts it. [`vf_change`] needs no agent: the command line uses
//! it as well.

mod batch;
#[cfg(test)]
mod broken;
mod capacity;
pub mod check;
pub mod cluster;
mod context;
mod disruption;
pub mod edge;
mod engine;
mod files;
mod filter_ledger;
mod health;
mod inbox;
mod intents;
pub mod journal;
pub mod journald;
pub mod logging;
mod notifier;
mod observed;
pub mod orders;
pub mod policy;
pub mod problems;
mod reconcilers;
mod renamed;
mod reopened;
pub mod reports;
mod requester;
mod requests;
pub mod responder;
pub mod run;
mod service;
mod shortage;
#[cfg(feature = "simulated")]
pub mod simulated;
mod systemd;
pub mod unread;
pub mod vf_change;
pub mod views;
mod vital;
mod vms;
mod watchers;
mod world;

pub use crate::edge::Edge;
pub use crate::run::{Options, Place, StoreChoice, run};
