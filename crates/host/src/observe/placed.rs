//! The links of the observer's namespace, by the PCI function behind each: looked up once,
//! because there may be as many links as there are VFs to search for.

use std::collections::BTreeMap;

use accelnet_model::PciAddress;
use accelnet_model::link::Link;
use accelnet_netlink::NetlinkError;
use accelnet_pci::Root;
use accelnet_pci::netdevs::function_of;

use crate::Host;

/// Links in their places.
#[derive(Default)]
pub struct Placed {
    by_function: BTreeMap<PciAddress, Vec<Link>>,
}

impl Placed {
    /// Finds the function behind each of `links`; those without one are left out.
    pub fn new(root: &Root, links: Vec<Link>) -> Self {
        let mut by_function: BTreeMap<PciAddress, Vec<Link>> = BTreeMap::new();
        for link in links {
            if let Some(function) = function_behind(root, &link) {
                by_function.entry(function).or_default().push(link);
            }
        }
        Placed { by_function }
    }

    /// The links of the function at `address`, in the kernel's order.
    pub fn of(&self, address: PciAddress) -> &[Link] {
        self.by_function.get(&address).map_or(&[], Vec::as_slice)
    }
}

/// The links of the node, in their places.
pub fn links(host: &Host<'_>) -> Result<Placed, NetlinkError> {
    let links = host.links.links()?;
    Ok(Placed::new(host.root, links))
}

/// The PCI function behind a link of this namespace. Kernels before 5.14 do not name it,
/// and for virtio netlink names the device between: then its place in sysfs shows it.
fn function_behind(root: &Root, link: &Link) -> Option<PciAddress> {
    link.parent.or_else(|| function_of(root, &link.name))
}
