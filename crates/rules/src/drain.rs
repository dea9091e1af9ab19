//! Whether a VM of a drained node can be moved to another node.

use accelnet_model::domain::DomainState;
use accelnet_model::vm_setting::Phase;

/// The state of a VM that decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its state.
    pub state: DomainState,
    /// Whether it has a device of the node that accelnet does not manage.
    pub has_foreign_device: bool,
    /// Whether it has its VF.
    pub has_vf: bool,
    /// The phase of its setting, if it has one.
    pub phase: Option<Phase>,
    /// Whether Accelerated Networking is disabled, so that no agent detaches its VF.
    pub unmanaged: bool,
}

/// Whether the VM can be moved, and why.
pub fn can_move(vm: &Facts) -> (bool, &'static str) {
    if vm.state == DomainState::Unknown {
        return (false, "libvirt does not report its state");
    }
    if vm.has_foreign_device {
        return (
            false,
            "it has a VF or another device of this node that accelnet does not manage",
        );
    }
    if vm.phase.is_some_and(|phase| phase != Phase::Enabled) {
        return (false, "a change of it is under way");
    }
    match (vm.has_vf, vm.unmanaged) {
        (true, true) => (
            false,
            "it has a VF, and no agent detaches it while Accelerated Networking is disabled",
        ),
        (true, false) => (true, "its VF is detached, and virtio carries its traffic"),
        (false, _) => (true, "it is on virtio"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_obstacle_has_its_reason() {
        let free = Facts {
            state: DomainState::Running,
            has_foreign_device: false,
            has_vf: true,
            phase: Some(Phase::Enabled),
            unmanaged: false,
        };
        let table = [
            (free, true, "detached"),
            (
                Facts {
                    has_vf: false,
                    ..free
                },
                true,
                "on virtio",
            ),
            (
                Facts {
                    unmanaged: true,
                    ..free
                },
                false,
                "no agent",
            ),
            (
                Facts {
                    phase: Some(Phase::Enabling),
                    ..free
                },
                false,
                "under way",
            ),
            (
                Facts {
                    has_foreign_device: true,
                    ..free
                },
                false,
                "does not manage",
            ),
            (
                Facts {
                    state: DomainState::Unknown,
                    ..free
                },
                false,
                "its state",
            ),
        ];
        for (vm, can, reason) in table {
            let (moves, why) = can_move(&vm);
            assert!(moves == can && why.contains(reason), "{vm:?}: {why}");
        }
    }
}
