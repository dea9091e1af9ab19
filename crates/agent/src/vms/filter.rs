//! The addresses that accelnet adds to the filters of adapters (`bridge fdb show dev PF self`).
//!
//! An adapter forwards a frame of a VF to its PF only when the PF's filter has the destination. All
//! such entries are added and removed here, as [`accelnet_rules::filter`] decides; other modules say which
//! VMs are in failover bridging. What a bridge learns comes as events, and changes filters alone.

mod fill;
pub(crate) mod ports;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use accelnet_host::Links;
use accelnet_model::{Code, Mac, Problem};
use accelnet_netlink::{FdbEntry, FdbEvent, FdbKind, FdbWatch, WatchedFdb};
use accelnet_rules::filter::{self, Facts, Owner};
use accelnet_rules::vm::Switch;

use crate::context::Context;
use crate::filter_ledger::{Entry, Ledger};
use crate::world::World;
use fill::{Entries, Unreached};
use ports::Ports;

/// Events of a bridge are gathered for so long.
const GATHER: Duration = Duration::from_millis(100);
/// The least time between two changes that events ask for.
const REST: Duration = Duration::from_secs(1);
/// The most learned addresses that are kept.
const MOST_LEARNED: usize = 4096;
/// The most addresses that a message names.
const MOST_NAMED: usize = 8;

/// The entries of adapters' filters: what accelnet added, and what they require.
#[derive(Debug)]
pub(crate) struct Filter {
    ledger: Ledger,
    /// MACs in failover bridging: the bridge receives their frames although a VF has the MAC.
    pub bridged: BTreeSet<Mac>,
    /// MACs of accelerated VMs that do not run.
    pub stopped: BTreeSet<Mac>,
    /// As of the last reconcile.
    pub ports: Ports,
    /// The port behind which a bridge learned each MAC and VLAN. An address that has aged stays, as its
    /// owner does, until it turns up elsewhere or its port is gone.
    learned: BTreeMap<(Mac, u16), u32>,
    /// Entries that others added.
    others: BTreeSet<Entry>,
    /// Addresses that a filter should have and has not.
    unreached: Vec<Unreached>,
    watched: Option<WatchedFdb>,
    /// What is watched.
    watch: FdbWatch,
    /// Whether events were lost since the entries were listed.
    lost: bool,
    /// When events that came are acted on.
    due: Option<Duration>,
    applied: Duration,
}

impl Filter {
    /// Filters whose entries are recorded in `ledger`.
    pub fn new(ledger: Ledger) -> Self {
        Filter {
            ledger,
            bridged: BTreeSet::new(),
            stopped: BTreeSet::new(),
            ports: Ports::default(),
            learned: BTreeMap::new(),
            others: BTreeSet::new(),
            unreached: Vec::new(),
            watched: None,
            watch: FdbWatch::default(),
            lost: false,
            due: None,
            applied: Duration::ZERO,
        }
    }

    /// Takes in a list of all entries.
    fn observe(&mut self, entries: &[FdbEntry]) {
        let filters = entries.iter().filter(|one| one.kind == FdbKind::Filter);
        let there: BTreeSet<Entry> = filters.map(|one| (one.link, one.mac)).collect();
        let ours = self.ledger.all();
        self.ledger
            .forget(&ours.difference(&there).copied().collect());
        self.others = there.difference(&ours).copied().collect();
        let learned = entries.iter().filter(|one| self.ports.is_learned(one));
        let learned: Vec<&FdbEntry> = learned.collect();
        let here = &self.ports.ports;
        self.learned.retain(|_, port| here.contains_key(port));
        for entry in learned {
            self.place(entry);
        }
    }

    /// The bridge learned an address. Whether a filter has to change.
    fn place(&mut self, entry: &FdbEntry) -> bool {
        let key = (entry.mac, entry.vlan);
        if self.ports.is_outside(entry.link) {
            return self.learned.remove(&key).is_some();
        }
        let full = self.learned.len() >= MOST_LEARNED && !self.learned.contains_key(&key);
        !full && self.learned.insert(key, entry.link) != Some(entry.link)
    }

    /// Makes the kernel report what matters now.
    fn watch(&mut self) {
        let mut watch = self.ports.watch();
        watch.macs = self.learned.keys().map(|(mac, _)| *mac).collect();
        watch.macs.dedup();
        if let Some(watched) = self.watched.as_ref().filter(|_| watch != self.watch) {
            // Without events the next reconcile finds what changed.
            drop(watched.set(&watch));
            self.watch = watch;
        }
    }

    fn facts(&self, adapter: Option<Mac>, vfs: usize, vf_macs: &BTreeSet<Mac>) -> Facts {
        let learned = self.learned.iter().map(|((mac, _), port)| {
            let name = self.ports.ports.get(port).cloned();
            (*mac, name.unwrap_or_else(|| format!("link {port}")))
        });
        let vms = self.ports.vms.iter();
        Facts {
            adapter,
            vfs,
            vf_macs: vf_macs.clone(),
            bridged: self.bridged.clone(),
            stopped: self.stopped.clone(),
            node: self.ports.node.clone(),
            vms: vms.map(|(mac, vm)| (*mac, vm.name.clone())).collect(),
            learned: learned.collect(),
        }
    }
}

impl Filter {
    /// Finds the adapters of the managed intent and their uplinks.
    pub fn find_uplinks(&mut self, ctx: &Context, world: &World) {
        if let Ok(links) = ctx.edge.host().links.links() {
            self.ports.find_uplinks(&links, world.managed_bound());
        }
    }

    /// Brings the filters to what is observed; the entries of all filters and bridges, if they could be read.
    pub fn reconcile(
        &mut self,
        ctx: &Context,
        world: &World,
        switch: Option<&Switch>,
    ) -> Option<Vec<FdbEntry>> {
        let host = ctx.edge.host();
        let links = host.links.links().ok()?;
        self.ports.find_uplinks(&links, world.managed_bound());
        // What is learned from now on is reported, and the rest is listed.
        self.watch();
        let entries = host.links.fdb().ok()?;
        let domains = world.snapshot.node.domains.known().map(Vec::as_slice);
        self.ports.find_addresses(&links, &entries, switch, domains);
        self.lost = false;
        self.observe(&entries);
        self.apply(ctx);
        Some(entries)
    }

    /// Receives changes of what bridges learn from `watched`.
    pub fn watch_with(&mut self, ctx: &Context, watched: WatchedFdb) {
        self.watched = Some(watched);
        self.watch = FdbWatch::default();
        self.event(ctx, &FdbEvent::Lost);
    }

    /// A bridge learned an address, or forgot one; filters change when [`Filter::due`] says.
    pub fn event(&mut self, ctx: &Context, event: &FdbEvent) {
        let changed = match event {
            FdbEvent::Here(entry) => self.ports.is_learned(entry) && self.place(entry),
            // It has aged, and its owner is still there.
            FdbEvent::Gone(_) => false,
            FdbEvent::Lost => {
                self.lost = true;
                true
            }
        };
        if changed {
            let at = (ctx.uptime() + GATHER).max(self.applied + REST);
            self.due.get_or_insert(at);
        }
    }

    /// The sender that an event shows behind a port of a bridge.
    pub fn sender(&self, event: &FdbEvent) -> Option<Mac> {
        match event {
            FdbEvent::Here(entry)
                if entry.kind == FdbKind::Learned && !self.ports.is_outside(entry.link) =>
            {
                Some(entry.mac)
            }
            _ => None,
        }
    }

    /// Makes the bridges forget where `mac` is: they send its frames everywhere until it sends again, and report it
    /// when that is behind a port. What a guest sends over its VF arrives at the uplinks.
    pub fn unlearn(&self, links: &dyn Links, mac: Mac) {
        let learned = self.learned.iter().filter(|((one, _), _)| *one == mac);
        let behind = learned.map(|((_, vlan), port)| (*port, *vlan));
        let uplinks = self.ports.uplinks.iter();
        for (port, vlan) in behind.chain(uplinks.map(|one| (one.port.index, 0))) {
            // It may not be there, or have aged.
            drop(links.unlearn(port, mac, vlan));
        }
    }

    /// A VM does not run here any more: it is reached elsewhere.
    pub fn vm_left(&mut self, ctx: &Context, uuid: &str) {
        let before = self.ports.vms.len();
        self.ports.vms.retain(|_, vm| vm.uuid != uuid);
        if self.ports.vms.len() != before {
            self.apply(ctx);
        }
    }

    /// When the filters are to change for what bridges learned.
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Adapters whose filters lack entries, other than that of `but`, each with its problem.
    pub fn problems(&self, but: Option<Mac>) -> Vec<(String, Problem)> {
        let mut adapters: BTreeMap<&str, Vec<&Unreached>> = BTreeMap::new();
        for one in self.unreached.iter().filter(|one| Some(one.mac) != but) {
            adapters.entry(&one.adapter).or_default().push(one);
        }
        let problem = |(adapter, all): (&str, Vec<&Unreached>)| {
            let named = all.iter().take(MOST_NAMED);
            let mut names: Vec<String> = named
                .map(|one| format!("{} ({})", one.owner, one.mac))
                .collect();
            if all.len() > MOST_NAMED {
                names.push(format!("{} more", all.len() - MOST_NAMED));
            }
            let words = all.first().map_or("", |one| one.words.as_str());
            let found = format!("No entry for {}: {words}.", names.join(", "));
            let problem = Problem::new(Code::FilterIncomplete, &[adapter], found);
            (adapter.to_owned(), problem)
        };
        adapters.into_iter().map(problem).collect()
    }

    /// Brings the filters to what they require, as far as it is known.
    pub fn apply(&mut self, ctx: &Context) {
        self.due = None;
        self.applied = ctx.uptime();
        let links = ctx.edge.host().links;
        if std::mem::take(&mut self.lost) {
            self.watch();
            match links.fdb() {
                Ok(entries) => self.observe(&entries),
                Err(_) => self.lost = true,
            }
        }
        let mut vfs = BTreeMap::new();
        for adapter in &self.ports.adapters {
            // Nothing is removed because a VF's MAC could not be read.
            let Ok(settings) = links.vf_settings(adapter) else {
                return;
            };
            vfs.insert(adapter.index, settings);
        }
        let macs = vfs.values().flatten().map(|vf| vf.mac).collect();
        let gone = ctx.responder.gone();
        let mut unreached = Vec::new();
        let uplinks = self.ports.uplinks.clone();
        for uplink in &uplinks {
            let own = uplink.adapters.iter().filter_map(|link| vfs.get(link));
            let own = own.map(Vec::len).sum();
            let mut facts = self.facts(uplink.port.mac, own, &macs);
            facts.bridged.retain(|mac| !gone.contains(mac));
            facts.vms.retain(|mac, _| !gone.contains(mac));
            facts.stopped.retain(|mac| !gone.contains(mac));
            let mut entries = Entries {
                links,
                ledger: &self.ledger,
                others: &mut self.others,
                vms_are_known: self.ports.vms_are_known,
            };
            unreached.extend(entries.fill(uplink, &filter::wanted(&facts)));
        }
        unreached.retain(|one| one.owner != Owner::Stopped);
        self.unreached = unreached;
        let is_uplink = |link: u32| uplinks.iter().any(|uplink| uplink.port.index == link);
        let mut stale = self.ledger.all();
        stale.retain(|(link, _)| !is_uplink(*link));
        fill::remove(links, &self.ledger, stale);
        self.watch();
    }
}
