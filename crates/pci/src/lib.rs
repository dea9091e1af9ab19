//! PCI capabilities and topology, read over a sysfs root.
//!
//! [`adapters`] is every network adapter of a node with the bridges above it and the VFs
//! below it; [`ConfigSpace`] walks the capabilities of one function, from bytes or from a
//! device. Nothing here writes.

pub mod adapter;
pub mod bars;
pub mod bridge;
pub mod bus_numbers;
pub mod config;
mod devices;
pub mod link;
pub mod locked;
pub mod names;
pub mod netdevs;
pub mod read_error;
pub mod root;
pub mod sriov;
pub mod vf;

pub use adapter::{PciAdapter, VfsNow, adapter, adapters, addresses, again, is_adapter, vfs_now};
pub use config::{ConfigSpace, Incomplete};
pub use locked::{Direct, LockedRead};
pub use read_error::ReadError;
pub use root::Root;
pub use vf::PciVf;
