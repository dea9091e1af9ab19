//! MSI-X (section 7.7.2).

use super::{ConfigSpace, Incomplete, Registers};

/// `PCI_CAP_ID_MSIX`, with its register `PCI_MSIX_FLAGS`.
const MSIX: u8 = 0x11;
const CONTROL: u16 = 0x02;
/// `PCI_MSIX_FLAGS_QSIZE`: vectors, less one.
const TABLE_SIZE: u16 = 0x07ff;
/// `PCI_MSIX_FLAGS_ENABLE`.
const ENABLE: u16 = 1 << 15;

/// The MSI-X capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Msix {
    /// Vectors in its table, 1..=2048.
    pub vectors: u16,
    /// Whether it is switched on.
    pub enabled: bool,
}

impl<R: Registers> ConfigSpace<R> {
    /// The MSI-X capability; none where the function lacks it.
    ///
    /// # Errors
    ///
    /// When it cannot be determined whether there is one, or what it holds.
    pub fn msix(&self) -> Result<Option<Msix>, Incomplete> {
        let Some(at) = self.capability(MSIX, 12)? else {
            return Ok(None);
        };
        let control = self.u16(at + CONTROL)?;
        Ok(Some(Msix {
            vectors: (control & TABLE_SIZE) + 1,
            enabled: control & ENABLE != 0,
        }))
    }
}
