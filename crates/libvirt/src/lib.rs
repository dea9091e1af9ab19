//! Domains, read through libvirt's C library, opened at run time.
//!
//! [`read`] is the way in: it asks the libvirt daemon for its versions and domains within a
//! deadline, because a hung daemon must not hang its callers. Nothing here changes anything:
//! connections are read-only, whoever opens them.

mod error;
mod ffi;
mod libvirt;
pub mod qemu;
mod reading;
pub mod xml;

pub use error::LibvirtError;
pub use libvirt::{Domains, Libvirt, SYSTEM, UnreadableDomain, Versions};
pub use qemu::qemu_version;
pub use reading::{Reading, read};
