//! The cluster as admission sees it: from the policy, the reports of all nodes, and what this
//! node sees of itself.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_api::types::{AdapterUse, Fault, Severity};
use accelnet_model::capacity::Capacity;
use accelnet_model::{Management, Performance, Problem, VmSetting};
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
    /// VMs with the place of their node.
    vms: Vec<(String, usize, Performance)>,
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
        for (name, here) in by_node {
            let named = here
                .iter()
                .map(|vm| (vm.name.to_string(), nodes.len(), vm.performance));
            vms.extend(named);
            let report = reports.get(name).copied();
            let is_own = own == Some(name);
            let down = !is_own && (report.is_none() || parts.down.contains(name));
            let (room, used) = match (&parts.own, report) {
                (Some(own), _) if own.node == name => of_spaces(own, &here, &sizes),
                (_, Some(report)) => of_report(parts.policy, report, &here),
                (_, None) => (Room::default(), InUse::default()),
            };
            nodes.push(room.with(name, down, &here, &sizes));
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
        }
    }

    fn promised(&self) -> Vec<what_if::Promised<'_>> {
        let each = self.vms.iter();
        each.map(|(name, node, setting)| (name.as_str(), *node, *setting))
            .collect()
    }

    /// Whether anything is promised.
    pub fn promises(&self) -> bool {
        !self.vms.is_empty()
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
        let losers = refusal.losers(&vms);
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
    /// The node, each VM on its adapter; others on the one with the most free VFs.
    fn with(mut self, name: &str, down: bool, vms: &[&VmSetting], sizes: &[u64; 3]) -> Node {
        let mut stranded = [0; 3];
        let place = |vm: usize| self.places.get(vm).copied().flatten();
        let (known, free): (Vec<usize>, Vec<usize>) =
            (0..vms.len()).partition(|vm| place(*vm).is_some());
        for vm in known.into_iter().chain(free) {
            let setting = place_of(vms[vm].performance);
            let own = self.places.get(vm).copied().flatten();
            let fits = |place: &usize| self.adapters[*place].has_room(sizes, setting);
            let roomiest = (0..self.adapters.len()).filter(fits).max_by_key(|place| {
                let adapter = &self.adapters[*place];
                adapter.vfs.saturating_sub(adapter.promised.iter().sum())
            });
            match own.filter(fits).or(roomiest) {
                Some(place) => self.adapters[place].promised[setting] += 1,
                None => stranded[setting] += 1,
            }
        }
        Node {
            name: name.to_owned(),
            down,
            adapters: self.adapters,
            stranded,
        }
    }
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

fn pairs_of<'a>(vms: impl Iterator<Item = &'a VmSetting>, sizes: &[u64; 3]) -> u32 {
    let sum: u64 = vms.map(|vm| sizes[place_of(vm.performance)]).sum();
    u32::try_from(sum).unwrap_or(u32::MAX)
}

fn of_spaces(own: &Own<'_>, vms: &[&VmSetting], sizes: &[u64; 3]) -> (Room, InUse) {
    let mut used = InUse::default();
    let mut room = Room::default();
    for space in own.spaces {
        let (all, most) = space.queue_pairs();
        let promised = pairs_of(space.promised.iter(), sizes);
        let vfs = space.vfs().saturating_sub(space.foreign);
        let pairs = (all.map(|all| all.saturating_sub(space.foreign_pairs)), most);
        room.adapters
            .push(adapter(&space.adapter.name(), vfs, pairs, promised));
        used.vfs += u32::try_from(space.adapter.vfs_in_use().count()).unwrap_or(u32::MAX);
        used.queue_pairs += pairs_of(space.held(), sizes);
    }
    let at = |vm: &&VmSetting| {
        let has = |space: &Space<'_>| space.promised.iter().any(|one| one.uuid == vm.uuid);
        own.spaces.iter().position(has)
    };
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
    let at = |vm: &&VmSetting| {
        let view = report.vms.iter().find(|view| view.uuid == vm.uuid)?;
        let name = view.adapter.as_deref()?;
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
