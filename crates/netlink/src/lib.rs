//! Links, VFs, ethtool and devlink: what the kernel reports about network devices, and the
//! settings of VFs. The only room that knows netlink.
//!
//! Every call is one blocking question on a socket of its own, with a deadline, and ends
//! in an answer that is known to be whole or in an error that carries the kernel's words.
//! [`decode`] reads raw answers without a socket, [`encode`] writes them as the kernel
//! does; neither needs a kernel.

mod abi;
mod ack;
mod address;
mod attr;
mod bridge;
mod by_name;
mod change;
pub mod decode;
mod devlink;
pub mod encode;
mod errno;
mod error;
mod ethtool;
mod fdb;
mod features;
mod links;
mod listen;
mod message;
mod monitor;
mod namespace;
mod neighbour;
mod nf_tables;
mod ports;
mod route;
mod rule;
mod socket;
mod traffic;
mod uevent;
mod vfs;

pub use accelnet_model::VfChange;
pub use ack::Ack;
pub use address::{add_address, addresses, remove_address};
pub use bridge::{
    LinkChange, NewBridge, bridges, create_bridge, delete_bridge, remove_port, set_link, stacked,
};
pub use by_name::link;
pub use change::set_vf;
pub use devlink::eswitch_mode;
pub use error::NetlinkError;
pub use ethtool::{channels, driver_info};
pub use fdb::{
    FdbEntry, FdbEvent, FdbKind, FdbMonitor, FdbWatch, WatchedFdb, fdb, learn, set_learning,
    take_in, unlearn,
};
pub use features::{PfControl, Probe, VfControl, probe, reported};
pub use links::links;
pub use monitor::{Event, Monitor};
pub use namespace::links_in;
pub use neighbour::{
    NeighbourEntry, NeighbourState, ask_neighbour, fix_neighbour, forget_neighbour, neighbours,
};
pub use nf_tables::has_nf_tables;
pub use ports::port_rules;
pub use route::{Place, add_route, remove_route, routes};
pub use rule::rules_of;
pub use traffic::disciplines;
pub use uevent::{Subsystem, Uevent, UeventAction, UeventKind, Uevents};
pub use vfs::vf_settings;
