//! Observes the node, whole or in part: what a change does not affect is taken from an earlier snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use accelnet_host::hypervisor::NoHypervisor;
use accelnet_host::vms::VirtualNetwork;
use accelnet_host::{Host, observe};
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Domain, Node, Observed, PciAddress};
use accelnet_rules::vm_names::Names;

use super::Snapshot;
use crate::context::Context;

/// Decides what is observed again.
pub(crate) struct Observer {
    /// The snapshot that was published last.
    pub newest: Arc<Snapshot>,
    /// No event is waiting for a reconcile. Only the engine, which receives the events, can say so.
    pub is_current: bool,
}

impl Observer {
    pub fn new(ctx: &Context) -> Self {
        Observer {
            newest: Arc::new(Snapshot::unobserved(&ctx.node, &ctx.now())),
            is_current: false,
        }
    }

    /// Observes what a change of the VMs called `names` is based on: them, and the adapters in `bound`. While an
    /// event waits for a reconcile, all VMs and libvirt's networks too; all VMs also without names, or when one
    /// of the names is that of no VM.
    pub fn vms(&self, ctx: &Context, bound: &[BoundAdapter], names: &[String]) -> Arc<Snapshot> {
        let before = &self.newest;
        let named = match self.is_current {
            true => uuids(names, before.node.domains.known()),
            false => None,
        };
        let Some(node) = again(ctx, &before.node, named.as_deref(), is_in(bound)) else {
            return all(ctx);
        };
        let networks = match self.is_current && before.networks.known().is_some() {
            true => before.networks.clone(),
            false => networks(ctx),
        };
        Arc::new(Snapshot::new(node, networks, before.observed_at))
    }

    /// Observes what a change of policy is based on: VMs, libvirt's networks and adapters. The machine and its
    /// software are those of the last reconcile.
    pub fn adapters(&self, ctx: &Context) -> Arc<Snapshot> {
        after(ctx, &self.newest)
    }

    /// Observes what an event of the VMs of `uuids` may have changed: them, libvirt's networks and adapters. All VMs
    /// where one of them is new.
    pub fn events_of(&self, ctx: &Context, uuids: &BTreeSet<String>) -> Arc<Snapshot> {
        let before = &self.newest;
        let known = uuids.iter().all(|uuid| before.domain(uuid).is_some());
        let uuids: Vec<String> = uuids.iter().cloned().collect();
        match again(ctx, &before.node, known.then_some(&uuids), |_| true) {
            Some(node) => Arc::new(Snapshot::new(node, networks(ctx), before.observed_at)),
            None => all(ctx),
        }
    }
}

/// Observes the whole node.
pub(crate) fn all(ctx: &Context) -> Arc<Snapshot> {
    let host = ctx.edge.host();
    let observed_at = host.clock.uptime();
    let (node, networks) = match ctx.libvirt_is_ready {
        true => (observe::node(&host), networks(ctx)),
        false => {
            let without_libvirt = Host {
                hypervisor: &NoHypervisor,
                ..host
            };
            let mut node = observe::node(&without_libvirt);
            node.domains =
                Observed::unknown("the agent has just started, and has not asked libvirt yet");
            let networks = Observed::unknown("libvirt is not asked before it has started");
            (node, networks)
        }
    };
    Arc::new(Snapshot::new(named(ctx, node), networks, observed_at))
}

/// Observes VMs, libvirt's networks and adapters after an action of this agent; all else is as `before`.
pub(crate) fn after(ctx: &Context, before: &Snapshot) -> Arc<Snapshot> {
    match again(ctx, &before.node, None, |_| true) {
        Some(node) => Arc::new(Snapshot::new(node, networks(ctx), before.observed_at)),
        None => all(ctx),
    }
}

/// Observes what a change of these VMs affects: them, the adapters in `bound`, and the libvirt network `pool`. All
/// else is as `before`.
pub(crate) fn changed(
    ctx: &Context,
    before: &Snapshot,
    bound: &[BoundAdapter],
    pool: &str,
    uuids: &[String],
) -> Arc<Snapshot> {
    match again(ctx, &before.node, Some(uuids), is_in(bound)) {
        Some(node) => {
            let networks = with_pool(ctx, &before.networks, pool);
            Arc::new(Snapshot::new(node, networks, before.observed_at))
        }
        None => all(ctx),
    }
}

/// VMs (all, or those with these UUIDs) and adapters, observed again; none where VMs are or were unknown, so that
/// more than them may have changed.
fn again(
    ctx: &Context,
    before: &Node,
    vms: Option<&[String]>,
    which: impl Fn(&Adapter) -> bool,
) -> Option<Node> {
    if !ctx.libvirt_is_ready {
        return None;
    }
    before.domains.known()?;
    let adapters = before.adapters.known().into_iter().flatten();
    let which = adapters.filter(|adapter| which(adapter));
    let addresses: Vec<PciAddress> = which.map(|adapter| adapter.address).collect();
    let node = observe::again(&ctx.edge.host(), before, vms, &addresses);
    node.domains.known().is_some().then_some(node)
}

fn is_in(bound: &[BoundAdapter]) -> impl Fn(&Adapter) -> bool + '_ {
    |adapter| bound.iter().any(|bound| bound.address == adapter.address)
}

fn networks(ctx: &Context) -> Observed<Vec<VirtualNetwork>> {
    Observed::from(ctx.edge.vms().networks())
}

/// The networks as they were, of which only `pool` is read.
fn with_pool(
    ctx: &Context,
    before: &Observed<Vec<VirtualNetwork>>,
    pool: &str,
) -> Observed<Vec<VirtualNetwork>> {
    let mut networks = before.clone();
    let Observed::Known(known) = &mut networks else {
        return self::networks(ctx);
    };
    let pool = known.iter_mut().find(|network| network.name == pool);
    match pool.map(|pool| (ctx.edge.vms().network_xml(&pool.name), pool)) {
        Some((Ok(xml), pool)) => pool.xml = xml,
        _ => return self::networks(ctx),
    }
    networks
}

/// A node has the name of its agent.
fn named(ctx: &Context, mut node: Node) -> Node {
    node.name = Observed::Known(ctx.node.to_string());
    node
}

/// The UUIDs of the VMs called `names`; none without a name, or when one of them is that of no VM.
fn uuids(names: &[String], domains: Option<&Vec<Domain>>) -> Option<Vec<String>> {
    let domains = domains.filter(|_| !names.is_empty())?;
    let all = Names::of(domains.iter().map(|vm| (&*vm.name, &*vm.uuid)));
    let mut places = BTreeSet::new();
    for name in names {
        let found = all.matching(name);
        if found.is_empty() {
            return None;
        }
        places.extend(found);
    }
    let vms = places.into_iter().filter_map(|place| domains.get(place));
    Some(vms.map(|vm| vm.uuid.to_string()).collect())
}

#[cfg(all(test, feature = "simulated"))]
mod tests;
