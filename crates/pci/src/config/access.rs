//! Access control and routing: ACS, ARI, and whether there is AER.

use accelnet_model::adapter::Acs;

use super::{ConfigSpace, Incomplete, Registers};

/// `PCI_EXT_CAP_ID_ERR`.
const AER: u16 = 0x01;
/// `PCI_EXT_CAP_ID_ACS`, with its registers `PCI_ACS_CAP` and `PCI_ACS_CTRL`.
const ACS: u16 = 0x0d;
const ACS_CAPABILITY: u16 = 0x04;
const ACS_CONTROL: u16 = 0x06;
/// Bits 0 to 6 of both: one for each service.
const ACS_SERVICES: u16 = 0x7f;
/// `PCI_EXT_CAP_ID_ARI`, with its registers `PCI_ARI_CAP` and `PCI_ARI_CTRL`.
const ARI: u16 = 0x0e;
const ARI_CAPABILITY: u16 = 0x04;
const ARI_CONTROL: u16 = 0x06;

/// Alternative routing-ID interpretation of a function (section 7.8.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ari {
    /// Number of the next function of the device; 0 for the last.
    pub next_function: u8,
    /// Whether access control services work by function group (`PCI_ARI_CTRL_ACS`).
    pub acs_groups_enabled: bool,
}

impl<R: Registers> ConfigSpace<R> {
    /// Access control services (section 7.7.11); none where the function lacks them.
    ///
    /// # Errors
    ///
    /// When it cannot be determined whether there are any, or which.
    pub fn acs(&self) -> Result<Option<Acs>, Incomplete> {
        let Some(at) = self.extended(ACS, 8)? else {
            return Ok(None);
        };
        Ok(Some(Acs {
            capable: self.u16(at + ACS_CAPABILITY)? & ACS_SERVICES,
            enabled: self.u16(at + ACS_CONTROL)? & ACS_SERVICES,
        }))
    }

    /// Alternative routing-ID interpretation; none where the function lacks it.
    ///
    /// # Errors
    ///
    /// When it cannot be determined.
    pub fn ari(&self) -> Result<Option<Ari>, Incomplete> {
        let Some(at) = self.extended(ARI, 8)? else {
            return Ok(None);
        };
        let [_, next_function] = self.registers.read(at + ARI_CAPABILITY)?;
        Ok(Some(Ari {
            next_function,
            acs_groups_enabled: self.u16(at + ARI_CONTROL)? & 2 != 0,
        }))
    }

    /// Whether there is advanced error reporting (section 7.8.4).
    ///
    /// # Errors
    ///
    /// When it cannot be determined.
    pub fn aer(&self) -> Result<bool, Incomplete> {
        Ok(self.extended(AER, 4)?.is_some())
    }
}
