//! Whether the other settings of a VM go with a VF: what cannot work is an error, what costs
//! something is a warning.

mod machine;
mod memory;

use accelnet_model::memory::{NodeMemory, ProcessMemory};
use accelnet_model::platform::Version;
use accelnet_model::{Code, Domain, Mac, Observed, Problem};

use crate::pair::Step;

pub use memory::{OVERHEAD_MIB, needed_mib, short, spare_mib};

/// All that the judgement of one VM rests on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The VM as it starts next.
    pub definition: &'a Domain,
    /// The VM as it runs.
    pub live: Option<&'a Domain>,
    /// The MAC of its vNIC.
    pub mac: Mac,
    /// What would be done.
    pub steps: &'a [Step],
    /// Whether it has a managed save image.
    pub managed_save: bool,
    /// How many snapshots it has.
    pub snapshots: u32,
    /// The node's QEMU.
    pub qemu: Option<Version>,
    /// The node's memory.
    pub node: Observed<NodeMemory>,
    /// Memory of its process, while it runs.
    pub process: Observed<ProcessMemory>,
}

impl Facts<'_> {
    /// The running VM, if it would be given a VF now.
    fn attached(&self) -> Option<&Domain> {
        self.live.filter(|_| self.steps.contains(&Step::AttachVf))
    }
}

/// Judges a VM; returns what a VF costs it.
///
/// # Errors
///
/// What cannot work, with the setting that stands in the way.
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

fn unfit(vm: &Domain, found: String, needed: &str, what_to_do: &str) -> Problem {
    Problem::new(Code::VmUnfit, &[&vm.name], found)
        .needed(needed)
        .resolution(what_to_do)
}

fn cost(vm: &Domain, found: String, what_to_do: &str) -> Problem {
    Problem::new(Code::VmCosts, &[&vm.name], found).resolution(what_to_do)
}

#[cfg(test)]
mod tests;
