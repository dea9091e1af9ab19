//! Virtual functions, as sysfs and their configuration space show them.

use accelnet_model::{Observed, PciAddress};

use crate::config::{ConfigFile, ConfigSpace, Incomplete};
use crate::devices::device_folder;
use crate::netdevs::Netdevs;
use crate::read_error::ReadError;
use crate::root::Root;
use crate::sriov::virtfn;

/// One virtual function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PciVf {
    /// Number on its adapter, from 0.
    pub index: u32,
    /// PCI address.
    pub address: PciAddress,
    /// Bound driver; none when unbound.
    pub driver: Observed<Option<String>>,
    /// IOMMU group; none without an IOMMU.
    pub iommu_group: Observed<Option<u32>>,
    /// Its netdevs in the namespace of the observer.
    pub netdevs: Vec<String>,
    /// Vectors in its MSI-X table; none where it has no MSI-X.
    pub msix_vectors: Observed<Option<u16>>,
}

/// Why something is unknown that a change of the number of VFs does not need: configuration space
/// is slow to read.
pub(crate) const NOT_ASKED: &str = "not asked during a change";

/// Reads what a change of their number needs of the VFs of the adapter in the folder `device`,
/// which holds `names`, by number. A VF that goes away meanwhile is left out.
pub fn read_brief(root: &Root, device: &str, names: &[String]) -> Vec<PciVf> {
    let netdevs = Netdevs::read(root);
    list(root, device, names)
        .into_iter()
        .map(|(index, address)| read(root, index, address, &netdevs, true))
        .collect()
}

/// The VFs of the adapter in the folder `device`, which holds `names`, by number. A VF that
/// goes away meanwhile is left out.
pub(crate) fn list(root: &Root, device: &str, names: &[String]) -> Vec<(u32, PciAddress)> {
    let mut vfs: Vec<(u32, PciAddress)> = names
        .iter()
        .filter_map(|name| {
            let index = virtfn(name)?;
            let target = root.link_name(&format!("{device}/{name}")).ok()??;
            Some((index, target.parse().ok()?))
        })
        .collect();
    vfs.sort_unstable();
    vfs
}

/// Reads VF number `index` of its adapter; `brief` without its configuration space.
pub(crate) fn read(
    root: &Root,
    index: u32,
    address: PciAddress,
    netdevs: &Netdevs,
    brief: bool,
) -> PciVf {
    let folder = device_folder(address);
    PciVf {
        index,
        address,
        driver: root.link_name(&format!("{folder}/driver")).into(),
        iommu_group: iommu_group(root, &folder).into(),
        netdevs: netdevs.of(address),
        msix_vectors: match brief {
            true => Observed::unknown(NOT_ASKED),
            false => msix_vectors(root, &folder).into(),
        },
    }
}

/// The IOMMU group of the function in `folder`; none without an IOMMU.
///
/// # Errors
///
/// When the link to it cannot be read or does not lead to a number.
pub fn iommu_group(root: &Root, folder: &str) -> Result<Option<u32>, ReadError> {
    let path = format!("{folder}/iommu_group");
    let Some(name) = root.link_name(&path)? else {
        return Ok(None);
    };
    match name.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(ReadError::unexpected(&path, &name, "a link to a group")),
    }
}

/// Whether a driver works the function at `address`: its Bus Master Enable is on. One register is read.
///
/// # Errors
///
/// When it cannot be read.
pub fn bus_master(root: &Root, address: PciAddress) -> Result<bool, Incomplete> {
    ConfigSpace::new(ConfigFile::open(root, &device_folder(address))?).bus_master()
}

fn msix_vectors(root: &Root, folder: &str) -> Result<Option<u16>, Incomplete> {
    let config = ConfigSpace::new(ConfigFile::open(root, folder)?);
    Ok(config.msix()?.map(|msix| msix.vectors))
}
