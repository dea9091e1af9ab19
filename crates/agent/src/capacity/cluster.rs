//! The state of the cluster as admission evaluates it: the policy, the reports of all nodes, and this node's own
//! snapshot, which is newer than its report.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use accelnet_api::types::AdapterUse;
use accelnet_model::capacity::Capacity;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Management, Performance, Problem, Uuid, VmSetting};
use accelnet_rules::admission::{self, Adapter, Cluster, Ledger, Node, place_of};
use accelnet_rules::vf_settings;
use accelnet_rules::what_if::{self, InUse};

use super::AdapterCapacity;
use crate::policy::Policy;
use crate::reports::Report;

/// The state of a cluster.
pub(crate) struct ClusterState {
    pub ledger: Ledger,
    pub(super) in_use: Vec<InUse>,
    /// VMs, by the place of their node.
    pub(super) vms: Vec<Vec<Reserved>>,
    /// The place of the node of each VM.
    pub(super) places: HashMap<Uuid, usize>,
    /// Places of nodes, by name.
    pub(super) nodes: HashMap<String, usize>,
    /// Nodes whose VMs were promised something or gave something up.
    pub(super) touched: BTreeSet<usize>,
}

/// A VM with a reserved VF.
#[derive(Debug, Clone)]
pub(super) struct Reserved {
    uuid: Uuid,
    name: String,
    /// The place of its adapter; none where no adapter of the node has capacity for it.
    adapter: Option<usize>,
    setting: Performance,
}

/// What this node sees of itself, which is newer than its report.
pub(crate) struct OwnAdapters<'a> {
    pub node: &'a str,
    pub adapters: &'a [AdapterCapacity<'a>],
}

/// What the cluster is made of.
pub(crate) struct Inputs<'a> {
    pub policy: &'a Policy,
    /// Reserve and figures, which may be other ones than the policy's.
    pub management: &'a Management,
    /// Every VM with a setting.
    pub settings: &'a [VmSetting],
    pub reports: &'a [Arc<Report>],
    /// Nodes that are down.
    pub down: &'a BTreeSet<String>,
    pub own: Option<OwnAdapters<'a>>,
}

impl<'a> Inputs<'a> {
    /// The nodes, by name. One that has VMs and never reported counts as one that is down: nothing is known
    /// of it.
    pub(super) fn members(&self) -> Vec<Member<'a>> {
        let own = self.own.as_ref().map(|own| own.node);
        let mut members: BTreeMap<&'a str, Member<'a>> = BTreeMap::new();
        for report in self.reports {
            let member = Member::new(&report.node, Some(report));
            members.insert(&report.node, member);
        }
        if let Some(own) = own {
            members.entry(own).or_insert(Member::new(own, None));
        }
        for vm in self.settings {
            let node = vm.node.as_str();
            let member = members.entry(node).or_insert(Member::new(node, None));
            member.vms.push(vm);
        }
        let mut members: Vec<Member<'a>> = members.into_values().collect();
        for member in &mut members {
            let is_own = own == Some(member.name);
            let is_down = member.report.is_none() || self.down.contains(member.name);
            member.down = !is_own && is_down;
        }
        members
    }

    pub(super) fn sizes(&self) -> [u64; 3] {
        admission::sizes_of(&self.management.performance)
    }

    /// What counts of a node.
    pub(super) fn count(&self, member: &Member<'_>) -> Counted {
        let (here, sizes) = (&member.vms, self.sizes());
        let (capacity, in_use) = match (&self.own, member.report) {
            (Some(own), _) if own.node == member.name => of_own(own, here, &sizes),
            (_, Some(report)) => of_report(self.policy, report, here),
            (_, None) => (NodeCapacity::default(), InUse::default()),
        };
        let (node, adapters) = capacity.with(member.name, member.down, here, &sizes);
        let vms = here.iter().zip(adapters).map(|(vm, adapter)| Reserved {
            uuid: vm.uuid.clone(),
            name: vm.name.to_string(),
            adapter,
            setting: vm.performance,
        });
        Counted {
            node,
            in_use,
            vms: vms.collect(),
        }
    }
}

/// A node, and what is known of it.
pub(super) struct Member<'a> {
    pub name: &'a str,
    pub report: Option<&'a Arc<Report>>,
    pub down: bool,
    /// VMs for which a VF is reserved there.
    pub vms: Vec<&'a VmSetting>,
}

impl<'a> Member<'a> {
    fn new(name: &'a str, report: Option<&'a Arc<Report>>) -> Self {
        Member {
            name,
            report,
            down: false,
            vms: Vec::new(),
        }
    }
}

/// What of a node goes into the cluster's sums.
pub(super) struct Counted {
    node: Node,
    in_use: InUse,
    vms: Vec<Reserved>,
}

impl ClusterState {
    /// Puts the inputs together.
    pub fn of(inputs: &Inputs<'_>) -> Self {
        ClusterState::of_members(inputs, &inputs.members())
    }

    pub(super) fn of_members(inputs: &Inputs<'_>, members: &[Member<'_>]) -> Self {
        let mut state = ClusterState {
            ledger: Ledger::new(Cluster {
                nodes: Vec::new(),
                sizes: inputs.sizes(),
                reserve_percentage: inputs.management.node_reserve_percentage,
            }),
            in_use: Vec::with_capacity(members.len()),
            vms: Vec::with_capacity(members.len()),
            places: HashMap::with_capacity(inputs.settings.len()),
            nodes: HashMap::with_capacity(members.len()),
            touched: BTreeSet::new(),
        };
        let mut nodes = Vec::with_capacity(members.len());
        for (place, member) in members.iter().enumerate() {
            let counted = inputs.count(member);
            state.nodes.insert(member.name.to_owned(), place);
            let uuids = counted.vms.iter().map(|vm| (vm.uuid.clone(), place));
            state.places.extend(uuids);
            state.in_use.push(counted.in_use);
            state.vms.push(counted.vms);
            nodes.push(counted.node);
        }
        state.ledger = Ledger::new(Cluster {
            nodes,
            sizes: inputs.sizes(),
            reserve_percentage: inputs.management.node_reserve_percentage,
        });
        state
    }

    /// What counts of the node at `place` from now on. A VM that moved may be in its new place already.
    pub(super) fn recount(&mut self, place: usize, counted: Counted) {
        for gone in std::mem::replace(&mut self.vms[place], counted.vms) {
            if self.places.get(&gone.uuid) == Some(&place) {
                self.places.remove(&gone.uuid);
            }
        }
        let uuids = self.vms[place].iter().map(|vm| (vm.uuid.clone(), place));
        self.places.extend(uuids);
        self.in_use[place] = counted.in_use;
        self.ledger.set_node(place, counted.node);
    }

    pub(super) fn reserved(&self) -> Vec<what_if::AcceleratedVm<'_>> {
        let each = self.vms.iter().enumerate();
        each.flat_map(|(node, vms)| {
            vms.iter()
                .map(move |vm| (vm.name.as_str(), node, vm.setting))
        })
        .collect()
    }

    /// Whether anything is promised.
    pub fn has_vms(&self) -> bool {
        !self.places.is_empty()
    }

    /// A VM gives up what it is promised.
    pub fn release(&mut self, uuid: &Uuid) {
        let Some(node) = self.places.remove(uuid) else {
            return;
        };
        let Some(place) = self.vms[node].iter().position(|vm| vm.uuid == *uuid) else {
            return;
        };
        self.touched.insert(node);
        let vm = self.vms[node].remove(place);
        match vm.adapter {
            Some(adapter) => self.ledger.remove(node, adapter, vm.setting, 1),
            None => self.ledger.remove_stranded(node, vm.setting),
        }
    }

    /// Reserves a VF for a VM: of the adapter at `adapter`, if that has capacity.
    pub fn reserve(&mut self, vm: &VmSetting, adapter: Option<usize>) {
        let Some(&node) = self.nodes.get(vm.node.as_str()) else {
            return;
        };
        let cluster = self.ledger.cluster();
        let setting = place_of(vm.performance);
        let adapter = adapter_for(
            &cluster.nodes[node].adapters,
            adapter,
            &cluster.sizes,
            setting,
        );
        match adapter {
            Some(adapter) => self.ledger.add(node, adapter, vm.performance, 1),
            None => self.ledger.add_stranded(node, vm.performance),
        }
        self.touched.insert(node);
        self.places.insert(vm.uuid.clone(), node);
        self.vms[node].push(Reserved {
            uuid: vm.uuid.clone(),
            name: vm.name.to_string(),
            adapter,
            setting: vm.performance,
        });
    }

    /// Why the promise does not hold; none where it does.
    pub fn failover_problem(&self) -> Option<Problem> {
        what_if::failover_shortage(&self.ledger, &self.reserved())
    }

    /// The capacity as it is shown.
    pub fn capacity(&self) -> Capacity {
        what_if::outlook(&self.ledger, &self.in_use, &self.reserved())
    }

    /// Whether `vm` can have `setting` on `node`, with the promise kept.
    ///
    /// # Errors
    ///
    /// `cluster_not_enough_resources`, with what would help.
    pub fn admit(&self, vm: &str, node: &str, setting: Performance) -> Result<(), Problem> {
        let cluster = self.ledger.cluster();
        let Some(&place) = self.nodes.get(node) else {
            return Ok(());
        };
        let Err(refusal) = self.ledger.admit(place, setting) else {
            return Ok(());
        };
        let mut vms = self.reserved();
        vms.push((vm, place, setting));
        let vms: Vec<_> = vms
            .into_iter()
            .map(|(vm, node, of)| (vm, node, place_of(of)))
            .collect();
        let losers = refusal.losers(vms.iter().copied());
        let remedies = admission::remedies(cluster, Some((place, setting)));
        let asked = Some((vm, place, setting));
        Err(admission::explain(
            cluster, asked, &refusal, &losers, &remedies,
        ))
    }
}

/// Adapters of a node, and which of its VMs have which.
#[derive(Default)]
struct NodeCapacity {
    adapters: Vec<Adapter>,
    /// By VM: the place of its adapter, where that is known.
    places: Vec<Option<usize>>,
}

impl NodeCapacity {
    /// The node, each VM on its adapter; others on the one with the most free VFs. And the adapter of each.
    fn with(
        mut self,
        name: &str,
        down: bool,
        vms: &[&VmSetting],
        sizes: &[u64; 3],
    ) -> (Node, Vec<Option<usize>>) {
        let mut adapters = vec![None; vms.len()];
        let mut stranded = [0; 3];
        let place = |vm: usize| self.places.get(vm).copied().flatten();
        let (known, free): (Vec<usize>, Vec<usize>) =
            (0..vms.len()).partition(|vm| place(*vm).is_some());
        for vm in known.into_iter().chain(free) {
            let setting = place_of(vms[vm].performance);
            let own = self.places.get(vm).copied().flatten();
            adapters[vm] = adapter_for(&self.adapters, own, sizes, setting);
            match adapters[vm] {
                Some(place) => self.adapters[place].promised[setting] += 1,
                None => stranded[setting] += 1,
            }
        }
        let node = Node {
            name: name.to_owned(),
            down,
            adapters: self.adapters,
            stranded,
        };
        (node, adapters)
    }
}

/// The adapter for one more VM: its own if that has capacity, else the one with the most free VFs.
fn adapter_for(
    adapters: &[Adapter],
    own: Option<usize>,
    sizes: &[u64; 3],
    setting: usize,
) -> Option<usize> {
    let fits = |place: &usize| {
        let adapter = adapters.get(*place);
        adapter.is_some_and(|adapter| adapter.has_capacity(sizes, setting))
    };
    let roomiest = || {
        (0..adapters.len()).filter(fits).max_by_key(|place| {
            let adapter = &adapters[*place];
            adapter.vfs.saturating_sub(adapter.promised.iter().sum())
        })
    };
    own.filter(fits).or_else(roomiest)
}

/// An adapter whose number of queue pairs is unknown has those that are allocated, and no more.
fn adapter(name: &str, vfs: u32, pairs: (Option<u32>, Option<u32>), promised: u32) -> Adapter {
    let (queue_pairs, queue_pairs_per_vf) = pairs;
    Adapter {
        name: name.to_owned(),
        vfs,
        queue_pairs: Some(queue_pairs.unwrap_or(promised)),
        queue_pairs_per_vf,
        promised: [0; 3],
    }
}

fn pairs_of(vms: [u32; 3], sizes: &[u64; 3]) -> u32 {
    let each = vms.iter().zip(sizes);
    let sum: u64 = each.map(|(vms, size)| u64::from(*vms) * size).sum();
    u32::try_from(sum).unwrap_or(u32::MAX)
}

fn of_own(own: &OwnAdapters<'_>, vms: &[&VmSetting], sizes: &[u64; 3]) -> (NodeCapacity, InUse) {
    let mut used = InUse::default();
    let mut capacity = NodeCapacity::default();
    for one in own.adapters {
        let (all, most) = vf_settings::queue_pairs_of(one.adapter);
        let promised = pairs_of(one.reserved(), sizes);
        let vfs = one.vfs().saturating_sub(one.foreign);
        let pairs = (all.map(|all| all.saturating_sub(one.foreign_pairs)), most);
        capacity
            .adapters
            .push(adapter(&one.adapter.name(), vfs, pairs, promised));
        used.vfs += u32::try_from(one.adapter.vfs_in_use().count()).unwrap_or(u32::MAX);
        used.queue_pairs += pairs_of(one.held(), sizes);
    }
    let at = |vm: &&VmSetting| own.adapters.iter().position(|one| one.is_of(&vm.uuid));
    capacity.places = vms.iter().map(at).collect();
    (capacity, used)
}

fn of_report(policy: &Policy, report: &Report, vms: &[&VmSetting]) -> (NodeCapacity, InUse) {
    let mut used = InUse::default();
    let mut capacity = NodeCapacity::default();
    let uses: Vec<&AdapterUse> = managed_adapters(report, policy).collect();
    for one in &uses {
        let vfs = one.vfs.saturating_sub(one.vfs_in_use_by_others);
        let pairs = one
            .queue_pairs
            .map(|all| all.saturating_sub(one.queue_pairs_in_use_by_others));
        let pairs = (pairs, one.queue_pairs_per_vf);
        capacity
            .adapters
            .push(adapter(&one.adapter, vfs, pairs, one.queue_pairs_allocated));
        used.vfs += one.vfs_in_use;
        used.queue_pairs += one.queue_pairs_in_use;
    }
    let views: HashMap<&Uuid, Option<&str>> = report
        .vms
        .iter()
        .map(|view| (&view.uuid, view.adapter.as_deref()))
        .collect();
    let at = |vm: &&VmSetting| {
        let name = views.get(&vm.uuid).copied().flatten()?;
        uses.iter().position(|one| one.adapter == name)
    };
    capacity.places = vms.iter().map(at).collect();
    (capacity, used)
}

/// The adapters of a report that are the managed intent's.
pub(crate) fn managed_adapters<'a>(
    report: &'a Report,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a AdapterUse> {
    let managed = policy.management.intent.as_deref();
    let mut intents = report.intents.iter();
    let status = intents.find(|status| Some(status.intent.as_str()) == managed);
    let bound = status.map_or(&[][..], |status| &status.adapters);
    report.adapters.iter().filter(move |one| {
        let is_one = |bound: &BoundAdapter| {
            bound.address == one.address || (bound.mac.is_some() && bound.mac == one.mac)
        };
        bound.iter().any(is_one)
    })
}
