//! Conditions of VMs that are kept between reconciles: why a VM is without its VF, and which settings of its vNIC a VF
//! would bypass.

use accelnet_api::types::EventKind;
use accelnet_model::{Problem, Uuid, VmSetting};
use accelnet_rules::conditions::Conditions;

use crate::context::Context;
use crate::world::World;

/// Conditions, by UUID.
#[derive(Debug, Default)]
pub(crate) struct VmConditions {
    without_vf: Conditions<Uuid, String>,
    unfit: Conditions<Uuid, Problem>,
}

impl VmConditions {
    /// Why a VM is without its VF, a fragment, if that is known.
    pub fn reason(&self, uuid: &str) -> Option<&str> {
        self.without_vf.value(uuid).map(String::as_str)
    }

    /// Keeps why a VM is without its VF; whether there was no reason before.
    pub fn set_reason(&mut self, ctx: &Context, uuid: &Uuid, problem: &Problem) -> bool {
        let found = problem.found.trim_end_matches('.');
        let reason = match &problem.cause {
            Some(cause) => format!("{found} ({cause})"),
            None => found.to_owned(),
        };
        self.without_vf.raise(uuid.clone(), reason, &ctx.now())
    }

    /// A VM has its VF again.
    pub fn clear_reason(&mut self, uuid: &Uuid) {
        self.without_vf.clear(uuid);
    }

    /// The setting that an accelerated VM's VF bypasses, or would.
    pub fn unfit(&self, uuid: &str) -> Option<&Problem> {
        self.unfit.value(uuid)
    }

    /// Forgets VMs that this node does not accelerate any more.
    pub fn forget_others(&mut self, world: &World) {
        let own = |uuid: &Uuid| {
            world
                .policy
                .vm(uuid)
                .is_some_and(|vm| vm.node == world.node)
        };
        self.unfit.retain(own);
    }

    /// Keeps, and records once, the setting that a VM's VF bypasses; none when there is none. Whether it is another
    /// than before.
    pub fn set_unfit(&mut self, ctx: &Context, vm: &VmSetting, problem: Option<Problem>) -> bool {
        if self.unfit.value(&vm.uuid) == problem.as_ref() {
            return false;
        }
        match problem {
            Some(problem) => {
                ctx.record_problem(EventKind::Drift, &vm.name, &problem);
                self.unfit.raise(vm.uuid.clone(), problem, &ctx.now());
            }
            None => {
                self.unfit.clear(&vm.uuid);
                let name = &vm.name;
                let message = format!("The settings of the vNIC of VM {name} go with a VF again.");
                ctx.record(EventKind::Noticed, name, message);
            }
        }
        true
    }
}
