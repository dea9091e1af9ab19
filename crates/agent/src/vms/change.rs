//! Changes one VM: gives it its pair or removes it, all of it or nothing.

use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, HookConfig, Problem, VmSetting};
use accelnet_rules::pair::{Plan, Step};

use super::plan::{self, Defined};
use super::state::VmReconciler;
use super::{added_nic, executor, fitness, hook_files};
use crate::context::Context;
use crate::observed::observer;
use crate::world::World;

/// The steps of a VM, with the definition that they are based on; none of a transient VM.
pub(crate) struct Prepared {
    pub definition: Option<Defined>,
    pub plan: Plan,
}

impl VmReconciler {
    /// Gives a VM its pair, or leaves it as it was; `prepared` is its plan where it was made already.
    pub fn enable(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        prepared: Option<Prepared>,
        now: bool,
    ) -> Result<Plan, Problem> {
        if setting.phase == Phase::Enabling {
            self.detached.forget(&setting.uuid);
        }
        let begins = setting.phase == Phase::Enabling && setting.before.is_none();
        if !(begins && setting.nic_added) {
            return self.make_pair(ctx, world, setting, domain, prepared, now);
        }
        let done = added_nic::add(ctx, world, setting, domain).and_then(|()| {
            let world = world.with(observer::all(ctx));
            let domain = world.snapshot.domain(&setting.uuid);
            let domain = domain.ok_or_else(|| {
                let found = format!("libvirt on {} no longer has it.", ctx.node);
                Problem::new(Code::VmNotFound, &[&setting.name], found)
            })?;
            self.make_pair(ctx, &world, setting, domain, None, now)
        });
        if done.is_err() {
            // Both steps run or neither does; the next change reports a failure.
            drop(added_nic::remove(ctx, setting, domain));
        }
        done
    }

    fn make_pair(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        prepared: Option<Prepared>,
        now: bool,
    ) -> Result<Plan, Problem> {
        let Prepared { definition, plan } = match prepared {
            Some(prepared) => prepared,
            None => {
                let definition = plan::definition(ctx, domain)?;
                let plan = self.plan_to_vf(world, setting, domain, definition.as_ref(), now)?;
                Prepared { definition, plan }
            }
        };
        // Memory may have gone since the plan was made.
        let subject = fitness::Subject {
            definition: definition.as_ref().map_or(domain, |defined| &defined.vm),
            domain,
            mac: setting.mac,
            steps: &plan.steps,
        };
        fitness::check(ctx, &world.snapshot, &subject, &Default::default(), 0)?;
        let adapters = world.managed_adapters();
        let config = hook_files::desired(world, &self.vnics, setting, &adapters);
        let definition = definition.and_then(|defined| defined.xml);
        let with = (Some(&config), definition);
        self.run(ctx, world, (setting, domain), &plan, with)?;
        Ok(plan)
    }

    /// The steps that give a VM its VF, with what waits for its restart.
    pub fn plan_to_vf(
        &self,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        definition: Option<&Defined>,
        now: bool,
    ) -> Result<Plan, Problem> {
        let planner = self.planner(world);
        let again = planner.needs_new_vf(setting);
        let definition = definition.map(|defined| &defined.vm);
        let mut plan = planner.to_vf(setting, domain, definition, now, again && now)?;
        let held = domain.state.holds_devices() && !domain.host_devices.is_empty();
        plan.waits_for_restart |= again && !now && held;
        Ok(plan)
    }

    /// Removes the pair of a VM, or leaves it as it was.
    pub fn disable(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<(), Problem> {
        let plan = self.plan_to_software_path(ctx, world, setting, domain)?;
        self.run(ctx, world, (setting, domain), &plan, (None, None))?;
        match setting.nic_added {
            true => added_nic::remove(ctx, setting, domain),
            false => Ok(()),
        }
    }

    /// Reads the definition of a VM, and plans its return to the software path.
    pub fn plan_to_software_path(
        &self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<Plan, Problem> {
        let definition = plan::definition(ctx, domain)?;
        let definition = definition.as_ref().map(|defined| &defined.vm);
        Ok(self
            .planner(world)
            .to_software_path(setting, domain, definition))
    }

    /// Runs one step.
    pub fn run_step(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        step: Step,
    ) -> Result<(), Problem> {
        let plan = Plan {
            steps: vec![step],
            waits_for_restart: false,
            why: String::new(),
        };
        self.run(ctx, world, (setting, domain), &plan, (None, None))
    }

    /// Runs the steps of a plan, with failover bridging while they affect a running VM.
    pub(super) fn run(
        &mut self,
        ctx: &Context,
        world: &World,
        (setting, domain): (&VmSetting, &Domain),
        plan: &Plan,
        with: (Option<&HookConfig>, Option<String>),
    ) -> Result<(), Problem> {
        let running = domain.state.holds_devices();
        let bridged = running && plan.steps.iter().any(|step| step.touches_running());
        if bridged {
            let rules = self.vnics.port_rules();
            self.bridge
                .change_begins(ctx, world, setting.mac, &self.paths, rules);
        }
        if running && plan.steps.contains(&Step::AttachVf) {
            self.paths.attaches(&setting.uuid);
        }
        let vm = (setting, domain);
        let done = executor::run(ctx, (world, &self.vnics), vm, plan, with);
        if bridged {
            self.bridge.change_ends(ctx, setting.mac);
        }
        self.unplugged.forget(&setting.uuid);
        if done.is_err() && plan.steps.contains(&Step::ReplugNic) {
            self.unplugged.keep(ctx, setting);
        }
        done
    }
}
