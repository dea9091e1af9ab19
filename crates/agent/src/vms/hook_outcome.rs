//! Whether libvirt's hook ran for a VF.

use std::fs;
use std::time::Duration;

use accelnet_model::hook_config::{VfOutcome, outcome_file};
use accelnet_model::{Code, Domain, PciAddress, Problem};

use crate::context::Context;
use crate::files;

/// libvirt chooses a VF, and runs the hook, before it starts the VM's process.
const BEFORE_START: Duration = Duration::from_secs(300);
/// The operation that the hook records for a VF that a VM got.
const CREATED: &str = "port-created";

/// Why the hook is known not to have run for the VF at `vf` of a running VM. A VM that migrates to another node has
/// released its VF, and still has it by name.
pub(crate) fn missing(ctx: &Context, domain: &Domain, vf: PciAddress) -> Option<Problem> {
    let missing = missing_outcome(ctx, domain, vf)?;
    let leaves = ctx.edge.vms().is_busy(&domain.uuid).unwrap_or(true);
    (!leaves).then_some(missing)
}

fn missing_outcome(ctx: &Context, domain: &Domain, vf: PciAddress) -> Option<Problem> {
    let file = outcome_file(ctx.edge.hook_configs(), &domain.uuid);
    let silent = |found: String| Some(Problem::new(Code::HookSilent, &[&domain.name], found));
    let text = match files::read_capped(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return silent(format!("{} does not exist.", file.display()));
        }
        // A file that cannot be read proves nothing.
        Err(_) => return None,
    };
    let outcome: VfOutcome = serde_json::from_slice(&text).ok()?;
    if outcome.operation != CREATED || outcome.vf != Some(vf) {
        return silent(format!("{} is not about VF {vf}.", file.display()));
    }
    let process = format!("/run/libvirt/qemu/{}.pid", domain.name);
    let process = ctx.edge.host().root.locate(&process);
    let changed = |path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let (written, started) = (changed(file.clone())?, changed(process)?);
    match written + BEFORE_START < started {
        true => silent(format!("{} is older than the VM's start.", file.display())),
        false => None,
    }
}
