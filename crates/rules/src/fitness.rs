//! Whether the other settings of a VM go with a VF: what cannot work is an error, what costs
//! something is a warning.

use accelnet_model::{Code, Domain, Problem};

/// Judges the definition of `vm`; returns what it costs.
///
/// # Errors
///
/// What cannot work, with the setting that stands in the way.
pub fn judge(vm: &Domain, managed_save: bool, snapshots: u32) -> Result<Vec<Problem>, Problem> {
    let settings = &vm.settings;
    let memory = &settings.memory;
    let unfit = |found: String, needed: &str, what_to_do: &str| {
        Err(Problem::new(Code::VmUnfit, &[&vm.name], found)
            .needed(needed)
            .resolution(what_to_do))
    };
    if let Some(os_type) = settings.os_type.as_deref()
        && os_type != "hvm"
    {
        return unfit(
            format!("It is of type {os_type}."),
            "A whole virtual machine (hvm): only those have PCI devices.",
            "Define the VM as <type>hvm</type>.",
        );
    }
    if managed_save {
        return unfit(
            "It has a managed save image, which it would resume from with the devices that it had then.".to_owned(),
            "No saved state.",
            "Start the VM once, or drop the image with 'virsh managedsave-remove', then run the same command again.",
        );
    }
    if let Some(limit) = memory.hard_limit_mib
        && limit < vm.memory_mib
    {
        return unfit(
            format!(
                "Its memory limit is {limit} MiB, and its {} MiB have to be locked.",
                vm.memory_mib
            ),
            "A <memtune><hard_limit> above its memory, or none.",
            "Raise or remove the hard_limit with 'virsh memtune' or 'virsh edit'.",
        );
    }
    let modern = settings
        .machine
        .as_deref()
        .is_none_or(|machine| !machine.starts_with("pc-i440fx") && machine != "pc");
    if modern && settings.slots.free == Some(0) && settings.slots.root_ports > 0 {
        return unfit(
            format!(
                "All of its {} PCI Express ports are taken.",
                settings.slots.root_ports
            ),
            "A free pcie-root-port for the VF.",
            "Add <controller type='pci' model='pcie-root-port'/> with 'virsh edit', and stop and start the VM.",
        );
    }
    if settings.slots.free == Some(0) {
        return unfit(
            "No PCI slot is free.".to_owned(),
            "A free PCI slot for the VF.",
            "Take a device out of the VM, or give it the machine type q35 with pcie-root-port controllers.",
        );
    }
    let mut costs = Vec::new();
    let mut cost = |found: String, what_to_do: &str| {
        costs.push(Problem::new(Code::VmCosts, &[&vm.name], found).resolution(what_to_do));
    };
    if let Some(current) = memory.current_mib
        && current < vm.memory_mib
    {
        cost(
            format!(
                "Its balloon holds {} of {} MiB; all of them are locked while it has a VF.",
                vm.memory_mib - current,
                vm.memory_mib
            ),
            "Give it the memory that it needs as fixed memory.",
        );
    }
    if let Some(most) = memory.most_mib
        && most > vm.memory_mib
    {
        cost(
            format!("Its memory may grow to {most} MiB, and what is plugged is locked at once."),
            "Keep so much memory free on the node.",
        );
    }
    if !modern {
        cost(
            "Its machine type has no PCI Express: guests lose extended capabilities of the VF."
                .to_owned(),
            "Prefer the machine type q35.",
        );
    }
    if snapshots > 0 {
        let many = if snapshots == 1 {
            "snapshot"
        } else {
            "snapshots"
        };
        cost(
            format!(
                "It has {snapshots} {many}; while it has a VF it can neither be saved nor reverted with its memory."
            ),
            "Take snapshots of its disks only, or disable the VM for the time of a snapshot.",
        );
    }
    Ok(costs)
}

#[cfg(test)]
mod tests;
