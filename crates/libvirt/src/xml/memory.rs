//! Scaled integers, as libvirt writes memory.

use roxmltree::Node;

use super::document::XmlError;

const MIB: u64 = 1 << 20;

/// The memory that `<memory unit='KiB'>2097152</memory>` means, in MiB, rounded up.
pub fn mib(node: Node<'_, '_>) -> Result<u64, XmlError> {
    let amount = node.text().unwrap_or_default().trim();
    let unit = node.attribute("unit").unwrap_or("KiB");
    bytes(amount, unit)
        .map(|bytes| bytes.div_ceil(MIB))
        .ok_or_else(|| XmlError::BadValue {
            what: "the memory",
            found: format!("{amount} {unit}"),
        })
}

/// The size in KiB that an attribute such as `<page size='2' unit='M'/>` means.
pub fn kib(amount: &str, unit: Option<&str>) -> Result<u64, XmlError> {
    let unit = unit.unwrap_or("KiB");
    bytes(amount, unit)
        .map(|bytes| bytes.div_ceil(1024))
        .ok_or_else(|| XmlError::BadValue {
            what: "the size of a huge page",
            found: format!("{amount} {unit}"),
        })
}

/// `amount` in `unit` as bytes; none where either is not in the format, or too large.
fn bytes(amount: &str, unit: &str) -> Option<u64> {
    amount.parse::<u64>().ok()?.checked_mul(scale(unit)?)
}

/// Bytes in a unit, without regard to case: `k` and `KiB` are 1024, `KB` is 1000.
fn scale(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    if ["b", "byte", "bytes"].contains(&unit.as_str()) {
        return Some(1);
    }
    let mut letters = unit.chars();
    let power = "kmgtpe".find(letters.next()?)? as u32 + 1;
    match letters.as_str() {
        "" | "ib" => Some(1024_u64.pow(power)),
        "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}
