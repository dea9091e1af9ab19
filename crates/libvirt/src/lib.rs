//! Domains and virtual networks, read and changed through libvirt's C library, opened at run
//! time.
//!
//! [`read`] asks the libvirt daemon for its versions and domains on a read-only connection.
//! [`Control`] changes what is there, and hands on what happens. Both keep a deadline,
//! because a hung daemon must not hang its callers. [`xml`] reads and writes what is passed.

mod control;
mod error;
mod event;
mod ffi;
mod libvirt;
pub mod qemu;
mod reading;
mod vocabulary;
pub mod xml;

pub use control::{Control, GuestAnswer};
pub use error::LibvirtError;
pub use event::{DomainChange, NetworkChange, VmEvent, WatchHandle};
pub use ffi::give_back;
pub use libvirt::{Domains, Libvirt, SYSTEM, UnreadableDomain, Versions};
pub use qemu::qemu_version;
pub use reading::{Reading, read};
pub use vocabulary::{SavedState, Side, VirtualNetwork};
