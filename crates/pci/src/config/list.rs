//! The two lists of capabilities (sections 7.5.1.1.11 and 7.6.3).

use super::{Breakage, ConfigSpace, Incomplete, Registers};

/// Where device dependent registers begin.
const DEVICE_REGISTERS: u8 = 0x40;
/// Where the extended configuration space begins, and the first extended capability with it.
const EXTENDED: u16 = 0x100;
/// Where it ends.
const END: u16 = 0x1000;
/// `PCI_CAP_ID_EXP`.
pub(super) const EXPRESS: u8 = 0x10;

/// A capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// `PCI_CAP_ID_*`.
    pub id: u8,
    /// Offset of its header, a multiple of 4 from 0x40 on.
    pub offset: u8,
}

/// An extended capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtendedCapability {
    /// `PCI_EXT_CAP_ID_*`.
    pub id: u16,
    /// Version of its layout, 0..=15.
    pub version: u8,
    /// Offset of its header, a multiple of 4 from 0x100 on.
    pub offset: u16,
}

/// A list as far as it could be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T> {
    /// What is in it, in its order.
    pub found: Vec<T>,
    /// Whether this is all of it, or why that cannot be determined.
    pub end: Result<(), Incomplete>,
}

impl<T: Copy> List<T> {
    /// The first entry that `wanted` holds for; none only when the list was followed to
    /// its end.
    fn first(self, wanted: impl Fn(&T) -> bool) -> Result<Option<T>, Incomplete> {
        match self.found.into_iter().find(wanted) {
            Some(entry) => Ok(Some(entry)),
            None => self.end.map(|()| None),
        }
    }
}

impl<R: Registers> ConfigSpace<R> {
    /// The capabilities in the first 256 bytes.
    pub fn capabilities(&self) -> List<Capability> {
        let mut found = Vec::new();
        let end = self.walk(&mut found);
        List { found, end }
    }

    fn walk(&self, found: &mut Vec<Capability>) -> Result<(), Incomplete> {
        let mut seen = [false; 64];
        let mut from = super::header::CAPABILITIES;
        let mut offset = self.first_capability()? & !3;
        while offset != 0 {
            let broken = |how| Incomplete::Broken { at: from, how };
            if offset < DEVICE_REGISTERS {
                return Err(broken(Breakage::IntoHeader));
            }
            let seen = &mut seen[usize::from(offset / 4)];
            if std::mem::replace(seen, true) {
                return Err(broken(Breakage::Loop));
            }
            let [id, next] = self.registers.read(offset.into())?;
            if id == u8::MAX {
                return Err(broken(Breakage::Void));
            }
            found.push(Capability { id, offset });
            from = offset.into();
            offset = next & !3;
        }
        Ok(())
    }

    /// The capabilities in the extended configuration space.
    pub fn extended_capabilities(&self) -> List<ExtendedCapability> {
        let mut found = Vec::new();
        let end = self.walk_extended(&mut found);
        List { found, end }
    }

    fn walk_extended(&self, found: &mut Vec<ExtendedCapability>) -> Result<(), Incomplete> {
        self.status()?;
        let mut seen = [false; 1024];
        let mut from = EXTENDED;
        let mut offset = EXTENDED;
        // Conventional functions end at 256 bytes; no further list, then.
        if let Err(Incomplete::Truncated { read: EXTENDED }) = self.u32(EXTENDED) {
            return match self.capability(EXPRESS, 2)? {
                None => Ok(()),
                Some(_) => Err(Incomplete::NoExtendedSpace),
            };
        }
        while offset != 0 {
            let broken = |how| Incomplete::Broken { at: from, how };
            if offset < EXTENDED {
                return Err(broken(Breakage::IntoHeader));
            }
            let seen = &mut seen[usize::from(offset / 4)];
            if std::mem::replace(seen, true) {
                return Err(broken(Breakage::Loop));
            }
            let header = self.u32(offset)?;
            // An empty header ends the list; as the first, it means that there is none
            // (section 7.6.2).
            if header == 0 {
                return Ok(());
            }
            if header == u32::MAX {
                return Err(broken(Breakage::Void));
            }
            let [id_low, id_high, version, next_high] = header.to_le_bytes();
            found.push(ExtendedCapability {
                id: u16::from_le_bytes([id_low, id_high]),
                version: version & 0xf,
                offset,
            });
            from = offset;
            offset = (u16::from(next_high) << 4 | u16::from(version >> 4)) & !3;
        }
        Ok(())
    }

    /// The offset of the first capability with `id` whose registers, `bytes` of them from
    /// its header on, lie within the space.
    pub(super) fn capability(&self, id: u8, bytes: u16) -> Result<Option<u16>, Incomplete> {
        let found = self.capabilities().first(|entry| entry.id == id)?;
        let offset = found.map(|entry| entry.offset.into());
        within(offset, bytes, EXTENDED)
    }

    /// The same in the extended configuration space.
    pub(super) fn extended(&self, id: u16, bytes: u16) -> Result<Option<u16>, Incomplete> {
        let found = self.extended_capabilities().first(|entry| entry.id == id)?;
        let offset = found.map(|entry| entry.offset);
        within(offset, bytes, END)
    }
}

/// `offset`, if `bytes` from there on end before `end`.
pub(super) fn within(offset: Option<u16>, bytes: u16, end: u16) -> Result<Option<u16>, Incomplete> {
    match offset {
        Some(at) if at > end - bytes => Err(Incomplete::Broken {
            at,
            how: Breakage::PastEnd,
        }),
        fits => Ok(fits),
    }
}
