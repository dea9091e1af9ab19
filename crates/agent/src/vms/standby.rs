//! VMs that move between nodes: taken over where they run, and prepared for a start where they do not.

use std::collections::BTreeSet;

use accelnet_api::types::EventKind;
use accelnet_model::domain::DomainState;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Performance, Uuid, VfSecurityOfVm, VmSetting};
use accelnet_rules::pair::{self, Step};
use accelnet_rules::vm_action::{self, Owner};

use super::state::VmReconciler;
use crate::context::Context;
use crate::policy::Change;
use crate::world::World;

impl VmReconciler {
    /// Takes over VMs that run here with a setting of another node: they were migrated, or started here because that
    /// node died. Whether there are any.
    pub fn take_over(&mut self, ctx: &Context, world: &World) -> bool {
        if !world.snapshot.has_domains() {
            return false;
        }
        let mut own: BTreeSet<Uuid> = BTreeSet::new();
        let mut taken = false;
        for setting in world.settings() {
            let (uuid, name) = (&setting.uuid, &setting.name);
            let domain = world.snapshot.domain(uuid);
            if domain.is_none_or(|one| one.state != DomainState::Running) {
                continue;
            }
            if vm_action::owner(setting, &world.node, self.own.contains(uuid)) != Owner::Arrived {
                own.insert(uuid.clone());
                continue;
            }
            let here = VmSetting {
                node: world.node.clone(),
                ..setting.clone()
            };
            if world.change(ctx, Change::Vm(here)) {
                own.insert(uuid.clone());
                taken = true;
                let message = format!(
                    "VM {name} came from {} and runs here now, with its setting {}.",
                    setting.node, setting.performance
                );
                ctx.record(EventKind::Noticed, name, message);
            }
        }
        self.own = own;
        taken
    }

    /// Whether a VM runs here although another node has taken it over.
    pub fn runs_twice(&self, world: &World, setting: &VmSetting, domain: &Domain) -> bool {
        domain.state == DomainState::Running
            && setting.node != world.node
            && self.own.contains(&setting.uuid)
    }

    /// Prepares the definition of a VM whose setting another node has: its vNIC has the failover feature, so that it
    /// gets a VF when it is started here, but the definition requests none, since libvirt starts no VM when the pool
    /// has no free VF. Whether anything was done.
    pub(super) fn keep_ready(
        &mut self,
        ctx: &Context,
        world: &World,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let managed = world.policy.management.enabled && setting.phase == Phase::Enabled;
        if !managed || !domain.persistent || domain.state.holds_devices() {
            return false;
        }
        let pair = world.pair(&domain.vnics, setting.mac);
        let plan = pair::ready(pair).without_port(&domain.settings.slots);
        if plan.steps.is_empty() {
            return false;
        }
        for step in &plan.steps {
            if let Err(problem) = self.run_step(ctx, world, setting, domain, *step) {
                if self.conditions.set_reason(ctx, &setting.uuid, &problem) {
                    ctx.record_problem(EventKind::Failed, &domain.name, &problem);
                }
                return false;
            }
        }
        self.conditions.clear_reason(&setting.uuid);
        let message = format!(
            "The definition of VM {}, which {} has, is ready for a start here: {}.",
            domain.name, setting.node, plan.why
        );
        ctx.record(EventKind::Repaired, &domain.name, message);
        true
    }

    /// Reverts [`VmReconciler::keep_ready`] of a VM whose setting was removed on another node. Whether anything was
    /// done.
    pub(super) fn end_ready(&mut self, ctx: &Context, world: &World, domain: &Domain) -> bool {
        if !domain.persistent || domain.state.holds_devices() || world.pool.is_empty() {
            return false;
        }
        let given = domain.vnics.iter().find(|vnic| vnic.has_given_alias());
        let Some(mac) = given.and_then(|vnic| vnic.mac) else {
            return false;
        };
        // A definition with a VF was changed by another program.
        let Ok(name) = domain.name.parse() else {
            return false;
        };
        if world.pair(&domain.vnics, mac).vf.is_some() {
            return false;
        }
        let setting = VmSetting {
            uuid: domain.uuid.clone(),
            name,
            node: world.node.clone(),
            performance: Performance::Low,
            mac,
            phase: Phase::Disabling,
            nic_added: false,
            nic_teamed: false,
            before: None,
            security: VfSecurityOfVm::default(),
            security_before: None,
        };
        let parted = self.run_step(ctx, world, &setting, domain, Step::PartNic);
        if parted.is_ok() {
            let message = format!(
                "Removed the failover feature from the definition of VM {}: its setting was removed.",
                domain.name
            );
            ctx.record(EventKind::Repaired, &domain.name, message);
        }
        parted.is_ok()
    }
}
