//! The configuration space of one PCI function: header and capabilities.
//!
//! Pure over [`Registers`], which are captured bytes or an open device. Whatever they
//! hold, nothing panics and nothing loops. Register numbers are those of
//! `include/uapi/linux/pci_regs.h`; sections are those of the PCI Express Base
//! Specification, revision 6.

mod access;
mod express;
mod header;
mod incomplete;
mod list;
mod msix;
mod registers;
mod space;
mod sriov;

pub use access::Ari;
pub use express::{ExpressLink, PciExpress, PortType, Slot};
pub use header::BridgeNumbers;
pub use incomplete::{Breakage, Incomplete};
pub use list::{Capability, ExtendedCapability, List};
pub use msix::Msix;
pub use registers::{ConfigFile, Registers};
pub use space::ConfigSpace;
pub use sriov::SriovCapability;

#[cfg(test)]
mod tests;
