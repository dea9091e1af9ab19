//! The cluster as admission sees it: from the policy, the reports of all nodes, and what this
//! node sees of itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use accelnet_api::types::{AdapterUse, Fault, Severity};
use accelnet_model::capacity::Capacity;
use accelnet_model::{Management, Performance, Problem, Uuid, VmSetting};
use accelnet_rules::admission::{self, Adapter, Cluster, Ledger, Node, place_of};
use accelnet_rules::what_if::{self, InUse};

use super::management::managed_adapters;
use super::room::Space;
use crate::policy::Policy;
use crate::report::Report;

/// How a cluster stands.
pub(crate) struct Standing {
    pub ledger: Ledger,
    in_use: Vec<InUse>,
    /// VMs, those of one node together; none where one was that has given up its VF.
    vms: Vec<Option<Promised>>,
    /// Where each of them stands in `vms`.
    places: BTreeMap<Uuid, usize>,
}

/// A VM that is promised a VF.
#[derive(Debug, Clone)]
struct Promised {
    name: String,
    /// The place of its node.
    node: usize,
    /// The place of its adapter; none where no adapter of the node has room for it.
    adapter: Option<usize>,
    setting: Performance,
}

/// What this node sees of itself, which is newer than its report.
pub(crate) struct Own<'a> {
    pub node: &'a str,
    pub spaces: &'a [Space<'a>],
}

/// What the cluster is made of.
pub(crate) struct Parts<'a> {
    pub policy: &'a Policy,
    /// Reserve and figures, which may be other ones than the policy's.
    pub management: &'a Management,
    /// Every VM that is promised a VF.
    pub promised: &'a [VmSetting],
    pub reports: &'a [Report],
    /// Nodes that are down.
    pub down: &'a BTreeSet<String>,
    pub own: Option<Own<'a>>,
}

impl Standing {
    /// Puts the parts together. A node that has VMs and never reported counts as one that is
    /// down: nothing is known of it.
    pub fn of(parts: &Parts<'_>) -> Self {
        let sizes = admission::sizes_of(&parts.management.performance);
        let own = parts.own.as_ref().map(|own| own.node);
        let reports: BTreeMap<&str, &Report> = parts
            .reports
            .iter()
            .map(|one| (one.node.as_str(), one))
            .collect();
        let mut by_node: BTreeMap<&str, Vec<&VmSetting>> = BTreeMap::new();
        for name in reports.keys().copied().chain(own) {
            by_node.entry(name).or_default();
        }
        for vm in parts.promised {
            by_node.entry(&vm.node).or_default().push(vm);
        }
        let mut nodes = Vec::with_capacity(by_node.len());
        let mut in_use = Vec::with_capacity(by_node.len());
        let mut vms = Vec::with_capacity(parts.promised.len());
        let mut places = BTreeMap::new();
        for (name, here) in by_node {
            let report = reports.get(name).copied();
            let is_own = own == Some(name);
            let down = !is_own && (report.is_none() || parts.down.contains(name));
            let (room, used) = match (&parts.own, report) {
                (Some(own), _) if own.node == name => of_spaces(own, &here, &sizes),
                (_, Some(report)) => of_report(parts.policy, report, &here),
                (_, None) => (Room::default(), InUse::default()),
            };
            let (node, adapters) = room.with(name, down, &here, &sizes);
            for (vm, adapter) in here.iter().zip(adapters) {
                places.insert(vm.uuid.clone(), vms.len());
                vms.push(Some(Promised {
                    name: vm.name.to_string(),
                    node: nodes.len(),
                    adapter,
                    setting: vm.performance,
                }));
            }
            nodes.push(node);
            in_use.push(used);
        }
        Standing {
            ledger: Ledger::new(Cluster {
                nodes,
                sizes,
                reserve_percentage: parts.management.node_reserve_percentage,
            }),
            in_use,
            vms,
            places,
        }
    }

    fn promised(&self) -> Vec<what_if::Promised<'_>> {
        let each = self.vms.iter().flatten();
        let mut all: Vec<_> = each
            .map(|vm| (vm.name.as_str(), vm.node, vm.setting))
            .collect();
        all.sort_by_key(|(_, node, _)| *node);
        all
    }

    /// Whether anything is promised.
    pub fn promises(&self) -> bool {
        !self.places.is_empty()
    }

    /// A VM gives up what it is promised.
    pub fn give_up(&mut self, uuid: &Uuid) {
        let Some(vm) = self.places.remove(uuid) else {
            return;
        };
        let Some(vm) = self.vms.get_mut(vm).and_then(Option::take) else {
            return;
        };
        match vm.adapter {
            Some(adapter) => self.ledger.remove(vm.node, adapter, vm.setting, 1),
            None => self.ledger.remove_stranded(vm.node, vm.setting),
        }
    }

    /// A VM is promised a VF: of the adapter at `adapter`, if that has room.
    pub fn promise(&mut self, vm: &VmSetting, adapter: Option<usize>) {
        let mut nodes = self.ledger.cluster().nodes.iter();
        let Some(node) = nodes.position(|node| node.name == *vm.node) else {
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
        self.places.insert(vm.uuid.clone(), self.vms.len());
        self.vms.push(Some(Promised {
            name: vm.name.to_string(),
            node,
            adapter,
            setting: vm.performance,
        }));
    }

    /// Why the promise does not hold; none where it does.
    pub fn broken_promise(&self) -> Option<Problem> {
        what_if::broken_promise(&self.ledger, &self.promised())
    }

    /// The capacity as it is shown.
    pub fn capacity(&self) -> Capacity {
        what_if::outlook(&self.ledger, &self.in_use, &self.promised())
    }

    /// Whether `vm` can have `setting` on `node`, with the promise kept.
    ///
    /// # Errors
    ///
    /// `cluster_not_enough_resources`, with what would help.
    pub fn admit(&self, vm: &str, node: &str, setting: Performance) -> Result<(), Problem> {
        let cluster = self.ledger.cluster();
        let Some(place) = cluster.nodes.iter().position(|one| one.name == node) else {
            return Ok(());
        };
        let Err(refusal) = self.ledger.admit(place, setting) else {
            return Ok(());
        };
        let mut vms = self.promised();
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
struct Room {
    adapters: Vec<Adapter>,
    /// By VM: the place of its adapter, where that is known.
    places: Vec<Option<usize>>,
}

impl Room {
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

/// The adapter for one more VM: its own if that has room, else the one with the most free VFs.
fn adapter_for(
    adapters: &[Adapter],
    own: Option<usize>,
    sizes: &[u64; 3],
    setting: usize,
) -> Option<usize> {
    let fits = |place: &usize| {
        let adapter = adapters.get(*place);
        adapter.is_some_and(|adapter| adapter.has_room(sizes, setting))
    };
    let roomiest = || {
        (0..adapters.len()).filter(fits).max_by_key(|place| {
            let adapter = &adapters[*place];
            adapter.vfs.saturating_sub(adapter.promised.iter().sum())
        })
    };
    own.filter(fits).or_else(roomiest)
}

/// An adapter whose queue pairs cannot be told has those that are promised, and no more.
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

fn of_spaces(own: &Own<'_>, vms: &[&VmSetting], sizes: &[u64; 3]) -> (Room, InUse) {
    let mut used = InUse::default();
    let mut room = Room::default();
    for space in own.spaces {
        let (all, most) = space.queue_pairs();
        let promised = pairs_of(space.promised(), sizes);
        let vfs = space.vfs().saturating_sub(space.foreign);
        let pairs = (all.map(|all| all.saturating_sub(space.foreign_pairs)), most);
        room.adapters
            .push(adapter(&space.adapter.name(), vfs, pairs, promised));
        used.vfs += u32::try_from(space.adapter.vfs_in_use().count()).unwrap_or(u32::MAX);
        used.queue_pairs += pairs_of(space.held(), sizes);
    }
    let at = |vm: &&VmSetting| own.spaces.iter().position(|space| space.is_of(&vm.uuid));
    room.places = vms.iter().map(at).collect();
    (room, used)
}

fn of_report(policy: &Policy, report: &Report, vms: &[&VmSetting]) -> (Room, InUse) {
    let mut used = InUse::default();
    let mut room = Room::default();
    let uses: Vec<&AdapterUse> = managed_adapters(report, policy).collect();
    for one in &uses {
        let vfs = one.vfs.saturating_sub(one.vfs_foreign);
        let pairs = one
            .queue_pairs
            .map(|all| all.saturating_sub(one.queue_pairs_foreign));
        let pairs = (pairs, one.queue_pairs_per_vf);
        room.adapters
            .push(adapter(&one.adapter, vfs, pairs, one.queue_pairs_promised));
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
    room.places = vms.iter().map(at).collect();
    (room, used)
}

/// The fault that the promise does not hold.
pub(crate) fn fault(problem: &Problem, node: &str, since: String) -> Fault {
    Fault {
        severity: Severity::Error,
        node: node.to_owned(),
        subject: "cluster".to_owned(),
        code: problem.code,
        message: format!("{} {}", problem.message, problem.found),
        resolution: problem.resolution.clone(),
        since,
    }
}

#[cfg(test)]
mod tests;
