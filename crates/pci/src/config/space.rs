//! The registers of one function.

use super::incomplete::Incomplete;
use super::registers::Registers;

/// The configuration space of one function.
#[derive(Debug, Clone)]
pub struct ConfigSpace<R> {
    pub(super) registers: R,
}

impl<R: Registers> ConfigSpace<R> {
    /// The space behind `registers`.
    pub fn new(registers: R) -> Self {
        ConfigSpace { registers }
    }

    pub(super) fn u8(&self, at: u16) -> Result<u8, Incomplete> {
        self.registers.read::<1>(at).map(|[byte]| byte)
    }

    pub(super) fn u16(&self, at: u16) -> Result<u16, Incomplete> {
        self.registers.read(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&self, at: u16) -> Result<u32, Incomplete> {
        self.registers.read(at).map(u32::from_le_bytes)
    }
}
