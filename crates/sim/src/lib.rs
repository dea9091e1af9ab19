//! Nodes that never existed: generated sysfs trees and configuration spaces, and the edge
//! of such a node with faults.
//!
//! For tests and benchmarks: a [`Tree`] describes a node in a few lines and
//! writes what its kernel would show; a [`SimHost`] boots it, so that it can be read
//! and changed like a real one, and broken by a [`Fault`]. A [`SimMachine`] has bridges and
//! a libvirt as well: all that an agent works on.

mod clock;
pub mod config;
pub mod fault;
mod firewall;
pub mod host;
pub mod kernel;
mod knobs;
mod links;
pub mod machine;
mod mutex;
pub mod switches;
pub mod tree;
pub mod vms;

pub use config::ConfigBuilder;
pub use fault::Fault;
pub use host::{SimHost, SimLibvirt};
pub use kernel::SimKernel;
pub use machine::SimMachine;
pub use switches::{SimGuard, SimSwitches};
pub use tree::{AdapterSpec, NetdevSpec, Port, SimNode, Tree};
pub use vms::{DomainSpec, Guest, Migration, NicSpec, SimVms};
