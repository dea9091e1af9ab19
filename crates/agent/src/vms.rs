//! VMs on this node: planned, changed, observed.

pub(crate) mod added_nic;
pub(crate) mod change;
pub(crate) mod conditions;
pub(crate) mod detached;
pub(crate) mod executor;
pub(crate) mod failover_bridge;
pub(crate) mod filter;
pub(crate) mod fitness;
pub(crate) mod guest;
pub(crate) mod hook_files;
pub(crate) mod hook_outcome;
pub(crate) mod learning;
pub(crate) mod paths;
pub(crate) mod plan;
pub(crate) mod reconciler;
pub(crate) mod repair;
pub(crate) mod request;
pub(crate) mod software_path;
pub(crate) mod standby;
pub(crate) mod state;
pub(crate) mod unplugged;
pub(crate) mod verify;
pub(crate) mod vf_repair;
pub(crate) mod vnics;

pub(crate) use state::VmReconciler;
