//! The PCI Express capability (section 7.5.3).

use accelnet_model::adapter::PcieRate;

use super::list::{EXPRESS, within};
use super::{ConfigSpace, Incomplete, Registers};

/// `PCI_EXP_FLAGS`: version, port type, slot.
const FLAGS: u16 = 0x02;
/// `PCI_EXP_LNKCAP` and `PCI_EXP_LNKSTA`.
const LINK_CAPABILITIES: u16 = 0x0c;
const LINK_STATUS: u16 = 0x12;
/// `PCI_EXP_SLTCAP`.
const SLOT_CAPABILITIES: u16 = 0x14;
/// `PCI_EXP_DEVCAP2` and `PCI_EXP_DEVCTL2`, with their ARI bit; from version 2 on.
const DEVICE_CAPABILITIES_2: u16 = 0x24;
const DEVICE_CONTROL_2: u16 = 0x28;
const ARI_FORWARDING: u16 = 1 << 5;
/// Bytes up to the end of the slot registers, and of the second set.
const SIZE: u16 = 0x1c;
const SIZE_2: u16 = 0x3c;
const CONVENTIONAL_END: u16 = 0x100;

/// The PCI Express capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PciExpress {
    /// Version of its layout: 1 or 2.
    pub version: u8,
    /// What the function is.
    pub port_type: PortType,
    /// The slot below; none where the port leads to no slot.
    pub slot: Option<Slot>,
    /// Its link; none for what is integrated into the root complex.
    pub link: Option<ExpressLink>,
    /// Whether the port can forward to functions past 7 (ARI).
    pub ari_forwarding_capable: bool,
    /// Whether it does.
    pub ari_forwarding_enabled: bool,
}

/// A slot (section 7.5.3.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its number, as written on the case; 0 for built-in devices.
    pub number: u16,
}

/// A link (sections 7.5.3.6 and 7.5.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpressLink {
    /// What the function can; none where it names no speed or width that is defined.
    pub max: Option<PcieRate>,
    /// What was negotiated; none without a link.
    pub current: Option<PcieRate>,
}

/// Device or port type (`PCI_EXP_TYPE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortType {
    /// PCI Express endpoint.
    Endpoint,
    /// Legacy PCI Express endpoint.
    LegacyEndpoint,
    /// Root port.
    RootPort,
    /// Upstream port of a switch.
    Upstream,
    /// Downstream port of a switch.
    Downstream,
    /// PCI Express to PCI bridge.
    ToConventional,
    /// PCI to PCI Express bridge.
    FromConventional,
    /// Endpoint integrated into the root complex.
    Integrated,
    /// Root complex event collector.
    EventCollector,
    /// A number that is not defined.
    Reserved(u8),
}

impl PortType {
    /// From bits 4 to 7 of the capabilities register.
    fn new(number: u8) -> Self {
        match number {
            0x0 => PortType::Endpoint,
            0x1 => PortType::LegacyEndpoint,
            0x4 => PortType::RootPort,
            0x5 => PortType::Upstream,
            0x6 => PortType::Downstream,
            0x7 => PortType::ToConventional,
            0x8 => PortType::FromConventional,
            0x9 => PortType::Integrated,
            0xa => PortType::EventCollector,
            other => PortType::Reserved(other),
        }
    }

    fn has_link(self) -> bool {
        !matches!(self, PortType::Integrated | PortType::EventCollector)
    }
}

impl<R: Registers> ConfigSpace<R> {
    /// The PCI Express capability; none for conventional functions.
    ///
    /// # Errors
    ///
    /// When it cannot be determined whether there is one, or what it holds.
    pub fn pci_express(&self) -> Result<Option<PciExpress>, Incomplete> {
        let Some(at) = self.capability(EXPRESS, SIZE)? else {
            return Ok(None);
        };
        let [low, high] = self.u16(at + FLAGS)?.to_le_bytes();
        let (version, port_type) = (low & 0xf, PortType::new(low >> 4));
        let slot = match high & 1 {
            0 => None,
            _ => Some(Slot::new(self.u32(at + SLOT_CAPABILITIES)?)),
        };
        let link = match port_type.has_link() {
            false => None,
            true => Some(ExpressLink {
                max: rate(self.u16(at + LINK_CAPABILITIES)?),
                current: rate(self.u16(at + LINK_STATUS)?),
            }),
        };
        let (capabilities, control) = match version {
            ..=1 => (0, 0),
            2.. => {
                within(Some(at), SIZE_2, CONVENTIONAL_END)?;
                let capabilities = self.u16(at + DEVICE_CAPABILITIES_2)?;
                (capabilities, self.u16(at + DEVICE_CONTROL_2)?)
            }
        };
        Ok(Some(PciExpress {
            version,
            port_type,
            slot,
            link,
            ari_forwarding_capable: capabilities & ARI_FORWARDING != 0,
            ari_forwarding_enabled: control & ARI_FORWARDING != 0,
        }))
    }
}

impl Slot {
    fn new(capabilities: u32) -> Self {
        let [_, _, low, high] = capabilities.to_le_bytes();
        Slot {
            number: u16::from_le_bytes([low, high]) >> 3,
        }
    }
}

/// Speed (bits 0 to 3) and width (bits 4 to 9) of a link register.
fn rate(register: u16) -> Option<PcieRate> {
    let megatransfers = match register & 0xf {
        1 => 2_500,
        2 => 5_000,
        3 => 8_000,
        4 => 16_000,
        5 => 32_000,
        6 => 64_000,
        _ => return None,
    };
    let lanes = match register >> 4 & 0x3f {
        1 => 1,
        2 => 2,
        4 => 4,
        8 => 8,
        12 => 12,
        16 => 16,
        32 => 32,
        _ => return None,
    };
    Some(PcieRate {
        megatransfers,
        lanes,
    })
}
