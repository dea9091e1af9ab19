//! Models that Linux has a driver with SR-IOV for. One that it has none for is a warning.

use accelnet_model::check::Row;
use accelnet_model::{Adapter, Check, Code, Observed, Problem};

use super::drivers::{self, NOT_NETWORK_DRIVERS, Vfs};

/// PCI ids by driver; the file names their origin.
const MODELS: &str = include_str!("models.txt");
/// What stands instead of a driver before the ids of VFs.
const VF: &str = "vf";

/// Who has a vendor and device: the driver, or [`VF`].
fn owner(vendor: u16, device: u16) -> Option<&'static str> {
    let (vendor, device) = (format!("{vendor:04x}"), format!("{device:04x}"));
    let mut lines = MODELS.lines().filter(|line| !line.starts_with('#'));
    lines.find_map(|line| {
        let mut words = line.split(' ');
        let (owner, of) = (words.next()?, words.next()?);
        (of == vendor && words.any(|one| one == device)).then_some(owner)
    })
}

fn owner_of(adapter: &Adapter) -> Option<&'static str> {
    owner(*adapter.vendor.id.known()?, *adapter.device.id.known()?)
}

/// Whether the adapter's vendor and device are those of a VF.
pub fn is_vf(adapter: &Adapter) -> bool {
    owner_of(adapter) == Some(VF)
}

/// On Amazon's bare-metal hosts the system has the same ENA device without a hypervisor
/// (news.ycombinator.com/item?id=15807747, by its engineers).
const AMAZON: u16 = 0x1d0f;

/// Whether an adapter whose PF is not there shows that the machine is a VM.
pub fn proves_a_vm(adapter: &Adapter) -> bool {
    is_vf(adapter) && adapter.vendor.id.known() != Some(&AMAZON)
}

/// The kernel module for the adapter's model.
pub fn module(adapter: &Adapter) -> Option<&'static str> {
    owner_of(adapter).filter(|owner| *owner != VF)
}

/// Whether the driver is the one for adapters of that vendor; a driver without ids on record is.
fn is_for(driver: &str, vendor: Option<u16>) -> bool {
    let vendor = vendor
        .map(|vendor| format!("{vendor:04x}"))
        .unwrap_or_default();
    let lines = MODELS.lines().filter_map(|line| line.split_once(' '));
    let mut vendors = lines
        .filter(|(owner, _)| *owner == driver)
        .map(|(_, ids)| ids.starts_with(&vendor) && !vendor.is_empty())
        .peekable();
    let has_ids = vendors.peek().is_some();
    let creates = drivers::find(driver).is_some_and(|known| known.vfs != Vfs::Never);
    creates && (!has_ids || vendors.any(|same| same))
}

/// An unrecorded model is a warning, never an error.
pub fn judge(adapter: &Adapter, row: Row<'_>) -> Check {
    let model = describe(adapter);
    let driver = adapter.driver.present().map(|driver| driver.name.as_str());
    let known = match driver {
        // What is not bound to a network driver is known by its ids.
        None => module(adapter).is_some(),
        Some(driver) if NOT_NETWORK_DRIVERS.contains(&driver) => module(adapter).is_some(),
        Some(driver) => is_for(driver, adapter.vendor.id.known().copied()),
    };
    if known {
        return row.passed(format!("{model}."));
    }
    let with = match driver {
        Some(driver) => format!("{model} with driver {driver}."),
        None => format!("{model}, no driver bound."),
    };
    row.warned(Problem::new(
        Code::AdapterModelUnknown,
        &[row.subject],
        with,
    ))
}

/// Vendor and device, by name where they have one.
pub fn describe(adapter: &Adapter) -> String {
    let part = |id: &accelnet_model::adapter::PciId, kind: &str| match (&id.name, &id.id) {
        (Observed::Known(Some(name)), _) => name.clone(),
        (_, Observed::Known(number)) => format!("{kind} {number:04x}"),
        (_, Observed::Unknown(_)) => format!("unknown {kind}"),
    };
    format!(
        "{} {}",
        part(&adapter.vendor, "vendor"),
        part(&adapter.device, "device")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_models_is_a_driver_on_record_or_vfs() {
        let hex = |word: &str| word.len() == 4 && u16::from_str_radix(word, 16).is_ok();
        for line in MODELS.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split(' ').collect();
            let known = words[0] == VF
                || drivers::find(words[0]).is_some_and(|driver| driver.vfs != Vfs::Never);
            assert!(known, "{line}");
            assert!(
                words.len() > 2 && words[1..].iter().all(|word| hex(word)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_model_belongs_to_its_driver() {
        assert_eq!(owner(0x8086, 0x1528), Some("ixgbe"));
        assert_eq!(owner(0x15b3, 0x1016), Some(VF));
        assert_eq!(owner(0x14e4, 0x165f), None, "tg3 has no VFs");
    }
}
