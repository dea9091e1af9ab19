//! Brings the VMs of this node to their settings.

use std::collections::BTreeSet;

use accelnet_api::types::EventKind;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Problem, Uuid, VmSetting};
use accelnet_rules::pair::Step;
use accelnet_rules::vm_action::{self, Action, Facts};

use super::state::VmReconciler;
use crate::context::Context;
use crate::policy::Change;
use crate::world::World;

impl VmReconciler {
    /// Brings the VMs to their settings; whether anything was done.
    pub fn reconcile(&mut self, ctx: &Context, world: &World) -> bool {
        self.conditions.forget_others(world);
        let request = ctx.policies.request().ok().flatten();
        let open: BTreeSet<Uuid> = request.into_iter().flat_map(|one| one.vms).collect();
        let mut acted = self.unplugged.reconcile(ctx, &world.snapshot);
        for domain in world.snapshot.domains() {
            acted |= world.policy.has_no(&domain.uuid) && self.end_ready(ctx, world, domain);
        }
        let mut ended = Vec::new();
        for setting in world.settings() {
            let domain = world.snapshot.domain(&setting.uuid);
            let action = vm_action::action(
                setting,
                Facts {
                    node: &world.node,
                    is_here: domain.is_some(),
                    enabled: world.policy.management.enabled,
                    drained: world.policy.drained(&world.node).is_some(),
                },
            );
            acted |= match (action, domain) {
                (Action::RemoveSetting, _) => {
                    ended.push(Change::NoVm(setting.uuid.clone()));
                    true
                }
                (Action::None, _) | (_, None) => false,
                (Action::KeepReady, Some(domain)) => self.keep_ready(ctx, world, setting, domain),
                (Action::CompleteEnabling, Some(domain)) => {
                    ended.push(self.complete_enabling(ctx, world, setting, domain, &open));
                    true
                }
                (Action::CompleteDisabling, Some(domain)) => {
                    ended.push(self.complete_disabling(ctx, world, setting, domain, &open));
                    true
                }
                (Action::Drain, Some(domain)) => self.drain(ctx, world, setting, domain),
                (Action::Repair, Some(domain)) => {
                    self.detach_unused(ctx, world, setting, domain)
                        || self.repair(ctx, world, setting, domain)
                }
            };
        }
        let change = |ended: &[Change]| ctx.policies.change(&world.policy, ended, false);
        if !ended.is_empty() && !change(&ended).unwrap_or(false) {
            // Another program changed one of them meanwhile.
            for change in ended {
                world.change(ctx, change);
            }
        }
        acted
    }

    /// Completes a change that an agent was interrupted in, or restores what was before it.
    fn complete_enabling(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        open: &BTreeSet<Uuid>,
    ) -> Change {
        // It was interrupted between detaching the vNIC and attaching it again.
        let has_nic = domain
            .vnics
            .iter()
            .any(|vnic| vnic.mac == Some(setting.mac));
        let unplugged = domain.state.holds_devices() && !has_nic;
        let done = self.enable(ctx, world, setting, domain, None, unplugged);
        let change = match &done {
            Ok(_) => Change::Vm(vm_action::completed(setting)),
            Err(_) => {
                let own = [setting.uuid.to_string()];
                let after = world.with(world.after_change_of(ctx, &own));
                self.after_failure(ctx, &after, setting)
            }
        };
        let message = format!("Completed the interrupted change of VM {}.", domain.name);
        self.record_completion(ctx, open, setting, &domain.name, done.map(|_| message));
        change
    }

    fn complete_disabling(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
        open: &BTreeSet<Uuid>,
    ) -> Change {
        let done = self.disable(ctx, world, setting, domain);
        let change = match &done {
            Ok(()) => Change::NoVm(setting.uuid.clone()),
            Err(_) => Change::Vm(VmSetting {
                phase: Phase::Enabled,
                ..setting.clone()
            }),
        };
        let message = format!("VM {} is back on its software path.", domain.name);
        self.record_completion(ctx, open, setting, &domain.name, done.map(|()| message));
        change
    }

    /// Records how an interrupted change ended: with its request if that is open, else by itself.
    fn record_completion(
        &mut self,
        ctx: &Context,
        open: &BTreeSet<Uuid>,
        setting: &VmSetting,
        name: &str,
        result: Result<String, Problem>,
    ) {
        match (result, open.contains(&setting.uuid)) {
            (Ok(_), true) => drop(self.interrupted.remove(&setting.uuid)),
            (Err(problem), true) => {
                drop(self.interrupted.insert(setting.uuid.clone(), problem));
            }
            (Ok(message), false) => ctx.record(EventKind::Repaired, name, message),
            (Err(problem), false) => ctx.record_problem(EventKind::Failed, name, &problem),
        }
    }

    /// The setting of a VM whose change failed, as observed in `after`.
    pub fn after_failure(&self, ctx: &Context, after: &World, setting: &VmSetting) -> Change {
        let domain = after.snapshot.domain(&setting.uuid);
        let left = || match domain {
            Some(domain) => !self.has_nothing_of(ctx, after, setting, domain),
            None => !after.snapshot.has_domains(),
        };
        let left = setting.before.is_none() && left();
        match vm_action::after_failure(setting, left) {
            Some(setting) => Change::Vm(setting),
            None => Change::NoVm(setting.uuid.clone()),
        }
    }

    /// Whether nothing of a setting is left at its VM; "no" where that is unknown.
    fn has_nothing_of(
        &self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let mut vnics = domain.vnics.iter();
        let added = setting.nic_added && vnics.any(|vnic| vnic.mac == Some(setting.mac));
        let plan = self.plan_to_software_path(ctx, world, setting, domain);
        !added && plan.is_ok_and(|plan| plan.steps.iter().all(|step| *step == Step::Forget))
    }
}
