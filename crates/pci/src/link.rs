//! The PCIe link of a function, from sysfs (`Documentation/ABI/testing/sysfs-bus-pci`:
//! `current_link_speed`, `max_link_speed`, `current_link_width`, `max_link_width`).

use accelnet_model::adapter::{PcieLink, PcieRate};

use crate::read_error::{ReadError, if_there};
use crate::root::Root;

#[cfg(test)]
mod tests;

/// Reads the link of the function in the folder `device`; none where there is no link.
///
/// # Errors
///
/// When an attribute is there and cannot be read or understood.
pub fn read(root: &Root, device: &str) -> Result<Option<PcieLink>, ReadError> {
    let Some(max) = rate(root, device, "max")? else {
        return Ok(None);
    };
    Ok(Some(PcieLink {
        current: rate(root, device, "current")?,
        max,
    }))
}

fn rate(root: &Root, device: &str, which: &str) -> Result<Option<PcieRate>, ReadError> {
    let path = format!("{device}/{which}_link_speed");
    let Some(speed) = if_there(root.text(&path))? else {
        return Ok(None);
    };
    let unexpected = || ReadError::unexpected(&path, &speed, "a link speed");
    if speed.starts_with("Unknown") {
        return Ok(None);
    }
    let megatransfers = megatransfers(&speed).ok_or_else(unexpected)?;
    match root.number(&format!("{device}/{which}_link_width"))? {
        // 0 and 255 are what the kernel shows for no width and an undefined one.
        0 | u8::MAX => Ok(None),
        lanes => Ok(Some(PcieRate {
            megatransfers,
            lanes,
        })),
    }
}

/// `5.0 GT/s PCIe` in millions of transfers a second.
fn megatransfers(speed: &str) -> Option<u32> {
    let number = speed.strip_suffix(" PCIe").unwrap_or(speed);
    let number = number.strip_suffix(" GT/s")?;
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    if tenths.len() != 1 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let tenths: u32 = tenths.parse().ok()?;
    whole.checked_mul(1_000)?.checked_add(tenths * 100)
}
