//! Whether a running VM's guest has its VF: asked of QEMU's open files and of the VF itself.

use accelnet_model::vf_evidence::{Holding, VfEvidence};
use accelnet_model::{Observed, PciAddress};
use accelnet_pci::Root;

#[cfg(test)]
mod tests;

/// Where libvirt writes the process of each running domain.
const PROCESSES: &str = "/run/libvirt/qemu";

/// What shows whether the VM with the QEMU process `process` has the VF at `address`. Bus Master Enable is
/// one register; the open files of QEMU are read where that leaves a question, or `thorough` asks for them.
pub fn vf_evidence(
    root: &Root,
    process: &Observed<u32>,
    address: PciAddress,
    thorough: bool,
) -> VfEvidence {
    let bus_master = Observed::from(accelnet_pci::vf::bus_master(root, address));
    let held = match (process, &bus_master) {
        (_, Observed::Known(true)) if !thorough => Observed::unknown("not asked again"),
        (Observed::Known(process), _) => held(root, *process, address),
        (Observed::Unknown(reason), _) => Observed::unknown(reason.clone()),
    };
    VfEvidence { held, bus_master }
}

/// The QEMU process of the running domain called `vm`: another one after each start.
pub fn qemu_process(root: &Root, vm: &str) -> Observed<u32> {
    let process = root.number(&format!("{PROCESSES}/{vm}.pid"));
    Observed::from(process.map_err(|error| format!("QEMU's process cannot be named: {error}")))
}

/// Whether `process` has a device file of the VF open. vfio opens the VF's group or, through iommufd, a
/// file of its own; a group that other devices are in proves nothing of this one.
fn held(root: &Root, process: u32, address: PciAddress) -> Observed<Holding> {
    let folder = format!("/sys/bus/pci/devices/{address}");
    let own = root.names(&format!("{folder}/vfio-dev"));
    let own: Vec<String> = own
        .unwrap_or_default()
        .into_iter()
        .map(|name| format!("/dev/vfio/devices/{name}"))
        .collect();
    let group = match accelnet_pci::vf::iommu_group(root, &folder) {
        Ok(group) => group,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let of_group = group.map(|group| {
        [
            format!("/dev/vfio/{group}"),
            format!("/dev/vfio/noiommu-{group}"),
        ]
    });
    let files = format!("/proc/{process}/fd");
    let names = match root.names(&files) {
        Ok(names) => names,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let mut group_is_open = None;
    for name in names {
        let Ok(Some(target)) = root.link(&format!("{files}/{name}")) else {
            continue;
        };
        let target = target.to_string_lossy();
        if own.iter().any(|file| *file == target) {
            return Observed::Known(Holding::Held(target.into_owned()));
        }
        if of_group.iter().flatten().any(|file| *file == target) {
            group_is_open = Some(target.into_owned());
        }
    }
    match (group_is_open, group) {
        (Some(file), Some(group)) => match others_in(root, group) {
            0 | 1 => Observed::Known(Holding::Held(file)),
            many => Observed::unknown(format!("QEMU holds {file}, which {many} devices share")),
        },
        _ if own.is_empty() && group.is_none() => {
            Observed::unknown("the VF has no device file of vfio")
        }
        _ => Observed::Known(Holding::NotHeld),
    }
}

/// How many devices are in an IOMMU group.
fn others_in(root: &Root, group: u32) -> usize {
    let devices = root.names(&format!("/sys/kernel/iommu_groups/{group}/devices"));
    devices.map_or(0, |devices| devices.len())
}
