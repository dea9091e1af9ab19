//! VMs that move between nodes: taken over where they turn up, and left ready where they are not.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_api::types::EventKind;
use accelnet_model::domain::DomainState;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Uuid, VmSetting};
use accelnet_rules::pair::{self, Pair};

use super::{Core, Seen};
use crate::policy::{Change, Policy};
use crate::reflex::HeldVf;
use crate::view::find_vf;

impl Core {
    /// Takes over the VMs that run here and have their setting from another node: they were
    /// migrated, or started here because that node died. Whether any was.
    pub(crate) fn take_over(&mut self, policy: &Policy, seen: &Seen) -> bool {
        if seen.node.domains.known().is_none() {
            return false;
        }
        let runs = |uuid: &str| {
            let domain = seen.domain(uuid);
            domain.is_some_and(|one| one.state == DomainState::Running)
        };
        let mut own: BTreeSet<Uuid> = BTreeSet::new();
        let mut taken = false;
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| runs(&vm.uuid)) {
            // One that was ours and still runs is on its way to whoever has taken it over, or runs
            // twice: then the two nodes must not take it from each other for ever.
            let leaving = setting.node != self.name && self.own.contains(&setting.uuid);
            if setting.node == self.name || leaving {
                own.insert(setting.uuid.clone());
                continue;
            }
            let Ok(node) = self.name.parse() else {
                continue;
            };
            let here = VmSetting {
                node,
                ..setting.clone()
            };
            if self.put(policy, Change::Vm(here)) {
                own.insert(setting.uuid.clone());
                taken = true;
                let message = format!(
                    "VM {} came from {} and runs here now, with its setting {}.",
                    setting.name, setting.node, setting.performance
                );
                self.tell(EventKind::Noticed, &setting.name, message);
            }
        }
        self.own = own;
        taken
    }

    /// Whether a VM runs here although another node has taken it over.
    pub(crate) fn runs_twice(&self, setting: &VmSetting, domain: &Domain) -> bool {
        setting.node != self.name
            && domain.state == DomainState::Running
            && self.own.contains(&setting.uuid)
    }

    /// Makes the definition of a VM ready that has its setting from another node: its vNIC has the
    /// failover feature, so that it gets a VF when it is started here; but the definition asks for
    /// none, since libvirt does not start a VM at all when the pool has no VF left, and none is
    /// promised to it here. Whether anything was done.
    pub(crate) fn keep_ready(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let managed = policy.management.enabled && setting.phase == Phase::Enabled;
        if !managed || !domain.persistent || domain.state.holds_devices() {
            return false;
        }
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pool = pool.unwrap_or_default();
        let plan = pair::ready(Pair::of(&domain.vnics, setting.mac, &pool))
            .without_port(&domain.settings.slots);
        if plan.steps.is_empty() {
            return false;
        }
        for step in &plan.steps {
            if let Err(problem) = self.only(policy, setting, domain, *step) {
                let news = self.reason_of(&setting.uuid).is_none();
                self.blame(&setting.uuid, &problem);
                if news {
                    self.tell_problem(EventKind::Failed, &domain.name, &problem);
                }
                return false;
            }
        }
        self.forgive(&setting.uuid);
        let message = format!(
            "The definition of VM {}, which {} has, is ready for a start here: {}.",
            domain.name, setting.node, plan.why
        );
        self.tell(EventKind::Repaired, &domain.name, message);
        true
    }

    /// Reverts [`Core::keep_ready`] in the definition of a VM whose setting was removed on another node.
    /// Whether anything was done.
    pub(crate) fn end_ready(&mut self, policy: &Policy, domain: &Domain) -> bool {
        if !domain.persistent || domain.state.holds_devices() || policy.managed_intent().is_none() {
            return false;
        }
        let given = domain.vnics.iter().find(|vnic| vnic.has_given_alias());
        let Some(mac) = given.and_then(|vnic| vnic.mac) else {
            return false;
        };
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        // A definition with a VF was changed by somebody else.
        if Pair::of(&domain.vnics, mac, &pool.unwrap_or_default())
            .vf
            .is_some()
        {
            return false;
        }
        let (Ok(name), Ok(node)) = (domain.name.parse(), self.name.parse()) else {
            return false;
        };
        let setting = VmSetting {
            uuid: domain.uuid.clone(),
            name,
            node,
            performance: accelnet_model::Performance::Low,
            mac,
            phase: Phase::Disabling,
            nic_added: false,
            nic_teamed: false,
            before: None,
            security: accelnet_model::VfSecurityOfVm::default(),
            security_before: None,
        };
        if self
            .only(policy, &setting, domain, pair::Step::PartNic)
            .is_err()
        {
            return false;
        }
        let message = format!(
            "Removed the failover feature from the definition of VM {}: its setting was removed.",
            domain.name
        );
        self.tell(EventKind::Repaired, &domain.name, message);
        true
    }

    /// Tells the reflex which VM has which VF.
    pub(crate) fn learn_held(&self, policy: &Policy, seen: &Seen) {
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pool = pool.unwrap_or_default();
        let mut held = BTreeMap::new();
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == self.name) {
            let domain = seen.domain(&setting.uuid);
            let running = domain.filter(|one| one.state == DomainState::Running);
            let Some(domain) = running else { continue };
            let vf = Pair::of(&domain.vnics, setting.mac, &pool).vf;
            let Some((adapter, vf)) = vf.and_then(|vf| find_vf(seen, vf)) else {
                continue;
            };
            let Some(interface) = adapter.interfaces.first() else {
                continue;
            };
            let vf = HeldVf {
                vm: domain.name.clone(),
                link: interface.link.index,
                adapter: adapter.name(),
                index: vf.index,
                mac: setting.mac,
            };
            held.insert(setting.uuid.to_string(), vf);
        }
        let settings = policy.vms.iter().map(|(vm, _)| vm);
        let names = settings.map(|vm| (vm.uuid.to_string(), vm.name.to_string()));
        self.reflex.learn(held, names.collect());
    }
}
