//! The agent on a real node: what it refuses, what it does to VMs, and what it
//! repairs.

#[path = "../support/mod.rs"]
mod support;

mod apparmor;
mod bonds;
mod definitions;
mod drift;
mod evidence;
mod firewall;
mod fitness;
mod hardened;
mod host_network;
mod kills;
mod reach;
mod refusals;
mod running;
mod setting;
mod vnic_settings;
