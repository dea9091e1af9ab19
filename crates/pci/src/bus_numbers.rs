//! Whether the bus numbers behind a bridge are enough for every VF.
//!
//! VF number i has the routing id PF + offset + i * stride (section 9.2.1.2), which may lie
//! on a later bus than the PF. The kernel switches on no VFs when the last one's bus is
//! past those that lead to the adapter (`sriov_enable` in `drivers/pci/iov.c`).

use accelnet_model::PciAddress;
use accelnet_model::adapter::BusNumbers;

#[cfg(test)]
mod tests;

/// What places the VFs of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The physical function.
    pub address: PciAddress,
    /// VFs when all are switched on.
    pub vfs: u32,
    /// First VF offset.
    pub offset: u16,
    /// VF stride.
    pub stride: u16,
}

/// Why bus numbers cannot be determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// Offset 0 would make VF 0 the adapter itself.
    #[error("the first VF offset is 0: the adapter names it only while VFs exist")]
    NoOffset,
    /// Stride 0 would put all VFs in one place.
    #[error("the VF stride is 0: the adapter names it only while VFs exist")]
    NoStride,
    /// Nothing shows where a root bus ends.
    #[error(
        "the adapter sits on a root bus, and the kernel does not show the last bus number there"
    )]
    RootBus,
}

impl Placement {
    /// The bus of VF `index`, which may be past the last bus number.
    fn bus(&self, index: u32) -> u64 {
        let first = u64::from(self.address.routing_id()) + u64::from(self.offset);
        (first + u64::from(index) * u64::from(self.stride)) >> 8
    }

    /// Compares the buses that the VFs need with `last`, the highest that leads to the
    /// adapter; none for an adapter without a bridge above it.
    ///
    /// # Errors
    ///
    /// When the adapter does not place its VFs, or leaves its own root bus.
    pub fn bus_numbers(&self, last: Option<u8>) -> Result<BusNumbers, Unplaced> {
        if self.vfs > 0 && self.offset == 0 {
            return Err(Unplaced::NoOffset);
        }
        if self.vfs > 1 && self.stride == 0 {
            return Err(Unplaced::NoStride);
        }
        let own = self.address.bus;
        let needed = match self.vfs.checked_sub(1) {
            Some(last_vf) => self.bus(last_vf),
            None => own.into(),
        };
        let available = match last {
            // The adapter answers, so its own bus leads to it.
            Some(bus) => bus.max(own),
            None if needed <= own.into() => own,
            None => return Err(Unplaced::RootBus),
        };
        let mut indexes = 0..self.vfs;
        let beyond = indexes.find(|&index| self.bus(index) > available.into());
        let reachable = beyond.unwrap_or(self.vfs);
        Ok(BusNumbers {
            needed: u16::try_from(needed).unwrap_or(u16::MAX),
            available,
            reachable_vfs: u16::try_from(reachable).unwrap_or(u16::MAX),
        })
    }
}
