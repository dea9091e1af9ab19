//! Whether the settings of a VM are compatible with a VF: what cannot work is an error, what costs
//! something is a warning.

mod facts;
mod machine;
mod memory;

use accelnet_model::Problem;

use facts::{cost, unfit};

pub use facts::Facts;
pub use memory::{OVERHEAD_MIB, needed_mib, short, spare_mib};

/// Evaluates a VM; returns warnings about what a VF costs it.
///
/// # Errors
///
/// The setting that excludes a VF.
pub fn judge(facts: &Facts<'_>) -> Result<Vec<Problem>, Problem> {
    let vm = facts.definition;
    if let Some(os_type) = vm.settings.os_type.as_deref()
        && os_type != "hvm"
    {
        return Err(unfit(
            vm,
            format!("It is of type {os_type}."),
            "A whole virtual machine (hvm): only those have PCI devices.",
            "Define the VM as <type>hvm</type>.",
        ));
    }
    if facts.managed_save {
        return Err(unfit(
            vm,
            "It has a managed save image, which it would resume from with the devices that it had then.".to_owned(),
            "No saved state.",
            "Start the VM once, or drop the image with 'virsh managedsave-remove', then run the same command again.",
        ));
    }
    machine::judge(facts)?;
    memory::judge(facts)?;
    let mut costs = memory::costs(facts);
    if facts.snapshots > 0 {
        let many = match facts.snapshots {
            1 => "snapshot",
            _ => "snapshots",
        };
        let found = format!(
            "It has {} {many}; while it has a VF it can neither be saved nor reverted with its memory.",
            facts.snapshots
        );
        costs.push(cost(
            vm,
            found,
            "Take snapshots of its disks only, or disable the VM for the time of a snapshot.",
        ));
    }
    Ok(costs)
}

#[cfg(test)]
mod tests;
