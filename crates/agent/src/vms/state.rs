//! The state that is kept of VMs, and the paths of their traffic.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use accelnet_model::domain::DomainState;
use accelnet_model::{Problem, Uuid};

use super::conditions::VmConditions;
use super::detached::DetachedVfs;
use super::failover_bridge::FailoverBridge;
use super::guest::Guests;
use super::paths::{Found, Paths};
use super::plan::Planner;
use super::unplugged::UnpluggedNics;
use super::vnics::Vnics;
use crate::context::Context;
use crate::responder::HeldVf;
use crate::world::World;

/// Reconciles VMs.
pub(crate) struct VmReconciler {
    /// VMs with a setting that this node had while they ran here.
    pub(super) own: BTreeSet<Uuid>,
    pub conditions: VmConditions,
    pub guests: Guests,
    pub paths: Paths,
    pub vnics: Vnics,
    pub detached: DetachedVfs,
    pub(super) unplugged: UnpluggedNics,
    pub bridge: FailoverBridge,
    /// Why VMs of a request that was interrupted are not as it requires.
    pub interrupted: BTreeMap<Uuid, Problem>,
}

impl VmReconciler {
    /// The state that an earlier agent left.
    pub fn new(ctx: &Context) -> Self {
        VmReconciler {
            own: BTreeSet::new(),
            conditions: VmConditions::default(),
            guests: Guests::default(),
            paths: Paths::default(),
            vnics: Vnics::default(),
            detached: DetachedVfs::read(ctx.edge.hook_configs()),
            unplugged: UnpluggedNics::default(),
            bridge: FailoverBridge::new(ctx.ledger.clone()),
            interrupted: BTreeMap::new(),
        }
    }

    /// What plans VMs in `world`.
    pub fn planner<'a>(&'a self, world: &'a World) -> Planner<'a> {
        Planner {
            world,
            vnics: &self.vnics,
            detached: &self.detached,
        }
    }

    /// Reads what vNICs lead through.
    pub fn read_vnics(&mut self, ctx: &Context, world: &World) {
        self.vnics = Vnics::read(ctx, world, world.bridge.as_deref());
    }

    /// Observes the paths of running VMs.
    pub fn observe_paths(&mut self, ctx: &Context, world: &World) {
        if !world.snapshot.has_domains() {
            return;
        }
        self.detached.reconcile(ctx, world);
        let found = self.paths.observe(ctx, world, &self.guests);
        for mac in found.linked {
            // Its guest uses the link in its own time.
            self.bridge.bridge_for_a_while(ctx, mac);
        }
        self.bridge.reconcile(ctx, world, &self.paths);
        self.bridge.unlearn(ctx, found.senders);
        let rules = self.vnics.port_rules();
        self.bridge.reconcile_learning(ctx, &self.paths, rules);
    }

    /// Checks the paths that are due; `world` gathers the world for failover bridging, if it changes. Whether a
    /// reconcile is required.
    pub fn check_paths(
        &mut self,
        ctx: &Context,
        world: impl FnOnce() -> Result<World, Problem>,
    ) -> bool {
        let now = ctx.uptime();
        let is_due = |due: Option<Duration>| due.is_some_and(|due| due <= now);
        let linked = is_due(self.detached.due());
        let ends = is_due(self.bridge.next_end());
        let Found {
            changed,
            bridging,
            senders,
            ..
        } = self.paths.check(ctx);
        if bridging || ends {
            match world() {
                Ok(world) => self.bridge.reconcile(ctx, &world, &self.paths),
                // The reconcile that a change requires reads it again.
                Err(_) => self.bridge.linger_on(ctx),
            }
        }
        self.bridge.unlearn(ctx, senders);
        let rules = self.vnics.port_rules();
        self.bridge.reconcile_learning(ctx, &self.paths, rules);
        changed || linked
    }

    /// Brings filters and bridges to what is observed.
    pub fn reconcile_filter(&mut self, ctx: &Context, world: &World) {
        let (switch, rules) = (world.switch(), self.vnics.port_rules());
        self.bridge
            .reconcile_filter(ctx, world, switch.as_ref(), &self.paths, rules);
    }

    /// Why the guest of a VM does not use its VF.
    pub fn not_used(&self, ctx: &Context, uuid: &str, name: &str) -> Problem {
        let why = || self.paths.why_not_used(ctx, uuid);
        self.detached.problem(uuid, name, why)
    }

    /// Tells the migration responder which VM has which VF.
    pub fn update_responder(&self, ctx: &Context, world: &World) {
        let held = world.own_settings().filter_map(|setting| {
            let domain = world.snapshot.domain(&setting.uuid)?;
            let (adapter, vf) = world.vf_of(domain, setting.mac)?;
            let interface = adapter.interfaces.first()?;
            let vf = HeldVf {
                vm: domain.name.clone(),
                link: interface.link.index,
                adapter: adapter.name(),
                index: vf.index,
                mac: setting.mac,
            };
            let running = domain.state == DomainState::Running;
            running.then(|| (setting.uuid.to_string(), vf))
        });
        let names = world
            .settings()
            .map(|vm| (vm.uuid.to_string(), vm.name.to_string()));
        ctx.responder.update(held.collect(), names.collect());
    }
}
