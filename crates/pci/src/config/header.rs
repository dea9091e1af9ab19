//! The header: the first 64 bytes, which anybody may read.

use super::{ConfigSpace, Incomplete, Registers};

/// `PCI_COMMAND`, with bit 2: the function may access memory.
const COMMAND: u16 = 0x04;
const COMMAND_MASTER: u16 = 1 << 2;
/// All ones: nothing answers.
const VOID: u16 = 0xffff;
/// `PCI_STATUS`, with bit 4: there is a list of capabilities.
const STATUS: u16 = 0x06;
const STATUS_CAPABILITIES: u16 = 1 << 4;
/// `PCI_CLASS_REVISION` + 1: programming interface, subclass, class.
const CLASS: u16 = 0x09;
/// `PCI_HEADER_TYPE`.
const HEADER_TYPE: u16 = 0x0e;
const MULTIFUNCTION: u8 = 1 << 7;
/// Header type of functions.
const FUNCTION: u8 = 0;
/// Header type of PCI-to-PCI bridges.
const BRIDGE: u8 = 1;
/// Header type of CardBus bridges.
const CARDBUS: u8 = 2;
/// `PCI_PRIMARY_BUS`, `PCI_SECONDARY_BUS`, `PCI_SUBORDINATE_BUS`.
const BUSES: u16 = 0x18;
/// `PCI_CAPABILITY_LIST`, and where CardBus bridges have it.
pub(super) const CAPABILITIES: u16 = 0x34;
const CARDBUS_CAPABILITIES: u16 = 0x14;

/// Bus numbers of a bridge (section 7.5.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeNumbers {
    /// Bus it sits on.
    pub primary: u8,
    /// Bus right below it.
    pub secondary: u8,
    /// Highest bus below it.
    pub subordinate: u8,
}

impl<R: Registers> ConfigSpace<R> {
    /// Vendor (section 7.5.1.1.1): all ones where nothing answers, and for VFs.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn vendor(&self) -> Result<u16, Incomplete> {
        self.u16(0)
    }

    /// Whether the function may access memory (Bus Master Enable, section 7.5.1.1.3): a driver that works
    /// it sets the bit.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or the device does not answer.
    pub fn bus_master(&self) -> Result<bool, Incomplete> {
        match self.u16(COMMAND)? {
            VOID => Err(Incomplete::NoAnswer),
            command => Ok(command & COMMAND_MASTER != 0),
        }
    }

    /// Header layout: 0 for functions, 1 for bridges, 2 for CardBus bridges (section
    /// 7.5.1.1.9, bits 0 to 6).
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn header_type(&self) -> Result<u8, Incomplete> {
        Ok(self.u8(HEADER_TYPE)? & !MULTIFUNCTION)
    }

    /// Whether the device has several functions (section 7.5.1.1.9, bit 7).
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn multifunction(&self) -> Result<bool, Incomplete> {
        Ok(self.u8(HEADER_TYPE)? & MULTIFUNCTION != 0)
    }

    /// Class code: class, subclass and programming interface, as sysfs' `class` shows it.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn class(&self) -> Result<u32, Incomplete> {
        let [interface, subclass, class] = self.registers.read(CLASS)?;
        Ok(u32::from_be_bytes([0, class, subclass, interface]))
    }

    /// Bus numbers of a bridge; none for other functions.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn bridge_numbers(&self) -> Result<Option<BridgeNumbers>, Incomplete> {
        if self.header_type()? != BRIDGE {
            return Ok(None);
        }
        let [primary, secondary, subordinate] = self.registers.read(BUSES)?;
        Ok(Some(BridgeNumbers {
            primary,
            secondary,
            subordinate,
        }))
    }

    /// The status register, of a device that answers: some of its bits are always 0.
    pub(super) fn status(&self) -> Result<u16, Incomplete> {
        match self.u16(STATUS)? {
            u16::MAX => Err(Incomplete::NoAnswer),
            status => Ok(status),
        }
    }

    /// Where the list of capabilities begins: 0 where there is none.
    pub(super) fn first_capability(&self) -> Result<u8, Incomplete> {
        if self.status()? & STATUS_CAPABILITIES == 0 {
            return Ok(0);
        }
        // As the kernel does: other layouts are not defined, and have no list.
        match self.header_type()? {
            FUNCTION | BRIDGE => self.u8(CAPABILITIES),
            CARDBUS => self.u8(CARDBUS_CAPABILITIES),
            _ => Ok(0),
        }
    }
}
