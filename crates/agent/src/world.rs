//! What plans are based on, gathered before anything is planned: the policy, the node as it was observed, and the
//! adapters of intents.

use std::sync::Arc;

use accelnet_model::domain::Vnic;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Domain, Intent, Mac, NodeName, Problem, Vf, VfSecurity, VmSetting};
use accelnet_rules::pair::Pair;
use accelnet_rules::vm::Switch;

use crate::context::Context;
use crate::intents::statuses::Statuses;
use crate::observed::{Bindings, Snapshot, observer};
use crate::policy::{Change, Policy};

/// Policy, snapshot and bindings.
pub(crate) struct World {
    /// This node.
    pub node: NodeName,
    pub policy: Policy,
    pub snapshot: Arc<Snapshot>,
    pub bindings: Bindings,
    /// The libvirt network that the VFs of the managed intent come from; empty without one.
    pub pool: String,
    /// The bridge of the managed intent.
    pub bridge: Option<String>,
}

impl World {
    /// Gathers the world of a policy that was read.
    pub fn of(
        ctx: &Context,
        statuses: &Statuses,
        policy: Policy,
        snapshot: Arc<Snapshot>,
    ) -> Result<Self, Problem> {
        let mut world = World {
            node: ctx.node.clone(),
            policy,
            snapshot,
            bindings: Bindings::read(&ctx.policies)?,
            pool: String::new(),
            bridge: None,
        };
        world.update(statuses);
        Ok(world)
    }

    /// Reads the policy again.
    pub fn read_policy(&mut self, ctx: &Context, statuses: &Statuses) -> Result<(), Problem> {
        self.policy = ctx.policies.read()?;
        self.update(statuses);
        Ok(())
    }

    /// Intents were applied, or the policy was read.
    pub fn update(&mut self, statuses: &Statuses) {
        let intent = self.policy.managed_intent();
        self.pool = intent.map_or_else(String::new, Intent::pool_network);
        self.bridge = statuses.managed_bridge(&self.policy).map(str::to_owned);
    }

    /// The same with another snapshot.
    pub fn with(&self, snapshot: Arc<Snapshot>) -> Self {
        World {
            node: self.node.clone(),
            policy: self.policy.clone(),
            snapshot,
            bindings: self.bindings.clone(),
            pool: self.pool.clone(),
            bridge: self.bridge.clone(),
        }
    }

    /// Changes the policy; whether it did. What changed meanwhile is read by the next reconcile.
    pub fn change(&self, ctx: &Context, change: Change) -> bool {
        let changed = ctx.policies.change(&self.policy, &[change], false);
        changed.unwrap_or(false)
    }

    /// The node after a change of these VMs.
    pub fn after_change_of(&self, ctx: &Context, vms: &[String]) -> Arc<Snapshot> {
        match self.policy.managed_intent() {
            Some(_) => {
                observer::changed(ctx, &self.snapshot, self.managed_bound(), &self.pool, vms)
            }
            None => observer::all(ctx),
        }
    }

    /// The intent that VMs get their VFs from, while Accelerated Networking is enabled.
    pub fn enabled_intent(&self) -> Option<&Intent> {
        let intent = self.policy.managed_intent();
        intent.filter(|_| self.policy.management.enabled)
    }

    /// The recorded adapters of the managed intent.
    pub fn managed_bound(&self) -> &[BoundAdapter] {
        let intent = self.policy.managed_intent();
        intent.map_or(&[], |intent| self.bindings.of(&intent.name))
    }

    /// The adapters of the managed intent, in its order.
    pub fn managed_adapters(&self) -> Vec<&Adapter> {
        let bound = self.managed_bound().iter();
        bound
            .filter_map(|bound| self.snapshot.adapter(bound))
            .collect()
    }

    /// The settings of all VMs.
    pub fn settings(&self) -> impl Iterator<Item = &VmSetting> {
        self.policy.vms.iter().map(|(vm, _)| vm)
    }

    /// The settings of this node's VMs.
    pub fn own_settings(&self) -> impl Iterator<Item = &VmSetting> {
        self.settings().filter(|vm| vm.node == self.node)
    }

    /// The pair of the VM with `mac` among its `vnics`.
    pub fn pair<'a>(&self, vnics: &'a [Vnic], mac: Mac) -> Pair<'a> {
        Pair::of(vnics, mac, &self.pool)
    }

    /// The VF that a VM's vNIC with `mac` is paired with, and its adapter.
    pub fn vf_of(&self, domain: &Domain, mac: Mac) -> Option<(&Adapter, &Vf)> {
        let vf = self.pair(&domain.vnics, mac).vf?;
        self.snapshot.vf(vf.host_device?)
    }

    /// Trust and spoof check of a VM's VF.
    pub fn security(&self, setting: &VmSetting) -> VfSecurity {
        let intent = self.policy.managed_intent();
        let intent = intent.map_or(VfSecurity::default(), |intent| intent.security);
        setting.security.on(intent)
    }

    /// The virtual switch of the managed intent, by every name that a vNIC can have for it.
    pub fn switch(&self) -> Option<Switch> {
        let intent = self.policy.managed_intent()?;
        let bridge = self.bridge.clone()?;
        let mut networks = vec![intent.switch_network()];
        for (name, facts) in self.snapshot.network_facts() {
            let leads_there =
                facts.mode.as_deref() == Some("bridge") && facts.bridge.as_ref() == Some(&bridge);
            if leads_there && !networks.contains(name) {
                networks.push(name.clone());
            }
        }
        Some(Switch {
            intent: intent.name.to_string(),
            bridge,
            networks,
        })
    }
}
