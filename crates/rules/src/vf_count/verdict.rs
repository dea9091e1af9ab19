//! Whether a change of the number of VFs succeeded, by the state after it.

use accelnet_model::vf_plan::{Plan, Step, vfs_in_words};
use accelnet_model::{Adapter, Code, Observed, Problem, Vf};

/// Evaluates `after`, the adapter after the steps of `plan`; `None`
/// where it is not there any more. `waited` is the time, as "30 s".
///
/// # Errors
///
/// The adapter or its driver went away; fewer VFs than planned; VFs that are not ready.
pub fn verdict(
    plan: &Plan,
    name: &str,
    address: &str,
    after: Option<&Adapter>,
    waited: &str,
) -> Result<(), Problem> {
    let lost = |found: String| Err(Problem::new(Code::AdapterLost, &[name, address], found));
    let Some(after) = after else {
        return lost(format!("The device at {address} does not exist any more."));
    };
    if plan.to > 0 && after.driver == Observed::Known(None) {
        let left = left(after);
        return lost(format!("{address} has no driver bound any more. {left}"));
    }
    let Some(sriov) = after.sriov.present() else {
        return lost(format!("{address} shows no SR-IOV any more."));
    };
    let now = sriov.current_vfs;
    if let Observed::Known(said) = sriov.num_vfs
        && said < plan.to
    {
        let found = format!("The driver created {said} of {} requested VFs.", plan.to);
        return Err(Problem::new(Code::VfFewerThanAsked, &[name], found));
    }
    if now != plan.to {
        let now = vfs_in_words(now);
        let found = format!("{now} after {waited}; {} were requested.", plan.to);
        return Err(Problem::new(Code::VfNotReady, &[name], found));
    }
    // Of VFs that were there before, those in use were left as they are; a fresh one that is
    // in use was taken by the host before anybody could have it.
    let fresh = plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Create { .. }));
    let unused = |vf: &&Vf| vf.users.known().is_some_and(Vec::is_empty);
    let late: Vec<String> = after
        .vfs
        .iter()
        .filter(|vf| !vf.is_ready() && (fresh || unused(vf)))
        .map(|vf| match (vf.driver.known(), vf.netdevs.as_slice()) {
            _ if !unused(&vf) => match vf.users.known().and_then(|users| users.first()) {
                Some(user) => format!("VF {} is used by {user}", vf.index),
                None => format!("the user of VF {} is unknown", vf.index),
            },
            (_, [netdev, ..]) => format!("VF {} has the host netdev {netdev}", vf.index),
            (Some(Some(driver)), []) => format!("VF {} is bound to {driver}", vf.index),
            _ => format!("the driver of VF {} is unknown", vf.index),
        })
        .collect();
    match late.as_slice() {
        [] => Ok(()),
        late => {
            let found = format!("After {waited}: {}.", late.join("; "));
            Err(Problem::new(Code::VfNotReady, &[name], found))
        }
    }
}

/// The current state, in a sentence.
pub fn left(adapter: &Adapter) -> String {
    match adapter.vfs.len() {
        0 => "It has no VFs now.".to_owned(),
        1 => "It has 1 VF now.".to_owned(),
        vfs => format!("It has {vfs} VFs now."),
    }
}

/// Warnings about `after`, which is as planned: VFs that share a group,
/// an adapter that is down, VFs that were left because they are used.
pub fn warnings_after(after: &Adapter, plan: &Plan) -> Vec<String> {
    let mut warnings_after = Vec::new();
    if plan.to == 0 {
        return warnings_after;
    }
    let groups: Vec<u32> = after
        .vfs
        .iter()
        .filter_map(|vf| vf.iommu_group.present().copied())
        .collect();
    let mut unique = groups.clone();
    unique.sort_unstable();
    unique.dedup();
    let name = after.name();
    if unique.len() < groups.len() {
        warnings_after.push(format!(
            "VFs share an IOMMU group and cannot be given to different VMs; see 'accelnet prereq --adapter {name}'"
        ));
    }
    if groups.is_empty() {
        warnings_after.push(
            "no VF has an IOMMU group, so none can be given to a VM; see 'accelnet prereq'"
                .to_owned(),
        );
    }
    warnings_after.extend(down(after));
    warnings_after
}

/// What `plan` leaves as it is on `before` and VFs depend on: an adapter without an IOMMU, bus numbers that do
/// not reach for all VFs, an adapter that is down.
pub fn expected(before: &Adapter, plan: &Plan) -> Vec<String> {
    let mut warnings_after = Vec::new();
    if plan.to == 0 {
        return warnings_after;
    }
    let name = before.name();
    if before.iommu_group == Observed::Known(None) {
        warnings_after.push(format!(
            "{name} has no IOMMU group, so no VF can be given to a VM; see 'accelnet prereq'"
        ));
    }
    if let Some(sriov) = before.sriov.present()
        && let (Observed::Known(total), Observed::Known(usable)) =
            (&sriov.total_vfs, &sriov.usable_vfs())
        && usable < total
    {
        warnings_after.push(format!(
            "bus numbers reach {usable} of the {total} VFs of {name}; see 'accelnet prereq --adapter {name}'"
        ));
    }
    warnings_after.extend(down(before));
    warnings_after
}

/// VFs of an adapter that is down have no link.
fn down(adapter: &Adapter) -> Option<String> {
    let mut ports = crate::prereq::ports(adapter);
    let down = ports.find(|port| !port.link.up)?;
    let name = &down.link.name;
    Some(format!(
        "{name} is down, and its VFs have no link while it is; 'ip link set {name} up'"
    ))
}
