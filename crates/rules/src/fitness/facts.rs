//! The input for the fitness of a VM.

use accelnet_model::memory::{NodeMemory, ProcessMemory};
use accelnet_model::platform::Version;
use accelnet_model::{Code, Domain, Mac, Observed, Problem};

use crate::pair::Step;

/// The input for the fitness of one VM.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The VM as it starts next.
    pub definition: &'a Domain,
    /// The VM as it runs.
    pub live: Option<&'a Domain>,
    /// The MAC of its vNIC.
    pub mac: Mac,
    /// The steps of the plan.
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
    pub(super) fn attached(&self) -> Option<&Domain> {
        self.live.filter(|_| self.steps.contains(&Step::AttachVf))
    }
}

pub(super) fn unfit(vm: &Domain, found: String, needed: &str, what_to_do: &str) -> Problem {
    Problem::new(Code::VmUnfit, &[&vm.name], found)
        .needed(needed)
        .resolution(what_to_do)
}

pub(super) fn cost(vm: &Domain, found: String, what_to_do: &str) -> Problem {
    Problem::new(Code::VmCosts, &[&vm.name], found).resolution(what_to_do)
}
