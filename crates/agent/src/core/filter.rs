//! The addresses that accelnet adds to the filters of adapters (`bridge fdb show dev PF self`).
//!
//! An adapter forwards a frame of a VF to its PF only when the PF's filter has the destination. All
//! such entries are added and removed here, as [`accelnet_rules::filter`] decides; other modules say which
//! VMs are in failover bridging. What a bridge learns comes as events, and changes filters alone.

mod fill;
mod learning;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use accelnet_model::{Code, Mac, Problem};
use accelnet_netlink::{FdbEntry, FdbEvent, FdbKind, FdbWatch, WatchedFdb};
use accelnet_rules::filter::{self, Facts, Owner};
use accelnet_rules::vf_path::Path;

use super::paths::Watched;
use super::{Core, Seen};
use crate::filter_ledger::{Entry, Ledger};
use crate::policy::Policy;
use scene::Scene;

/// Events of a bridge are gathered for so long.
const GATHER: Duration = Duration::from_millis(100);
/// The least time between two changes that events ask for.
const REST: Duration = Duration::from_secs(1);
/// Most learned addresses that are kept in mind.
const MOST_LEARNED: usize = 4096;
/// Most addresses that a message names.
const MOST_NAMED: usize = 8;

/// What the adapters' filters have from accelnet, and what they need.
#[derive(Debug)]
pub(crate) struct Filter {
    ledger: Ledger,
    /// MACs in failover bridging: the bridge receives their frames although a VF has the MAC.
    bridged: BTreeSet<Mac>,
    /// MACs of accelerated VMs that do not run.
    stopped: BTreeSet<Mac>,
    /// The node as the last pass saw it.
    scene: Scene,
    /// The port behind which a bridge learned each MAC and VLAN. An address that has aged stays, as its
    /// owner does, until it turns up elsewhere or its port is gone.
    learned: BTreeMap<(Mac, u16), u32>,
    /// Ports of vNICs from which the bridge is to learn nothing for now.
    learning_off: BTreeSet<u32>,
    /// Entries of filters that somebody else made.
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

/// An address that VMs on VFs of an adapter do not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unreached {
    adapter: String,
    owner: Owner,
    mac: Mac,
    /// The kernel's words.
    words: String,
}

impl Filter {
    /// With the entries of the agent before, as `file` remembers them.
    pub fn new(file: PathBuf) -> Self {
        Filter {
            ledger: Ledger::open(file),
            bridged: BTreeSet::new(),
            stopped: BTreeSet::new(),
            scene: Scene::default(),
            learned: BTreeMap::new(),
            learning_off: BTreeSet::new(),
            others: BTreeSet::new(),
            unreached: Vec::new(),
            watched: None,
            watch: FdbWatch::default(),
            lost: false,
            due: None,
            applied: Duration::ZERO,
        }
    }

    /// The entries that were made.
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Takes in a list of all entries.
    fn observe(&mut self, entries: &[FdbEntry]) {
        let filters = entries.iter().filter(|one| one.kind == FdbKind::Filter);
        let there: BTreeSet<Entry> = filters.map(|one| (one.link, one.mac)).collect();
        let ours = self.ledger.all();
        self.ledger
            .forget(&ours.difference(&there).copied().collect());
        self.others = there.difference(&ours).copied().collect();
        let learned = entries.iter().filter(|one| self.scene.is_learned(one));
        let learned: Vec<&FdbEntry> = learned.collect();
        let here = &self.scene.ports;
        self.learned.retain(|_, port| here.contains_key(port));
        for entry in learned {
            self.place(entry);
        }
    }

    /// The bridge learned an address. Whether a filter has to change.
    fn place(&mut self, entry: &FdbEntry) -> bool {
        let key = (entry.mac, entry.vlan);
        if self.scene.is_outside(entry.link) {
            return self.learned.remove(&key).is_some();
        }
        let full = self.learned.len() >= MOST_LEARNED && !self.learned.contains_key(&key);
        !full && self.learned.insert(key, entry.link) != Some(entry.link)
    }

    /// Has the kernel report what matters now.
    fn listen(&mut self) {
        let mut watch = self.scene.watch();
        watch.macs = self.learned.keys().map(|(mac, _)| *mac).collect();
        watch.macs.dedup();
        if let Some(watched) = self.watched.as_ref().filter(|_| watch != self.watch) {
            // Without events the next pass finds what changed.
            drop(watched.set(&watch));
            self.watch = watch;
        }
    }

    fn facts(&self, adapter: Option<Mac>, vfs: usize, vf_macs: &BTreeSet<Mac>) -> Facts {
        let learned = self.learned.iter().map(|((mac, _), port)| {
            let name = self.scene.ports.get(port).cloned();
            (*mac, name.unwrap_or_else(|| format!("link {port}")))
        });
        let vms = self.scene.vms.iter();
        Facts {
            adapter,
            vfs,
            vf_macs: vf_macs.clone(),
            bridged: self.bridged.clone(),
            stopped: self.stopped.clone(),
            node: self.scene.node.clone(),
            vms: vms.map(|(mac, vm)| (*mac, vm.name.clone())).collect(),
            learned: learned.collect(),
        }
    }
}

impl Core {
    /// Failover bridging of `mac`, too.
    pub(crate) fn bridge_also(&mut self, policy: &Policy, mac: Mac) {
        let mut macs = self.filter.bridged.clone();
        macs.insert(mac);
        self.bridge(policy, macs, self.filter.stopped.clone());
    }

    /// Failover bridging of exactly `macs` from now on: the adapters of the managed intent pass their frames
    /// to the bridge, too. An adapter that refuses passes them to the VF alone; that is a fault. The same of
    /// `stopped`, accelerated VMs that do not run, where there is room.
    pub(crate) fn bridge(&mut self, policy: &Policy, macs: BTreeSet<Mac>, stopped: BTreeSet<Mac>) {
        if (&self.filter.bridged, &self.filter.stopped) == (&macs, &stopped) {
            return;
        }
        (self.filter.bridged, self.filter.stopped) = (macs, stopped);
        if let Ok(links) = self.edge.host().links.links() {
            let bound = self.bound_to_managed(policy);
            self.filter.scene.find_uplinks(&links, &bound);
        }
        self.apply_filter();
    }

    /// Has the bridges forget where `mac` is: they send its frames everywhere until it sends again, and report
    /// it when that is behind a port. What a guest sends over its VF they hear by their uplinks.
    pub(crate) fn unlearn(&self, mac: Mac) {
        let links = self.edge.host().links;
        let learned = self.filter.learned.iter();
        let learned = learned.filter(|((one, _), _)| *one == mac);
        let behind = learned.map(|((_, vlan), port)| (*port, *vlan));
        let uplinks = self.filter.scene.uplinks.iter();
        for (port, vlan) in behind.chain(uplinks.map(|one| (one.port.index, 0))) {
            // It may not be there, or have aged.
            drop(links.unlearn(port, mac, vlan));
        }
    }

    /// Brings the filters to what was seen.
    pub(crate) fn settle_filter(&mut self, policy: &Policy, seen: &Seen) {
        let bound = self.bound_to_managed(policy);
        let switch = self.switch(policy, seen);
        let Ok(links) = self.edge.host().links.links() else {
            return;
        };
        self.filter.scene.find_uplinks(&links, &bound);
        // What is learned from now on is reported, and the rest is listed.
        self.filter.listen();
        let Ok(entries) = self.edge.host().links.fdb() else {
            return;
        };
        let domains = seen.node.domains.known().map(Vec::as_slice);
        let scene = &mut self.filter.scene;
        scene.find_addresses(&links, &entries, switch.as_ref(), domains);
        self.filter.lost = false;
        self.filter.observe(&entries);
        self.apply_filter();
        self.unlearn_stale(policy, &entries);
        self.settle_learning();
    }

    /// Changes of what bridges learn come from now on, as far as `watched` says so.
    pub(crate) fn hears_of_addresses(&mut self, watched: WatchedFdb) {
        self.filter.watched = Some(watched);
        self.filter.watch = FdbWatch::default();
        self.heard_of_address(FdbEvent::Lost);
    }

    /// Takes in what a bridge learned; filters change when [`Core::next_filter`] says.
    pub fn heard_of_address(&mut self, event: FdbEvent) {
        let changed = match event {
            FdbEvent::Here(entry) => {
                if entry.kind == FdbKind::Learned && !self.filter.scene.is_outside(entry.link) {
                    self.heard_of_sender(entry.mac);
                }
                self.filter.scene.is_learned(&entry) && self.filter.place(&entry)
            }
            // It has aged, and is still there.
            FdbEvent::Gone(_) => false,
            FdbEvent::Lost => {
                self.filter.lost = true;
                true
            }
        };
        if changed {
            let now = self.edge.host().clock.uptime();
            let at = (now + GATHER).max(self.filter.applied + REST);
            self.filter.due.get_or_insert(at);
        }
    }

    /// A VM does not run here any more: whoever sends to it now is to reach it elsewhere.
    pub(crate) fn vm_has_left(&mut self, uuid: &str) {
        let before = self.filter.scene.vms.len();
        self.filter.scene.vms.retain(|_, vm| vm.uuid != uuid);
        if self.filter.scene.vms.len() != before {
            self.apply_filter();
        }
    }

    /// A VM runs on, perhaps after it moved here: until then its frames came over the wire, and the bridge
    /// learned it at the uplink.
    pub fn vm_goes_on(&self, uuid: &str) {
        let on_vf = |watched: &Watched| watched.verdict.path == Path::Vf;
        if self.path_of(uuid).is_some_and(on_vf) {
            return;
        }
        let vms = self.filter.scene.vms.iter();
        let macs = vms.filter(|(_, vm)| vm.uuid == uuid).map(|(mac, _)| *mac);
        macs.for_each(|mac| self.unlearn(mac));
    }

    /// When the filters are to change for what bridges learned.
    pub fn next_filter(&self) -> Option<Duration> {
        self.filter.due
    }

    /// Whose entries in filters are missing, beside that of `but`: each adapter, with what is to be said of
    /// it.
    pub(crate) fn filter_problems(&self, but: Option<Mac>) -> Vec<(String, Problem)> {
        let mut adapters: BTreeMap<&str, Vec<&Unreached>> = BTreeMap::new();
        for one in self
            .filter
            .unreached
            .iter()
            .filter(|one| Some(one.mac) != but)
        {
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

    /// Brings the filters to what they need, as far as it is known.
    pub fn apply_filter(&mut self) {
        self.filter.due = None;
        self.filter.applied = self.edge.host().clock.uptime();
        let links = self.edge.host().links;
        if std::mem::take(&mut self.filter.lost) {
            self.filter.listen();
            match links.fdb() {
                Ok(entries) => self.filter.observe(&entries),
                Err(_) => self.filter.lost = true,
            }
        }
        let mut vfs = BTreeMap::new();
        for adapter in &self.filter.scene.adapters {
            // What a VF has is not to be taken from it because that could not be read.
            let Ok(settings) = links.vf_settings(adapter) else {
                return;
            };
            vfs.insert(adapter.index, settings);
        }
        let macs = vfs.values().flatten().map(|vf| vf.mac).collect();
        let gone = self.reflex.gone();
        let mut unreached = Vec::new();
        let uplinks = self.filter.scene.uplinks.clone();
        for uplink in &uplinks {
            let own = uplink.adapters.iter().filter_map(|link| vfs.get(link));
            let own = own.map(Vec::len).sum();
            let mut facts = self.filter.facts(uplink.port.mac, own, &macs);
            facts.bridged.retain(|mac| !gone.contains(mac));
            facts.vms.retain(|mac, _| !gone.contains(mac));
            facts.stopped.retain(|mac| !gone.contains(mac));
            let wanted = filter::wanted(&facts);
            unreached.extend(self.filter.fill(links, uplink, &wanted));
        }
        unreached.retain(|one| one.owner != Owner::Stopped);
        self.filter.unreached = unreached;
        let is_uplink = |link: u32| uplinks.iter().any(|uplink| uplink.port.index == link);
        let stale = self.filter.ledger.all();
        let stale = stale.into_iter().filter(|(link, _)| !is_uplink(*link));
        self.filter.remove(links, stale.collect());
        self.filter.listen();
    }

    pub(super) fn bound_to_managed(
        &self,
        policy: &Policy,
    ) -> Vec<accelnet_model::intent::BoundAdapter> {
        let intent = policy.managed_intent();
        let bound = intent.and_then(|intent| self.policies.bound(&intent.name).ok().flatten());
        bound.unwrap_or_default()
    }
}
