//! Network adapters: every PCI function of class 02 that is not itself a VF.

use std::collections::BTreeSet;

use accelnet_model::adapter::{Bridge, Driver, IommuGroup, PciId, PcieLink, Sriov};
use accelnet_model::{Observed, PciAddress};

use crate::config::{ConfigFile, ConfigSpace, Incomplete, SriovCapability};
use crate::devices::{DEVICES, device_folder};
use crate::locked::{Locked, LockedRead};
use crate::names::Names;
use crate::netdevs::Netdevs;
use crate::read_error::{ReadError, if_there};
use crate::root::Root;
use crate::sriov::{self, Function};
use crate::vf::{self, PciVf};
use crate::{bridge, link};

/// Class 02: network controllers (PCI Code and ID Assignment Specification, section 1.3).
const NETWORK: u32 = 0x02;

/// A network adapter, as sysfs and its configuration space show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PciAdapter {
    /// PCI address.
    pub address: PciAddress,
    /// Vendor, by number and name.
    pub vendor: PciId,
    /// Device, by number and name.
    pub device: PciId,
    /// Whether its configuration space answers: that of a device that left the bus is all ones.
    pub responds: Observed<bool>,
    /// Bound driver, with its version where its module has one; none when unbound.
    pub driver: Observed<Option<Driver>>,
    /// NUMA node; none where the firmware names none.
    pub numa_node: Observed<Option<u32>>,
    /// PCIe link; none for functions without one.
    pub pcie_link: Observed<Option<PcieLink>>,
    /// IOMMU group; none without an IOMMU.
    pub iommu_group: Observed<Option<IommuGroup>>,
    /// Bridges above it, nearest first.
    pub bridges: Observed<Vec<Bridge>>,
    /// SR-IOV; none where the function has no such capability.
    pub sriov: Observed<Option<Sriov>>,
    /// Its netdevs in the namespace of the observer.
    pub netdevs: Vec<String>,
    /// Its VFs, by number.
    pub vfs: Vec<PciVf>,
}

/// Reads every network adapter below `root`, by address.
///
/// # Errors
///
/// When the list of PCI functions cannot be read. A machine without PCI has no adapters,
/// and what cannot be read of one adapter is unknown there.
pub fn adapters(root: &Root, locked: &dyn LockedRead) -> Result<Vec<PciAdapter>, ReadError> {
    Ok(read_all(root, &list(root)?, locked))
}

/// The PCI addresses of every network adapter below `root`, in order.
///
/// # Errors
///
/// As [`adapters`].
pub fn addresses(root: &Root) -> Result<Vec<PciAddress>, ReadError> {
    let listed = list(root)?;
    Ok(listed.iter().map(|function| function.address).collect())
}

/// Every network adapter, by address: an adapter comes before its VFs, which need not be
/// read, then.
fn list(root: &Root) -> Result<Vec<Listed>, ReadError> {
    let names = match root.names(DEVICES) {
        Err(error) if error.is_missing() && root.exists("/sys/bus") => return Ok(Vec::new()),
        names => names?,
    };
    let functions: BTreeSet<PciAddress> =
        names.iter().filter_map(|name| name.parse().ok()).collect();
    let mut vfs = BTreeSet::new();
    let mut adapters = Vec::new();
    for address in functions {
        if !vfs.contains(&address) && is_adapter(root, address) {
            let listed = Listed::new(root, address);
            vfs.extend(listed.vfs.iter().map(|(_, vf)| *vf));
            adapters.push(listed);
        }
    }
    Ok(adapters)
}

/// Reads the network adapter at `address`; none where there is no such adapter. What
/// cannot be read of it is unknown there.
pub fn adapter(root: &Root, address: PciAddress, locked: &dyn LockedRead) -> Option<PciAdapter> {
    let listed = is_adapter(root, address).then(|| Listed::new(root, address));
    read_all(root, listed.as_slice(), locked).pop()
}

/// Reads what can change of the adapter at `address`: no names, and nothing that is shown under the device
/// lock; the vectors of its VFs if `vectors`. With the lock that keeps other changes away the number of VFs in
/// the capability is the kernel's own.
pub fn again(root: &Root, address: PciAddress, vectors: bool) -> Option<PciAdapter> {
    let listed = is_adapter(root, address).then(|| Listed::new(root, address))?;
    let shared = Shared {
        locked: None,
        vectors,
        names: Names::none(),
        netdevs: Netdevs::read(root),
    };
    Some(read(root, &listed, &shared))
}

/// What a change of the number of an adapter's VFs leaves different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VfsNow {
    /// Bound driver of the adapter; none when unbound.
    pub driver: Observed<Option<String>>,
    /// VFs that are on in its capability; none where it shows no such capability.
    pub num_vfs: Observed<Option<u32>>,
    /// Its VFs, by number, without what is in their configuration space.
    pub vfs: Vec<PciVf>,
}

/// Reads no more than that of the adapter at `address`; none when it is not there any more.
pub fn vfs_now(root: &Root, address: PciAddress) -> Option<VfsNow> {
    let folder = device_folder(address);
    let names = root.names(&folder).ok()?;
    let capability = ConfigFile::open(root, &folder)
        .map_err(Incomplete::from)
        .and_then(|file| ConfigSpace::new(file).sriov());
    let switched_on = |found: Option<SriovCapability>| found.map(|found| found.switched_on());
    Some(VfsNow {
        driver: root.link_name(&format!("{folder}/driver")).into(),
        num_vfs: Observed::from(capability).map(switched_on),
        vfs: vf::read_brief(root, &folder, &names),
    })
}

/// Whether the function at `address` is a network adapter. One whose class cannot be read
/// counts as one, so that it is seen at all; one that is gone does not.
pub fn is_adapter(root: &Root, address: PciAddress) -> bool {
    let folder = device_folder(address);
    if let Ok(Some(_)) = root.link_name(&format!("{folder}/physfn")) {
        return false;
    }
    let class = match root.hex(&format!("{folder}/class")) {
        Ok(class) => Ok(class),
        Err(error) if error.is_missing() => return false,
        Err(_) => class_register(root, &folder),
    };
    class.map_or(true, |class| class >> 16 == NETWORK)
}

fn class_register(root: &Root, folder: &str) -> Result<u32, Incomplete> {
    ConfigSpace::new(ConfigFile::open(root, folder)?).class()
}

/// A function with the names in its folder.
struct Listed {
    address: PciAddress,
    folder: String,
    names: Result<Vec<String>, ReadError>,
    vfs: Vec<(u32, PciAddress)>,
    vendor: Observed<u16>,
}

impl Listed {
    fn new(root: &Root, address: PciAddress) -> Self {
        let folder = device_folder(address);
        let names = root.names(&folder);
        let present = names.as_deref().unwrap_or_default();
        Listed {
            address,
            vfs: vf::list(root, &folder, present),
            names,
            vendor: root.hex(&format!("{folder}/vendor")).into(),
            folder,
        }
    }

    /// The attributes that are shown under the device lock.
    fn locked_paths(&self) -> impl Iterator<Item = String> {
        let names = self.names.as_deref().unwrap_or_default();
        names
            .iter()
            .filter(|name| [sriov::NUM_VFS, sriov::VF_TOTAL_MSIX].contains(&name.as_str()))
            .map(|name| format!("{}/{name}", self.folder))
    }
}

/// What is read once for all adapters.
struct Shared {
    /// None where no more is read than a change needs.
    locked: Option<Locked>,
    /// Whether the configuration space of VFs is read, where their vectors are.
    vectors: bool,
    names: Names,
    netdevs: Netdevs,
}

fn read_all(root: &Root, listed: &[Listed], locked: &dyn LockedRead) -> Vec<PciAdapter> {
    let paths = listed.iter().flat_map(Listed::locked_paths).collect();
    let vendors: BTreeSet<u16> = listed
        .iter()
        .filter_map(|function| function.vendor.known().copied())
        .collect();
    let shared = Shared {
        locked: Some(Locked::read(root, locked, paths)),
        vectors: true,
        names: Names::read(root, &vendors),
        netdevs: Netdevs::read(root),
    };
    listed
        .iter()
        .map(|function| read(root, function, &shared))
        .collect()
}

fn read(root: &Root, listed: &Listed, shared: &Shared) -> PciAdapter {
    let Listed {
        address, folder, ..
    } = listed;
    let Shared {
        locked,
        vectors,
        names,
        netdevs,
    } = shared;
    let device: Observed<u16> = root.hex(&format!("{folder}/device")).into();
    let bridges = Observed::from(bridge::above(root, *address));
    let sriov = match &listed.names {
        Ok(names) => sriov::read(
            root,
            &Function {
                address: *address,
                folder,
                names,
                bridges: &bridges,
                locked: locked.as_ref(),
            },
        )
        .into(),
        Err(error) => Observed::unknown(error.to_string()),
    };
    PciAdapter {
        address: *address,
        vendor: PciId {
            id: listed.vendor.clone(),
            name: name(&listed.vendor, |vendor| names.vendor(vendor)),
        },
        device: PciId {
            name: match (&listed.vendor, &device) {
                (Observed::Known(vendor), device) => {
                    name(device, |device| names.device(*vendor, device))
                }
                (Observed::Unknown(reason), _) => Observed::Unknown(reason.clone()),
            },
            id: device,
        },
        responds: responds(root, folder).into(),
        driver: driver(root, folder).into(),
        numa_node: numa_node(root, folder).into(),
        pcie_link: link::read(root, folder).into(),
        iommu_group: iommu_group(root, folder).into(),
        bridges,
        sriov,
        netdevs: netdevs.of(*address),
        vfs: listed
            .vfs
            .iter()
            .map(|&(index, vf)| vf::read(root, index, vf, netdevs, !vectors))
            .collect(),
    }
}

/// The name that goes with a number, if the number is known.
fn name(
    id: &Observed<u16>,
    look_up: impl Fn(u16) -> Observed<Option<String>>,
) -> Observed<Option<String>> {
    match id {
        Observed::Known(id) => look_up(*id),
        Observed::Unknown(reason) => Observed::Unknown(reason.clone()),
    }
}

/// A function answers with its vendor; only a VF's own register reads as all ones.
fn responds(root: &Root, folder: &str) -> Result<bool, Incomplete> {
    let vendor = ConfigSpace::new(ConfigFile::open(root, folder)?).vendor()?;
    Ok(vendor != u16::MAX)
}

fn driver(root: &Root, folder: &str) -> Result<Option<Driver>, ReadError> {
    let Some(name) = root.link_name(&format!("{folder}/driver"))? else {
        return Ok(None);
    };
    // The driver's own link to its module: their names can differ.
    let module = root.link_name(&format!("/sys/bus/pci/drivers/{name}/module"));
    let version = match module.ok().flatten() {
        Some(module) => if_there(root.text(&format!("/sys/module/{module}/version")))?,
        None => None,
    };
    Ok(Some(Driver { name, version }))
}

/// `numa_node`: -1 where the firmware names none; missing in a kernel without NUMA.
fn numa_node(root: &Root, folder: &str) -> Result<Option<u32>, ReadError> {
    let node = if_there(root.number::<i32>(&format!("{folder}/numa_node")))?;
    Ok(node.and_then(|node| u32::try_from(node).ok()))
}

fn iommu_group(root: &Root, folder: &str) -> Result<Option<IommuGroup>, ReadError> {
    let Some(id) = vf::iommu_group(root, folder)? else {
        return Ok(None);
    };
    let members = root.names(&format!("/sys/kernel/iommu_groups/{id}/devices"))?;
    let mut members: Vec<PciAddress> = members
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    members.sort_unstable();
    Ok(Some(IommuGroup { id, members }))
}
