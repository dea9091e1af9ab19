//! Conditions of VMs that are kept between reconciles: why a VM is without its VF, and which settings of its vNIC a VF
//! would bypass.

use std::collections::BTreeMap;

use accelnet_api::types::EventKind;
use accelnet_model::{Problem, Uuid, VmSetting};

use crate::context::Context;
use crate::world::World;

/// Conditions, by UUID.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    without_vf: BTreeMap<Uuid, String>,
    unfit: BTreeMap<Uuid, Problem>,
}

impl Conditions {
    /// Why a VM is without its VF, a fragment, if that is known.
    pub fn reason(&self, uuid: &str) -> Option<&str> {
        self.without_vf.get(uuid).map(String::as_str)
    }

    /// Keeps why a VM is without its VF; whether there was no reason before.
    pub fn set_reason(&mut self, uuid: &Uuid, problem: &Problem) -> bool {
        let found = problem.found.trim_end_matches('.');
        let reason = match &problem.cause {
            Some(cause) => format!("{found} ({cause})"),
            None => found.to_owned(),
        };
        self.without_vf.insert(uuid.clone(), reason).is_none()
    }

    /// A VM has its VF again.
    pub fn clear_reason(&mut self, uuid: &Uuid) {
        self.without_vf.remove(uuid);
    }

    /// The setting that an accelerated VM's VF bypasses, or would.
    pub fn unfit(&self, uuid: &str) -> Option<&Problem> {
        self.unfit.get(uuid)
    }

    /// Forgets VMs that this node does not accelerate any more.
    pub fn forget_others(&mut self, world: &World) {
        let own = |uuid: &Uuid| {
            world
                .policy
                .vm(uuid)
                .is_some_and(|vm| vm.node == world.node)
        };
        self.unfit.retain(|uuid, _| own(uuid));
    }

    /// Keeps, and records once, the setting that a VM's VF bypasses; none when there is none. Whether it is another
    /// than before.
    pub fn set_unfit(&mut self, ctx: &Context, vm: &VmSetting, problem: Option<Problem>) -> bool {
        if self.unfit.get(&vm.uuid) == problem.as_ref() {
            return false;
        }
        match problem {
            Some(problem) => {
                ctx.record_problem(EventKind::Drift, &vm.name, &problem);
                self.unfit.insert(vm.uuid.clone(), problem);
            }
            None => {
                self.unfit.remove(&vm.uuid);
                let name = &vm.name;
                let message = format!("The settings of the vNIC of VM {name} go with a VF again.");
                ctx.record(EventKind::Noticed, name, message);
            }
        }
        true
    }
}
