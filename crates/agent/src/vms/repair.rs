//! Repairs the pair of an accelerated VM, and detaches VFs: of guests that do not use them, and of a drained node.

use accelnet_api::types::EventKind;
use accelnet_host::observe;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Problem, VmSetting};
use accelnet_rules::pair::{Plan, Step};

use super::detached::{self, Record};
use super::state::VmReconciler;
use super::{plan, software_path};
use crate::capacity::adapters::free_vfs;
use crate::context::Context;
use crate::policy::Change;
use crate::problems::{no_free_vf, node_drained};
use crate::world::World;

impl VmReconciler {
    /// Detaches the VFs of running VMs that are due where an adapter has no link; whether anything was done.
    pub fn detach_without_link(&mut self, ctx: &Context, world: &World) -> bool {
        let policy = &world.policy;
        let decided = policy.management.enabled && !policy.held.management;
        if !decided || detached::have_link(world) {
            return false;
        }
        self.observe_paths(ctx, world);
        let mut acted = false;
        let enabled = world.own_settings().filter(|vm| vm.phase == Phase::Enabled);
        for setting in enabled {
            if let Some(domain) = world.snapshot.domain(&setting.uuid) {
                acted |= self.detach_unused(ctx, world, setting, domain);
            }
        }
        acted
    }

    /// Detaches the VF from a running VM whose guest had its time and does not drive it; whether anything was done. The
    /// VM continues on its software path.
    pub(super) fn detach_unused(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let uuid = &setting.uuid;
        let record = self.detached.of(uuid);
        let begun = record.is_some_and(|record| !record.detached);
        let attached_again = record.is_some_and(|record| record.detached);
        let due = self.paths.of(uuid).is_some_and(|one| one.verdict.take_back);
        let has_vf = world.pair(&domain.vnics, setting.mac).vf.is_some();
        if has_vf && attached_again {
            self.detached.forget(uuid);
            return false;
        }
        if !(begun || due) || !has_vf || !domain.state.holds_devices() {
            return false;
        }
        // A guest that migrates to another node has released its VF, and gets another one there.
        if ctx.edge.vms().is_busy(uuid).unwrap_or(true) {
            return false;
        }
        if !begun {
            let problem = self.not_used(ctx, uuid, &domain.name);
            let process = observe::qemu_process(ctx.edge.host().root, &domain.name);
            let record = Record {
                process: process.known().copied(),
                found: problem.found.clone(),
                without_link: self.adapter_without_link(world, setting, domain),
                detached: false,
            };
            ctx.record_problem(EventKind::Failed, &domain.name, &problem);
            self.detached.keep(uuid, record);
        }
        ctx.failpoint("take-back");
        let done = self.run_step(ctx, world, setting, domain, Step::DetachVf);
        if let Err(problem) = done {
            if self.conditions.set_reason(ctx, uuid, &problem) {
                ctx.record_problem(EventKind::Failed, &domain.name, &problem);
            }
            return false;
        }
        let mut why = "its guest does not use it".to_owned();
        if let Some(mut record) = self.detached.of(uuid).cloned() {
            if let Some(adapter) = &record.without_link {
                why = format!("{adapter} has no link");
            }
            record.detached = true;
            self.detached.keep(uuid, record);
        }
        let name = &domain.name;
        let message = format!(
            "The VF of VM {name} was detached: {why}. The software path carries its traffic."
        );
        ctx.record(EventKind::Changed, name, message);
        true
    }

    /// The adapter of a VM's VF, if it has no link and the VF is detached because of that.
    fn adapter_without_link(
        &self,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Option<String> {
        let watched = self.paths.of(&domain.uuid)?;
        let (adapter, _) = world.vf_of(domain, setting.mac)?;
        (watched.evidence().link == Some(false)).then(|| adapter.name())
    }

    /// Detaches the VF from a running VM of a drained node; whether anything was done.
    pub(super) fn drain(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let Some(drained) = world.policy.drained(&world.node) else {
            return false;
        };
        let (uuid, name) = (&setting.uuid, &domain.name);
        let reason = node_drained(&ctx.node, drained);
        let has_vf = world.pair(&domain.vnics, setting.mac).vf.is_some();
        if !domain.state.holds_devices() || !has_vf {
            self.conditions.set_reason(ctx, uuid, &reason);
            return false;
        }
        if let Err(problem) = software_path::check(ctx, world.bridge.as_deref()) {
            let before = self.conditions.reason(uuid).map(str::to_owned);
            self.conditions.set_reason(ctx, uuid, &problem);
            if self.conditions.reason(uuid) != before.as_deref() {
                ctx.record_problem(EventKind::Failed, name, &problem);
            }
            return false;
        }
        self.conditions.set_reason(ctx, uuid, &reason);
        let done = self.run_step(ctx, world, setting, domain, Step::DetachVf);
        match &done {
            Ok(()) => {
                let message = format!("Detached the VF of VM {name}: its node is drained.");
                ctx.record(EventKind::Noticed, name, message);
            }
            Err(problem) => ctx.record_problem(EventKind::Failed, name, problem),
        }
        done.is_ok()
    }

    /// Repairs the pair of a VM that another program changed; whether anything was done.
    pub(super) fn repair(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let uuid = &setting.uuid;
        let acted = VmReconciler::follow_name(ctx, world, setting, domain);
        let planned = plan::definition(ctx, domain).and_then(|definition| {
            let definition = definition.as_ref().map(|defined| &defined.vm);
            let planner = self.planner(world);
            planner.to_repair(setting, domain, definition)
        });
        let (plan, bypassed) = match planned {
            Ok(planned) => planned,
            Err(problem) => {
                self.conditions.set_reason(ctx, uuid, &problem);
                return acted;
            }
        };
        if let Some(problem) = bypassed.live.as_ref().or(bypassed.config.as_ref()) {
            return acted | self.hold(ctx, world, setting, domain, (&plan, problem));
        }
        self.conditions.set_unfit(ctx, setting, bypassed.lost);
        if plan.steps.iter().any(|step| *step != Step::WriteConfig) {
            return acted | self.restore_pair(ctx, world, setting, domain, &plan);
        }
        match self.detached.of(uuid).is_some() {
            true => {
                let problem = self.not_used(ctx, uuid, &domain.name);
                self.conditions.set_reason(ctx, uuid, &problem);
            }
            false => self.conditions.clear_reason(uuid),
        }
        acted
    }

    /// Follows the name of a VM; whether it changed.
    fn follow_name(ctx: &Context, world: &World, setting: &VmSetting, domain: &Domain) -> bool {
        let Ok(name) = domain.name.parse() else {
            return false;
        };
        if setting.name == name {
            return false;
        }
        let message = format!("VM {} was renamed to {name}.", setting.name);
        ctx.record(EventKind::Noticed, &domain.name, message);
        let renamed = VmSetting {
            name,
            ..setting.clone()
        };
        world.change(ctx, Change::Vm(renamed))
    }

    /// Restores the pair of a VM; whether anything was done.
    fn restore_pair(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        plan: &Plan,
    ) -> bool {
        let (uuid, name) = (&setting.uuid, &domain.name);
        let attaches = plan.steps.contains(&Step::AttachVf);
        let news = self.conditions.reason(uuid).is_none();
        if news {
            let message = match attaches {
                true => format!("VM {name} runs without its VF."),
                false => format!("The definition of VM {name} has lost its VF."),
            };
            ctx.record(EventKind::Drift, name, message);
        }
        let mut acted = true;
        let result = match attaches && free_vfs(world) == Some(0) {
            true => {
                // Its own guest has not seen the stand-in.
                let drops = plan.steps.contains(&Step::DropStandIn);
                acted = drops
                    && self
                        .run_step(ctx, world, setting, domain, Step::DropStandIn)
                        .is_ok();
                Err(no_free_vf(name))
            }
            false => self
                .enable(ctx, world, setting, domain, None, false)
                .map(drop),
        };
        match result {
            Ok(()) => {
                self.conditions.clear_reason(uuid);
                let message = format!("Repaired acceleration of VM {name}.");
                ctx.record(EventKind::Repaired, name, message);
            }
            Err(problem) => {
                if news {
                    ctx.record_problem(EventKind::Failed, name, &problem);
                }
                self.conditions.set_reason(ctx, uuid, &problem);
            }
        }
        acted
    }

    /// Keeps a VM from a VF that would bypass a setting of its vNIC; whether anything was done.
    fn hold(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        (plan, problem): (&Plan, &Problem),
    ) -> bool {
        let unfit = Some(problem.clone());
        let news = self.conditions.set_unfit(ctx, setting, unfit);
        self.conditions.set_reason(ctx, &setting.uuid, problem);
        if plan.steps.is_empty() {
            return false;
        }
        let name = &domain.name;
        match self.run(ctx, world, (setting, domain), plan, (None, None)) {
            Ok(()) => {
                let why = &plan.why;
                let message = format!("VM {name} is kept on its software path: {why}.");
                ctx.record(EventKind::Repaired, name, message);
            }
            Err(failure) if news => ctx.record_problem(EventKind::Failed, name, &failure),
            Err(_) => {}
        }
        true
    }
}
