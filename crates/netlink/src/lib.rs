//! Links, VFs, ethtool and devlink: what the kernel says of network devices, and the
//! settings of VFs. The only room that knows netlink.
//!
//! Every call is one blocking question on a socket of its own, with a deadline, and ends
//! in an answer that is known to be whole or in an error that carries the kernel's words.
//! [`decode`] reads raw answers without a socket, [`encode`] writes them as the kernel
//! does; neither needs a kernel.

mod abi;
mod ack;
mod attr;
mod change;
pub mod decode;
mod devlink;
pub mod encode;
mod errno;
mod error;
mod ethtool;
mod features;
mod links;
mod message;
mod namespace;
mod socket;
mod vfs;

pub use ack::Ack;
pub use change::{VfChange, set_vf};
pub use devlink::eswitch_mode;
pub use error::NetlinkError;
pub use ethtool::{channels, driver_info};
pub use features::{PfControl, Probe, VfControl, probe, reported};
pub use links::links;
pub use namespace::links_in;
pub use vfs::vf_settings;
