//! Where a PCI function sits: domain, bus, device and function.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A PCI address in the kernel's form `dddd:bb:dd.f` (hexadecimal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PciAddress {
    /// PCI segment group; four hexadecimal digits, more behind a VMD controller.
    pub domain: u32,
    /// Bus number, 0..=255.
    pub bus: u8,
    /// Device number, 0..=31.
    pub device: u8,
    /// Function number, 0..=7.
    pub function: u8,
}

impl PciAddress {
    /// The 16-bit routing id (bus, device, function) of PCIe section 2.2.6.2.
    pub fn routing_id(self) -> u16 {
        u16::from(self.bus) << 8 | u16::from(self.device) << 3 | u16::from(self.function)
    }

    /// The function with routing id `id` in the same domain.
    pub fn with_routing_id(self, id: u16) -> Self {
        PciAddress {
            domain: self.domain,
            bus: (id >> 8) as u8,
            device: (id >> 3 & 0x1f) as u8,
            function: (id & 7) as u8,
        }
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04x}:{:02x}:{:02x}.{:x}",
            self.domain, self.bus, self.device, self.function
        )
    }
}

/// The text is not a PCI address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a PCI address like 0000:01:00.0")]
pub struct NotAPciAddress(pub String);

impl FromStr for PciAddress {
    type Err = NotAPciAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| NotAPciAddress(text.to_owned()))
    }
}

/// Reads `dddd:bb:dd.f`, or `bb:dd.f` for domain 0.
fn parse(text: &str) -> Option<PciAddress> {
    let (rest, function) = text.rsplit_once('.')?;
    let (rest, device) = rest.rsplit_once(':')?;
    let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
    let hex = |digits: &str, least: usize, most: usize| {
        let fits = (least..=most).contains(&digits.len());
        let clean = digits.bytes().all(|b| b.is_ascii_hexdigit());
        (fits && clean).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let address = PciAddress {
        domain: hex(domain, 4, 8)?,
        bus: hex(bus, 2, 2)? as u8,
        device: hex(device, 2, 2)? as u8,
        function: hex(function, 1, 1)? as u8,
    };
    (address.device < 32 && address.function < 8).then_some(address)
}

impl TryFrom<String> for PciAddress {
    type Error = NotAPciAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PciAddress> for String {
    fn from(address: PciAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests;
