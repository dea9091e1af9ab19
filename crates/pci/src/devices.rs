//! Where the kernel lists PCI functions.

use accelnet_model::PciAddress;

/// Where the kernel lists PCI functions.
pub(crate) const DEVICES: &str = "/sys/bus/pci/devices";

/// The folder of a function.
pub(crate) fn device_folder(address: PciAddress) -> String {
    format!("{DEVICES}/{address}")
}
