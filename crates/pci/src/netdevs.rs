//! Which netdevs belong to which PCI function, in the network namespace of the observer.
//!
//! One read of `/sys/class/net` is cheaper than one into the folder of every VF.

use std::collections::BTreeMap;
use std::path::Path;

use accelnet_model::PciAddress;

use crate::root::Root;

#[cfg(test)]
mod tests;

const NETDEVS: &str = "/sys/class/net";

/// Netdevs by the function that they are on.
#[derive(Debug, Default)]
pub struct Netdevs {
    found: BTreeMap<PciAddress, Vec<String>>,
}

impl Netdevs {
    /// Reads the netdevs below `root`; none where it shows none.
    pub fn read(root: &Root) -> Self {
        let mut netdevs = Netdevs::default();
        for name in root.names(NETDEVS).unwrap_or_default() {
            let target = root.link(&format!("{NETDEVS}/{name}"));
            if let Ok(Some(target)) = target
                && let Some(function) = function(&target)
            {
                netdevs.found.entry(function).or_default().push(name);
            }
        }
        netdevs
    }

    /// The netdevs of a function, by name.
    pub fn of(&self, function: PciAddress) -> Vec<String> {
        self.found.get(&function).cloned().unwrap_or_default()
    }
}

/// The function that the netdev called `name` is on, in the network namespace of the observer; none
/// when there is no such netdev, or it is on none.
pub fn function_of(root: &Root, name: &str) -> Option<PciAddress> {
    if name.contains('/') || [".", ".."].contains(&name) {
        return None;
    }
    let target = root.link(&format!("{NETDEVS}/{name}")).ok()??;
    function(&target)
}

/// The function in `../../devices/pci0000:00/0000:01:00.0/net/ens1`, or in
/// `.../0000:01:00.0/virtio0/net/ens1`. Further devices in between, such as the
/// subfunctions of a PF, are devices of their own.
fn function(target: &Path) -> Option<PciAddress> {
    let device = target.parent()?.parent()?;
    let name = device.file_name()?.to_str()?;
    match name.starts_with("virtio") {
        true => device.parent()?.file_name()?.to_str()?.parse().ok(),
        false => name.parse().ok(),
    }
}
