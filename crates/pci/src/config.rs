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
mod sriov;

pub use access::Ari;
pub use express::{ExpressLink, PciExpress, PortType, Slot};
pub use header::BridgeNumbers;
pub use incomplete::{Breakage, Incomplete};
pub use list::{Capability, ExtendedCapability, List};
pub use msix::Msix;
pub use registers::{ConfigFile, Registers};
pub use sriov::SriovCapability;

#[cfg(test)]
mod tests;

/// The configuration space of one function.
#[derive(Debug, Clone)]
pub struct ConfigSpace<R> {
    registers: R,
}

impl<R: Registers> ConfigSpace<R> {
    /// The space behind `registers`.
    pub fn new(registers: R) -> Self {
        ConfigSpace { registers }
    }

    fn u8(&self, at: u16) -> Result<u8, Incomplete> {
        self.registers.read::<1>(at).map(|[byte]| byte)
    }

    fn u16(&self, at: u16) -> Result<u16, Incomplete> {
        self.registers.read(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: u16) -> Result<u32, Incomplete> {
        self.registers.read(at).map(u32::from_le_bytes)
    }
}
