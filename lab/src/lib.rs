//! The real-kernel test bench of accelnet: nodes with SR-IOV under QEMU.
//!
//! A [`Topology`] reports which adapters a node has and what stands above them; [`Node::boot`] boots an
//! ordinary Debian with it; [`Cluster::boot`] boots several on one wire; [`Vm`] is a VM inside such a node.
//! Everything is made from Debian packages by [`build`], once, and kept until the recipe changes.
#![expect(
    clippy::disallowed_methods,
    reason = "the lab waits for real machines and reads the developer's environment"
)]

mod apt;
mod artifacts;
mod boot;
mod cache;
mod capture;
mod cluster;
mod command;
mod emulators;
mod error;
mod image;
mod launch;
mod node;
mod packages;
mod programs;
mod qemu;
mod qmp;
mod recipe;
mod shell;
mod slots;
mod ssh;
pub mod topologies;
mod topology;
mod vm;
mod wire;

pub use artifacts::Artifacts;
pub use capture::{capture, refresh_fixtures};
pub use cluster::Cluster;
pub use command::Output;
pub use error::{Error, Result};
pub use image::build;
pub use node::{Node, accelnet_binary};
pub use shell::shell;
pub use topology::{Cpus, Nic, Port, Topology};
pub use vm::{Guest, Vm, VmState};
