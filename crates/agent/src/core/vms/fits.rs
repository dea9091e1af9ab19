//! Whether a VM goes with a VF: one judgement for a plan and for its execution.

use accelnet_host::observe::memory;
use accelnet_host::vms::SavedState;
use accelnet_model::{Domain, Mac, Observed, Problem};
use accelnet_rules::fitness::{self, Facts};
use accelnet_rules::pair::Step;

use super::super::{Core, Seen};

/// A VM, and what is to be done with it.
pub(crate) struct Wanted<'a> {
    /// The VM as it starts next.
    pub(crate) definition: &'a Domain,
    /// The VM as libvirt shows it now.
    pub(crate) domain: &'a Domain,
    /// The MAC of its vNIC.
    pub(crate) mac: Mac,
    /// The steps.
    pub(crate) steps: &'a [Step],
}

/// A VM that goes with a VF.
pub(crate) struct Fit {
    /// What the VF costs it.
    pub(crate) costs: Vec<Problem>,
    /// MiB that the node has to give when the running VM gets its VF.
    pub(crate) takes_mib: u64,
}

impl Core {
    /// What is left of the node's memory beside running VMs that have a VF, if that is too little.
    pub(crate) fn memory_short(&self, with_vfs: &[&Domain]) -> Option<Problem> {
        let node = memory::node(self.edge.host().root);
        fitness::short(&self.name, node.known()?, with_vfs)
    }

    /// Judges a VM and what is to be done with it; `promised_mib` is what VMs before it take of the
    /// node's memory.
    pub(crate) fn fits(
        &self,
        seen: &Seen,
        wanted: &Wanted<'_>,
        saved: &SavedState,
        promised_mib: u64,
    ) -> Result<Fit, Problem> {
        let Wanted {
            definition,
            domain,
            mac,
            steps,
        } = *wanted;
        let root = self.edge.host().root;
        let live = domain.state.holds_devices().then_some(domain);
        let node = memory::node(root).map(|mut node| {
            node.available_mib = node.available_mib.saturating_sub(promised_mib);
            node
        });
        let process = match live {
            Some(live) => memory::process(root, &live.name),
            None => Observed::unknown("it does not run"),
        };
        let takes = live.zip(process.known());
        let takes_mib = takes
            .filter(|_| steps.contains(&Step::AttachVf))
            .map_or(0, |(live, process)| fitness::needed_mib(live, process));
        let facts = Facts {
            definition,
            live,
            mac,
            steps,
            managed_save: saved.managed_save,
            snapshots: saved.snapshots,
            qemu: seen.node.platform.qemu.present().copied(),
            node,
            process,
        };
        let costs = fitness::judge(&facts)?;
        Ok(Fit { costs, takes_mib })
    }
}
