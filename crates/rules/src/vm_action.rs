//! What a reconcile does about one VM, before its steps are planned.

use accelnet_model::vm_setting::Phase;
use accelnet_model::{NodeName, VmSetting};

#[cfg(test)]
mod tests;

/// The state of a VM that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// This node.
    pub node: &'a NodeName,
    /// Whether libvirt here has the VM.
    pub is_here: bool,
    /// Whether Accelerated Networking is enabled.
    pub enabled: bool,
    /// Whether this node is drained.
    pub drained: bool,
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Prepare the definition for a start here: another node has the setting.
    KeepReady,
    /// Remove the setting of a VM that no longer exists.
    RemoveSetting,
    /// Complete a change to a VF that was interrupted.
    CompleteEnabling,
    /// Complete a change to the software path that was interrupted.
    CompleteDisabling,
    /// Detach the VF, because the node is drained.
    Drain,
    /// Detach a VF that the guest does not use, or repair the pair.
    Repair,
}

/// The action for a VM with a setting.
pub fn action(setting: &VmSetting, facts: Facts<'_>) -> Action {
    if setting.node != *facts.node {
        return match facts.is_here {
            true => Action::KeepReady,
            false => Action::None,
        };
    }
    match (setting.phase, facts.is_here) {
        // A VM that is gone has nothing to be removed from.
        (Phase::Disabling, false) => Action::RemoveSetting,
        (_, false) => Action::None,
        (Phase::Enabling, true) => Action::CompleteEnabling,
        (Phase::Disabling, true) => Action::CompleteDisabling,
        (Phase::Enabled, true) if !facts.enabled => Action::None,
        (Phase::Enabled, true) if facts.drained => Action::Drain,
        (Phase::Enabled, true) => Action::Repair,
    }
}

/// Who has the setting of a VM that runs here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This node.
    ThisNode,
    /// Another node, which took it over: the VM is leaving, or runs on both nodes.
    Left,
    /// Another node, from which this one takes it over.
    Arrived,
}

/// Who has the setting of a VM that runs here; `was_own` if this node had it while the VM ran here. Two nodes on
/// which a VM runs would otherwise take it from each other forever.
pub fn owner(setting: &VmSetting, node: &NodeName, was_own: bool) -> Owner {
    match (setting.node == *node, was_own) {
        (true, _) => Owner::ThisNode,
        (false, true) => Owner::Left,
        (false, false) => Owner::Arrived,
    }
}

/// The setting of a VM whose change failed; none where nothing of it is `left` at the VM. A pair that could not
/// be removed, as when libvirt went away, is removed by the next reconcile.
pub fn after_failure(setting: &VmSetting, left: bool) -> Option<VmSetting> {
    match setting.before {
        Some(before) => Some(VmSetting {
            performance: before,
            security: setting.security_before.unwrap_or(setting.security),
            ..completed(setting)
        }),
        None if left => Some(VmSetting {
            phase: Phase::Disabling,
            ..setting.clone()
        }),
        None => None,
    }
}

/// The setting of a VM whose change is complete.
pub fn completed(setting: &VmSetting) -> VmSetting {
    VmSetting {
        phase: Phase::Enabled,
        before: None,
        security_before: None,
        ..setting.clone()
    }
}
