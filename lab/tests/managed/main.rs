//! The agent on a real node: what it refuses, and what it does to VMs.

#[path = "../support/mod.rs"]
mod support;

mod kills;
mod refusals;
mod running;
mod setting;
