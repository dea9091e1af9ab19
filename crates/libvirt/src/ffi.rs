//! The C side: a table of the functions used and safe owners of what they return.
//!
//! Nothing unsafe is visible above it.
#![expect(
    unsafe_code,
    reason = "libvirt is a C library; every call into it goes through this module"
)]

mod connection;
mod domain;
mod event_loop;
mod events;
mod failure;
mod network;
mod resident;
mod table;
mod text;

pub use connection::{Connection, WhichDomains, WhichNetworks};
pub use domain::DomainHandle;
pub use events::Received;
pub use failure::Failure;
pub use network::NetworkHandle;
pub use resident::give_back;
pub use table::qemu_table;
