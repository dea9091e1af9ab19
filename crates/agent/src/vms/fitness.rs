//! Whether a VM is fit for a VF, for a plan and for its execution.

use accelnet_host::observe::memory;
use accelnet_host::vms::SavedState;
use accelnet_model::{Domain, Mac, Observed, Problem};
use accelnet_rules::fitness::{self, Facts};
use accelnet_rules::pair::Step;

use crate::context::Context;
use crate::observed::Snapshot;

/// A VM and the steps of its plan.
pub(crate) struct Subject<'a> {
    /// The VM as it starts next.
    pub(crate) definition: &'a Domain,
    /// The VM as libvirt shows it now.
    pub(crate) domain: &'a Domain,
    /// The MAC of its vNIC.
    pub(crate) mac: Mac,
    /// The steps.
    pub(crate) steps: &'a [Step],
}

/// A VM that is fit for a VF.
pub(crate) struct Fit {
    /// What it loses with the VF.
    pub(crate) costs: Vec<Problem>,
    /// MiB of the node's memory that are pinned when the running VM gets its VF.
    pub(crate) takes_mib: u64,
}

/// The problem with the node's memory beside running VMs that have a VF, if it is too little.
pub(crate) fn memory_problem(ctx: &Context, with_vfs: &[&Domain]) -> Option<Problem> {
    let node = memory::node(ctx.edge.host().root);
    fitness::short(&ctx.node, node.known()?, with_vfs)
}

/// Evaluates a VM and the steps of its plan; `reserved_mib` of the node's memory is reserved for VMs before it.
///
/// # Errors
///
/// The VM is not fit for a VF.
pub(crate) fn check(
    ctx: &Context,
    snapshot: &Snapshot,
    subject: &Subject<'_>,
    saved: &SavedState,
    reserved_mib: u64,
) -> Result<Fit, Problem> {
    let Subject {
        definition,
        domain,
        mac,
        steps,
    } = *subject;
    let root = ctx.edge.host().root;
    let live = domain.state.holds_devices().then_some(domain);
    let node = memory::node(root).map(|mut node| {
        node.available_mib = node.available_mib.saturating_sub(reserved_mib);
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
        qemu: snapshot.node.platform.qemu.present().copied(),
        node,
        process,
    };
    let costs = fitness::judge(&facts)?;
    Ok(Fit { costs, takes_mib })
}
