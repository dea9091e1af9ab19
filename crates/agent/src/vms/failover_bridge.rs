//! Failover bridging: the software path of a VM receives, too, until its guest is observed to drive its VF.
//!
//! An adapter sends the frames for a VM to its VF as soon as the VF has the VM's MAC, long before the guest's driver
//! uses the VF and after the guest has released it. The MAC of each VM with a setting is therefore in the adapter's
//! filter, from before its start and without a time limit, except while its guest is observed to drive its VF. A guest
//! that receives a frame over both paths drops one (`net_failover_handle_frame` of Linux).

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_model::Mac;
use accelnet_model::switch::PortRules;
use accelnet_netlink::FdbEntry;
use accelnet_rules::vf_path::Path;
use accelnet_rules::vm::Switch;

use super::filter::Filter;
use super::learning::{self, Learning};
use super::paths::Paths;
use crate::context::Context;
use crate::filter_ledger::Ledger;
use crate::world::World;

/// How long a guest may take to leave a VF that was detached, or to use the link of one that its driver
/// uses; and how long an arriving VM is bridged before this node has taken it over.
const LINGERS: Duration = Duration::from_secs(15);

/// Filters of adapters, and what bridges learn.
pub(crate) struct FailoverBridge {
    pub filter: Filter,
    learning: Learning,
    /// MACs that are bridged until a time, whatever is observed of their VMs; [`Duration::MAX`] while a VM is changed.
    lingering: Vec<(Mac, Duration)>,
    /// MACs that were bridged because their guests were not observed to drive their VFs.
    unproved: BTreeSet<Mac>,
}

impl FailoverBridge {
    pub fn new(ledger: Ledger) -> Self {
        FailoverBridge {
            filter: Filter::new(ledger),
            learning: Learning::default(),
            lingering: Vec::new(),
            unproved: BTreeSet::new(),
        }
    }

    /// A change of the running VM with `mac` begins: it is bridged until [`FailoverBridge::change_ends`].
    pub fn change_begins(
        &mut self,
        ctx: &Context,
        world: &World,
        mac: Mac,
        paths: &Paths,
        rules: Option<&PortRules>,
    ) {
        self.linger(mac, Duration::MAX);
        let mut macs = self.filter.bridged.clone();
        macs.insert(mac);
        self.bridge(ctx, world, macs, self.filter.stopped.clone());
        self.reconcile_learning(ctx, paths, rules);
    }

    /// The host's part of a change is done; the rest is the guest's.
    pub fn change_ends(&mut self, ctx: &Context, mac: Mac) {
        self.bridge_for_a_while(ctx, mac);
    }

    /// The VM with `mac` is bridged for a while, whatever is observed of it.
    pub fn bridge_for_a_while(&mut self, ctx: &Context, mac: Mac) {
        self.linger(mac, ctx.uptime() + LINGERS);
    }

    fn linger(&mut self, mac: Mac, until: Duration) {
        self.lingering.retain(|(one, _)| *one != mac);
        self.lingering.push((mac, until));
    }

    /// Bridges the MACs that require it now, and no others.
    pub fn reconcile(&mut self, ctx: &Context, world: &World, paths: &Paths) {
        let now = ctx.uptime();
        for mac in ctx.responder.take_bridged() {
            self.bridge_for_a_while(ctx, mac);
        }
        self.lingering.retain(|(_, until)| *until > now);
        let (mut wanted, mut stopped) = (BTreeSet::new(), BTreeSet::new());
        let unproved = std::mem::take(&mut self.unproved);
        for setting in world.own_settings() {
            let mac = setting.mac;
            match paths.of(&setting.uuid).map(|one| one.verdict.bridge) {
                // Its driver uses the VF, and the link is up a moment later.
                Some(false) if unproved.contains(&mac) => self.bridge_for_a_while(ctx, mac),
                Some(false) => {}
                Some(true) => {
                    self.unproved.insert(mac);
                    wanted.insert(mac);
                }
                None => drop(stopped.insert(mac)),
            }
        }
        wanted.extend(self.lingering.iter().map(|(mac, _)| *mac));
        self.bridge(ctx, world, wanted, stopped);
    }

    /// Bridges exactly `macs` from now on: the adapters of the managed intent send their frames to the bridge, too.
    /// An adapter that refuses sends them to the VF alone; that is a fault. The same of `stopped`, accelerated VMs that
    /// do not run, where they fit.
    fn bridge(
        &mut self,
        ctx: &Context,
        world: &World,
        macs: BTreeSet<Mac>,
        stopped: BTreeSet<Mac>,
    ) {
        let filter = &mut self.filter;
        if (&filter.bridged, &filter.stopped) != (&macs, &stopped) {
            (filter.bridged, filter.stopped) = (macs, stopped);
            filter.find_uplinks(ctx, world);
            filter.apply(ctx);
        }
    }

    /// When a MAC no longer lingers.
    pub fn next_end(&self) -> Option<Duration> {
        self.lingering.iter().map(|(_, until)| *until).min()
    }

    /// The policy cannot be read: lingering MACs linger on.
    pub fn linger_on(&mut self, ctx: &Context) {
        let now = ctx.uptime();
        let over = self.lingering.iter_mut();
        let over = over.filter(|(_, until)| *until <= now);
        over.for_each(|(_, until)| *until = now + LINGERS);
    }

    /// Brings filters and bridges to what is observed.
    pub fn reconcile_filter(
        &mut self,
        ctx: &Context,
        world: &World,
        switch: Option<&Switch>,
        paths: &Paths,
        rules: Option<&PortRules>,
    ) {
        if let Some(entries) = self.filter.reconcile(ctx, world, switch) {
            self.unlearn_stale(ctx, world, paths, &entries);
            self.reconcile_learning(ctx, paths, rules);
        }
    }

    /// Sets what bridges learn of each accelerated VM that runs here.
    pub fn reconcile_learning(&mut self, ctx: &Context, paths: &Paths, rules: Option<&PortRules>) {
        let lingering = self.lingering.iter();
        let changing = lingering.filter(|(_, until)| *until == Duration::MAX);
        let changing = changing.map(|(mac, _)| *mac).collect();
        let plugged = learning::plugged(&self.filter, paths, rules, &changing);
        self.learning
            .reconcile(ctx.edge.host().links, &self.filter, &plugged);
    }

    /// Makes bridges forget where these MACs are.
    pub fn unlearn(&self, ctx: &Context, macs: Vec<Mac>) {
        let links = ctx.edge.host().links;
        macs.into_iter()
            .for_each(|mac| self.filter.unlearn(links, mac));
    }

    /// A VM runs again, perhaps after it migrated here: until then its frames came over the wire, and the bridge
    /// learned it at the uplink.
    pub fn vm_resumed(&self, ctx: &Context, uuid: &str, paths: &Paths) {
        if paths
            .of(uuid)
            .is_some_and(|one| one.verdict.path == Path::Vf)
        {
            return;
        }
        let vms = self.filter.ports.vms.iter();
        let macs = vms.filter(|(_, vm)| vm.uuid == uuid).map(|(mac, _)| *mac);
        self.unlearn(ctx, macs.collect());
    }

    /// Removes entries at the uplink of this node's VMs that do not send over a VF: such a VM is stopped, or has not
    /// sent over its vNIC yet.
    fn unlearn_stale(&self, ctx: &Context, world: &World, paths: &Paths, entries: &[FdbEntry]) {
        let ports = &self.filter.ports;
        let at_uplink = entries
            .iter()
            .filter(|one| ports.is_learned(one) && ports.is_outside(one.link));
        for entry in at_uplink {
            let own = world.own_settings().find(|one| one.mac == entry.mac);
            let path = own.map(|one| paths.of(&one.uuid).map(|one| one.verdict.path));
            if path.is_some_and(|path| path != Some(Path::Vf)) {
                // It may have aged.
                let links = ctx.edge.host().links;
                drop(links.unlearn(entry.link, entry.mac, entry.vlan));
            }
        }
    }
}
