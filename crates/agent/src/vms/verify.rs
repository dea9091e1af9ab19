//! Whether a VM that was given its VF has it.

use accelnet_model::{Code, Domain, Problem, VmSetting};
use accelnet_rules::pair::{Plan, Step};

use super::plan;
use crate::context::Context;
use crate::problems::vms_unknown;
use crate::world::World;

/// Checks that the change of a VM by `plan` is observed in `after`.
///
/// # Errors
///
/// What is missing.
pub(crate) fn verify(
    ctx: &Context,
    after: &World,
    setting: &VmSetting,
    plan: &Plan,
) -> Result<(), Problem> {
    if let Some(reason) = after.snapshot.node.domains.reason() {
        return Err(vms_unknown(&ctx.node, reason));
    }
    let domain = after.snapshot.domain(&setting.uuid);
    let missing = match domain {
        None => Some("libvirt no longer has the VM.".to_owned()),
        Some(domain) => missing(ctx, after, setting, plan, domain)?,
    };
    missing.map_or(Ok(()), |found| {
        let subject = format!("VM {}", setting.name);
        Err(Problem::new(Code::NotVerified, &[&subject], found))
    })
}

fn missing(
    ctx: &Context,
    after: &World,
    setting: &VmSetting,
    plan: &Plan,
    domain: &Domain,
) -> Result<Option<String>, Problem> {
    if let Some(definition) = plan::definition(ctx, domain)? {
        let config = after.pair(&definition.vm.vnics, setting.mac);
        if config.vf.is_none() || !config.can_fail_over() {
            return Ok(Some("Its definition has no pair.".to_owned()));
        }
    }
    if !plan.steps.contains(&Step::AttachVf) || !domain.state.holds_devices() {
        return Ok(None);
    }
    let Some((adapter, vf)) = after.vf_of(domain, setting.mac) else {
        return Ok(Some("The running VM has no VF.".to_owned()));
    };
    let settings = vf.settings.known();
    let other = settings.filter(|settings| settings.mac != setting.mac);
    Ok(other.map(|settings| {
        format!(
            "VF {} of {} has MAC {}, not {}.",
            vf.index,
            adapter.name(),
            settings.mac,
            setting.mac
        )
    }))
}
