//! SR-IOV of an adapter: its capability, and what the kernel reports about it
//! (`Documentation/ABI/testing/sysfs-bus-pci`: `sriov_*`).

use accelnet_model::adapter::{Bridge, BusNumbers, Sriov};
use accelnet_model::{Observed, PciAddress};

use crate::bars::{bars, resources};
use crate::bus_numbers::Placement;
use crate::config::{ConfigFile, ConfigSpace, Incomplete, SriovCapability};
use crate::locked::Locked;
use crate::read_error::ReadError;
use crate::root::Root;

/// Shown by the kernel for every function whose SR-IOV it can use.
pub const TOTAL_VFS: &str = "sriov_totalvfs";
/// Shown under the device lock.
pub const NUM_VFS: &str = "sriov_numvfs";
/// Shown under the device lock, where the driver can set vectors per VF.
pub const VF_TOTAL_MSIX: &str = "sriov_vf_total_msix";

const NOT_OFFERED: &str = "the function has SR-IOV and the kernel offers none for it \
                           (built without CONFIG_PCI_IOV, or it refused the capability)";

/// What is known of a function before its SR-IOV is read.
#[derive(Debug)]
pub struct Function<'a> {
    /// Its address.
    pub address: PciAddress,
    /// Its folder.
    pub folder: &'a str,
    /// The names in its folder.
    pub names: &'a [String],
    /// The bridges above it.
    pub bridges: &'a Observed<Vec<Bridge>>,
    /// Attributes read with patience; none to do without them.
    pub locked: Option<&'a Locked>,
}

/// Reads the SR-IOV of a function; none where it has no such capability.
///
/// # Errors
///
/// When neither the kernel offers SR-IOV nor the capability can be searched.
pub fn read(root: &Root, function: &Function<'_>) -> Result<Option<Sriov>, Incomplete> {
    let capability = ConfigFile::open(root, function.folder)
        .map_err(Incomplete::from)
        .and_then(|file| ConfigSpace::new(file).sriov());
    if function.has(TOTAL_VFS) {
        return Ok(Some(offered(root, function, capability)));
    }
    Ok(capability?.map(|capability| not_offered(function, &capability)))
}

impl Function<'_> {
    fn has(&self, attribute: &str) -> bool {
        let found = self
            .names
            .binary_search_by(|name| name.as_str().cmp(attribute));
        found.is_ok()
    }

    fn path(&self, attribute: &str) -> String {
        format!("{}/{attribute}", self.folder)
    }

    fn current_vfs(&self) -> u32 {
        let vfs = self.names.iter().filter(|name| is_virtfn(name));
        u32::try_from(vfs.count()).unwrap_or(u32::MAX)
    }

    fn bus_numbers(
        &self,
        vfs: Observed<u32>,
        offset: Observed<u16>,
        stride: Observed<u16>,
    ) -> Observed<BusNumbers> {
        let (vfs, offset, stride, bridges) = match (vfs, offset, stride, self.bridges) {
            (
                Observed::Known(vfs),
                Observed::Known(offset),
                Observed::Known(stride),
                Observed::Known(bridges),
            ) => (vfs, offset, stride, bridges),
            (Observed::Unknown(reason), ..)
            | (_, Observed::Unknown(reason), ..)
            | (_, _, Observed::Unknown(reason), _) => return Observed::Unknown(reason),
            (.., Observed::Unknown(reason)) => return Observed::Unknown(reason.clone()),
        };
        let placement = Placement {
            address: self.address,
            vfs,
            offset,
            stride,
        };
        let last = bridges.first().map(|bridge| bridge.subordinate_bus);
        placement.bus_numbers(last).into()
    }
}

/// Whether `name` is a link to a VF.
fn is_virtfn(name: &str) -> bool {
    virtfn(name).is_some()
}

/// The number of the VF that a link `virtfnN` leads to.
pub fn virtfn(name: &str) -> Option<u32> {
    name.strip_prefix("virtfn")?.parse().ok()
}

/// SR-IOV as the kernel offers it, completed from the capability where it can be read.
fn offered(
    root: &Root,
    function: &Function<'_>,
    capability: Result<Option<SriovCapability>, Incomplete>,
) -> Sriov {
    // The kernel offers it, so a list of capabilities without it was not read whole.
    let capability: Observed<SriovCapability> = match capability {
        Ok(Some(capability)) => Observed::Known(capability),
        Ok(None) => Observed::unknown("the configuration space shows no SR-IOV capability"),
        Err(error) => Observed::unknown(error.to_string()),
    };
    let number = |name: &str| Observed::from(root.number::<u16>(&function.path(name)));
    let total_vfs = Observed::from(root.number(&function.path(TOTAL_VFS)));
    let hardware_vfs = capability.as_ref().map(|found| found.total_vfs);
    let (offset, stride) = (number("sriov_offset"), number("sriov_stride"));
    let registers = capability.known().map(|found| &found.bars);
    let vfs_at_most = hardware_vfs.known().copied();
    let num_vfs = match function.locked {
        Some(locked) => locked.number(&function.path(NUM_VFS)),
        // What the kernel counts stands in the register as well (`pci_iov_set_numvfs`).
        None => capability.as_ref().map(SriovCapability::switched_on),
    };
    // The kernel shows 0 for drivers that cannot share vectors out.
    let msix = match (function.has(VF_TOTAL_MSIX), function.locked) {
        (false, _) => Observed::Known(None),
        (true, None) => Observed::unknown("not read during a change"),
        (true, Some(locked)) => locked
            .number(&function.path(VF_TOTAL_MSIX))
            .map(|vectors| (vectors > 0).then_some(vectors)),
    };
    Sriov {
        num_vfs,
        current_vfs: function.current_vfs(),
        initial_vfs: capability.as_ref().map(|found| found.initial_vfs),
        bars: resources(root, function.folder)
            .map(|resources| bars(&resources, registers, vfs_at_most))
            .into(),
        bus_numbers: function.bus_numbers(total_vfs.clone(), offset.clone(), stride.clone()),
        total_vfs,
        hardware_vfs,
        offset,
        stride,
        vf_device: root.hex(&function.path("sriov_vf_device")).into(),
        drivers_autoprobe: flag(root, &function.path("sriov_drivers_autoprobe")).into(),
        vf_total_msix: msix,
    }
}

/// SR-IOV that only the capability reports.
fn not_offered(function: &Function<'_>, capability: &SriovCapability) -> Sriov {
    let offset = Observed::Known(capability.offset);
    let stride = Observed::Known(capability.stride);
    let vfs = u32::from(capability.total_vfs);
    Sriov {
        // The kernel skips a capability with TotalVFs 0 (`sriov_init`): firmware's way to
        // switch SR-IOV off.
        total_vfs: match vfs {
            0 => Observed::Known(0),
            _ => Observed::unknown(NOT_OFFERED),
        },
        num_vfs: Observed::Known(0),
        current_vfs: function.current_vfs(),
        hardware_vfs: Observed::Known(capability.total_vfs),
        initial_vfs: Observed::Known(capability.initial_vfs),
        bus_numbers: function.bus_numbers(Observed::Known(vfs), offset.clone(), stride.clone()),
        offset,
        stride,
        vf_device: Observed::Known(capability.vf_device),
        bars: Observed::Known(bars(
            &[],
            Some(&capability.bars),
            Some(capability.total_vfs),
        )),
        drivers_autoprobe: Observed::unknown(NOT_OFFERED),
        vf_total_msix: Observed::Known(None),
    }
}

fn flag(root: &Root, path: &str) -> Result<bool, ReadError> {
    Ok(root.number::<u8>(path)? != 0)
}
