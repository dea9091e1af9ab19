//! Whether a running VM can be migrated to another node, and on which path it arrives.

use accelnet_model::intent::{IntentState, IntentStatus};

/// The VM to migrate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mover {
    /// Whether it runs.
    pub runs: bool,
    /// Whether it has a VF now.
    pub has_vf: bool,
    /// Whether the vNIC that runs can take the traffic when the VF goes.
    pub can_fail_over: bool,
    /// Whether the VF can be left out where there is none: its interface names a model, which
    /// libvirt compares.
    pub may_arrive_without: bool,
    /// Host devices beside its VF.
    pub other_devices: u32,
    /// Queue pairs of its setting.
    pub queue_pairs: u32,
}

/// Another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// Whether it sends heartbeats.
    pub up: bool,
    /// Whether it is drained: VMs get no VFs there.
    pub drained: bool,
    /// Name of the intent.
    pub intent: &'a str,
    /// The state of the intent there.
    pub status: Option<&'a IntentStatus>,
    /// Its adapters in the intent: unused VFs, and queue pairs of a VF at most.
    pub adapters: Vec<(u32, Option<u32>)>,
}

/// How a VM would arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// With a VF.
    Vf,
    /// Over its vNIC alone, until a VF is free.
    Software,
    /// Not at all.
    Never,
}

/// How the VM would arrive at the node, and why, a fragment.
pub fn judge(vm: &Mover, target: &Target<'_>) -> (Arrival, String) {
    match hindrance(vm, target) {
        Some(why) => (Arrival::Never, why),
        None => arrival(vm, target),
    }
}

/// What stands in the way, the VM's own first.
fn hindrance(vm: &Mover, target: &Target<'_>) -> Option<String> {
    if !vm.runs {
        return Some("it does not run; it gets its VF wherever it is started".to_owned());
    }
    if vm.other_devices > 0 {
        return Some(format!(
            "it has {} of the host beside its VF, which cannot move",
            match vm.other_devices {
                1 => "a device".to_owned(),
                many => format!("{many} devices"),
            }
        ));
    }
    if vm.has_vf && !vm.can_fail_over {
        return Some("its running vNIC has no failover feature, so its VF cannot go".to_owned());
    }
    if !target.up {
        return Some("the node is down".to_owned());
    }
    let intent = target.intent;
    match target.status.map(|status| status.state) {
        Some(IntentState::Completed) => None,
        Some(state) => Some(format!("intent {intent} is {state} on that node")),
        None => Some(format!("intent {intent} does not exist on that node")),
    }
}

fn arrival(vm: &Mover, target: &Target<'_>) -> (Arrival, String) {
    let needed = vm.queue_pairs;
    let able = |most: &Option<u32>| most.is_none_or(|most| most >= needed);
    let fitting: Vec<u32> = target
        .adapters
        .iter()
        .filter(|(_, most)| able(most))
        .map(|(free, _)| *free)
        .collect();
    if fitting.is_empty() && !target.adapters.is_empty() {
        let most = target.adapters.iter().filter_map(|(_, most)| *most).max();
        let why = format!(
            "a VF of that node has at most {} queue pairs, and its setting needs {needed}",
            most.unwrap_or(0)
        );
        return (Arrival::Never, why);
    }
    if target.drained {
        let why = "the node is drained and provides no VF";
        return (Arrival::Software, why.to_owned());
    }
    match fitting.iter().sum::<u32>() {
        0 if vm.has_vf && !vm.may_arrive_without => (
            Arrival::Never,
            "no VF is free, and its VF is not optional: stop and start the VM first".to_owned(),
        ),
        0 => (
            Arrival::Software,
            "no VF is free: it gets one when one becomes free".to_owned(),
        ),
        1 => (Arrival::Vf, "1 VF is free".to_owned()),
        free => (Arrival::Vf, format!("{free} VFs are free")),
    }
}

#[cfg(test)]
mod tests;
