//! The answers for a file.

use std::collections::{BTreeMap, HashMap, HashSet};

use accelnet_model::capacity::{Answer, Capacity};
use accelnet_model::{NodeName, Problem};

use super::file::{AskFile, ClusterFile, VmFile};
use super::{AcceleratedVm, InUse, outlook, placed};
use crate::admission::{self, Adapter, Cluster, Ledger, Node, Refusal, Remedy, place_of};
use crate::{management, vm};

/// An invalid field, and the reason as a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The field: `vms`, `3`, `node`.
    pub field: Vec<String>,
    /// What is wrong with it.
    pub what: String,
}

impl Wrong {
    fn new(field: &[&dyn std::fmt::Display], what: String) -> Self {
        Wrong {
            field: field.iter().map(ToString::to_string).collect(),
            what,
        }
    }

    /// The field as it is written: `vms[3].node`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for part in &self.field {
            match (part.parse::<usize>().is_ok(), path.is_empty()) {
                (true, _) => path.push_str(&format!("[{part}]")),
                (false, true) => path.push_str(part),
                (false, false) => path.push_str(&format!(".{part}")),
            }
        }
        path
    }
}

/// Judges what a file describes, and then what it asks for, in its order: what is admitted
/// counts for those after it.
///
/// # Errors
///
/// A field that contradicts others.
pub fn judge(file: &ClusterFile) -> Result<Capacity, Wrong> {
    let names = Names::of(file)?;
    let mut cluster = cluster(file)?;
    let mut vms: Vec<AcceleratedVm<'_>> = Vec::with_capacity(file.vms.len() + file.ask.len());
    // Those whose adapter is given first: the others go where there is room then.
    let given = |(_, vm): &(usize, &VmFile)| vm.adapter.is_some();
    let (given, free): (Vec<_>, Vec<_>) = file.vms.iter().enumerate().partition(given);
    for (number, vm) in given.into_iter().chain(free) {
        let node = names.put(&mut cluster, number, vm)?;
        vms.push((&vm.name, node, vm.performance));
    }
    let mut ledger = Ledger::new(cluster);
    let in_use: Vec<InUse> = ledger
        .cluster()
        .nodes
        .iter()
        .map(|node| all_of(node, &ledger))
        .collect();
    let mut capacity = outlook(&ledger, &in_use, &vms);
    let smt = file.nodes.iter().any(|node| node.smt);
    let mut refusals = Refusals::new();
    for (number, ask) in file.ask.iter().enumerate() {
        let nodes = match &ask.node {
            Some(node) => vec![names.node(node, &[&"ask", &number, &"node"])?],
            None => (0..file.nodes.len()).collect(),
        };
        let asked = Asked { ask, nodes, smt };
        let answer = asked.judge(&mut ledger, &mut vms, &mut refusals);
        capacity.answers.push(answer);
    }
    Ok(capacity)
}

/// The cluster without its VMs.
fn cluster(file: &ClusterFile) -> Result<Cluster, Wrong> {
    let figures = file.performance.figures();
    if let Err(problem) = management::judge_performance_settings(&figures) {
        let what = problem.found.trim_end_matches('.').to_owned();
        return Err(Wrong::new(&[&"performance"], what));
    }
    let nodes = file.nodes.iter().map(|node| Node {
        name: node.name.to_string(),
        down: false,
        stranded: [0; 3],
        adapters: node
            .adapters
            .iter()
            .map(|adapter| Adapter {
                name: adapter.name.clone(),
                vfs: adapter.vfs,
                queue_pairs: adapter.queue_pairs,
                queue_pairs_per_vf: adapter.max_queue_pairs_per_vf,
                promised: [0; 3],
            })
            .collect(),
    });
    Ok(Cluster {
        nodes: nodes.collect(),
        sizes: admission::sizes_of(&figures),
        reserve_percentage: file.node_reserve_percentage,
    })
}

/// In a file every VM that is there has its VF.
fn all_of(node: &Node, ledger: &Ledger) -> InUse {
    let sizes = ledger.cluster().sizes;
    let each = node.vms();
    let pairs: u64 = each
        .iter()
        .zip(sizes)
        .map(|(vms, size)| u64::from(*vms) * size)
        .sum();
    InUse {
        vfs: each.iter().sum(),
        queue_pairs: u32::try_from(pairs).unwrap_or(u32::MAX),
    }
}

/// Where names stand.
struct Names<'a> {
    nodes: HashMap<&'a str, usize>,
    /// By node.
    adapters: Vec<BTreeMap<&'a str, usize>>,
}

impl<'a> Names<'a> {
    fn of(file: &'a ClusterFile) -> Result<Self, Wrong> {
        let mut names = Names {
            nodes: HashMap::with_capacity(file.nodes.len()),
            adapters: Vec::new(),
        };
        if file.nodes.is_empty() {
            return Err(Wrong::new(
                &[&"nodes"],
                "at least one node is needed".to_owned(),
            ));
        }
        for (number, node) in file.nodes.iter().enumerate() {
            if names.nodes.insert(node.name.as_str(), number).is_some() {
                let what = format!("another node is called {}", node.name);
                return Err(Wrong::new(&[&"nodes", &number, &"name"], what));
            }
            let mut adapters = BTreeMap::new();
            for (place, adapter) in node.adapters.iter().enumerate() {
                if adapters.insert(adapter.name.as_str(), place).is_some() {
                    let what = format!(
                        "another adapter of {} is called {}",
                        node.name, adapter.name
                    );
                    let field: [&dyn std::fmt::Display; 5] =
                        [&"nodes", &number, &"adapters", &place, &"name"];
                    return Err(Wrong::new(&field, what));
                }
            }
            names.adapters.push(adapters);
        }
        let mut vms = HashSet::with_capacity(file.vms.len() + file.ask.len());
        let there = file.vms.iter().map(|vm| &vm.name).enumerate();
        let asked = file.ask.iter().map(|vm| &vm.name).enumerate();
        let all = there
            .map(|one| ("vms", one))
            .chain(asked.map(|one| ("ask", one)));
        for (list, (number, name)) in all {
            if !vms.insert(name) {
                let what = format!("another VM is called {name}");
                return Err(Wrong::new(&[&list, &number, &"name"], what));
            }
        }
        for (number, ask) in file.ask.iter().enumerate() {
            if let Some(node) = &ask.node {
                names.node(node, &[&"ask", &number, &"node"])?;
            }
        }
        Ok(names)
    }

    fn node(&self, name: &str, field: &[&dyn std::fmt::Display]) -> Result<usize, Wrong> {
        let what = || format!("no node is called {name}");
        self.nodes
            .get(name)
            .copied()
            .ok_or_else(|| Wrong::new(field, what()))
    }

    /// Gives a VM that is there its VF; returns its node.
    fn put(&self, cluster: &mut Cluster, number: usize, vm: &VmFile) -> Result<usize, Wrong> {
        let node = self.node(&vm.node, &[&"vms", &number, &"node"])?;
        let field: [&dyn std::fmt::Display; 3] = [&"vms", &number, &"adapter"];
        let setting = place_of(vm.performance);
        let sizes = cluster.sizes;
        let adapters = &mut cluster.nodes[node].adapters;
        let Some(name) = &vm.adapter else {
            let room = adapters
                .iter_mut()
                .find(|adapter| adapter.has_capacity(&sizes, setting));
            let Some(adapter) = room else {
                let what = format!("no adapter of {} has enough free capacity", vm.node);
                return Err(Wrong::new(&[&"vms", &number, &"node"], what));
            };
            adapter.promised[setting] += 1;
            return Ok(node);
        };
        let Some(place) = self.adapters[node].get(name.as_str()) else {
            let what = format!("no adapter of {} is called {name}", vm.node);
            return Err(Wrong::new(&field, what));
        };
        let adapter = &mut adapters[*place];
        if !adapter.has_capacity(&sizes, setting) {
            let vf = match sizes[setting] {
                1 => "VF with 1 queue pair".to_owned(),
                pairs => format!("VF with {pairs} queue pairs"),
            };
            let what = match adapter.can_give(sizes[setting]) {
                true => format!("{name} has no {vf} left for it"),
                false => format!("{name} cannot provide a {vf}"),
            };
            return Err(Wrong::new(&field, what));
        }
        adapter.promised[setting] += 1;
        Ok(node)
    }
}

/// Why VMs of a setting are refused, by the node that is requested, since one was admitted last: the place
/// of the node that gives the reason, and what would help.
type Refusals = HashMap<(Option<NodeName>, usize), (usize, Refusal, Vec<Remedy>)>;

/// A VM that is requested, and the nodes that it may run on.
struct Asked<'a> {
    ask: &'a AskFile,
    nodes: Vec<usize>,
    smt: bool,
}

impl<'a> Asked<'a> {
    fn judge(
        &self,
        ledger: &mut Ledger,
        vms: &mut Vec<AcceleratedVm<'a>>,
        refusals: &mut Refusals,
    ) -> Answer {
        let setting = self.ask.performance;
        if let Err(problem) = self.is_possible(ledger.cluster()) {
            return self.refused(&problem);
        }
        let key = (self.ask.node.clone(), place_of(setting));
        if !refusals.contains_key(&key) {
            let mut each = self.nodes.iter();
            let admits = |node: &usize| Some((*node, ledger.admits(*node, setting)?));
            if let Some((node, adapter)) = each.find_map(admits) {
                ledger.add(node, adapter, setting, 1);
                refusals.clear();
                vms.push((&self.ask.name, node, setting));
                return self.admitted(ledger.cluster(), node, adapter);
            }
            // All refuse: the first node gives the reason.
            let first = self
                .nodes
                .first()
                .map(|node| (*node, ledger.admit(*node, setting)));
            let Some((node, Err(refusal))) = first else {
                return self.nowhere();
            };
            let remedies = admission::remedies(ledger.cluster(), Some((node, setting)));
            refusals.insert(key.clone(), (node, refusal, remedies));
        }
        let Some((node, refusal, remedies)) = refusals.get(&key) else {
            return self.nowhere();
        };
        self.not_admitted(ledger.cluster(), vms, *node, refusal, remedies)
    }

    fn not_admitted(
        &self,
        cluster: &Cluster,
        vms: &mut Vec<AcceleratedVm<'a>>,
        node: usize,
        refusal: &Refusal,
        remedies: &[Remedy],
    ) -> Answer {
        let setting = self.ask.performance;
        vms.push((&self.ask.name, node, setting));
        let losers = refusal.losers(placed(vms));
        vms.pop();
        let asked = Some((self.ask.name.as_str(), node, setting));
        let problem = admission::explain(cluster, asked, refusal, &losers, remedies);
        let worst = refusal
            .worst
            .iter()
            .map(|place| cluster.nodes[*place].name.clone());
        Answer {
            binding: Some(refusal.binding.id().to_owned()),
            worst_nodes: Some(worst.collect()),
            vms_without_vf: losers.iter().map(|vm| (*vm).to_owned()).collect(),
            proven: Some(refusal.proved),
            ..self.refused(&problem)
        }
    }

    /// vCPUs must reach the minimum, and an adapter must be able to give the setting at all.
    fn is_possible(&self, cluster: &Cluster) -> Result<(), Problem> {
        let setting = self.ask.performance;
        if let Some(vcpus) = self.ask.vcpus {
            vm::enough_vcpus_of(&self.ask.name, vcpus, setting, self.smt)?;
        }
        let adapters = self
            .nodes
            .iter()
            .flat_map(|node| &cluster.nodes[*node].adapters);
        admission::provisionable(setting, cluster, adapters)
    }

    fn admitted(&self, cluster: &Cluster, node: usize, adapter: usize) -> Answer {
        let node = &cluster.nodes[node];
        Answer {
            admitted: true,
            node: Some(node.name.clone()),
            adapter: Some(node.adapters[adapter].name.clone()),
            ..self.nowhere()
        }
    }

    fn refused(&self, problem: &Problem) -> Answer {
        Answer {
            code: Some(problem.code),
            message: Some(format!("{} {}", problem.message, problem.found)),
            resolution: Some(problem.resolution.clone()),
            ..self.nowhere()
        }
    }

    fn nowhere(&self) -> Answer {
        Answer {
            name: self.ask.name.to_string(),
            admitted: false,
            node: None,
            adapter: None,
            code: None,
            binding: None,
            worst_nodes: None,
            vms_without_vf: Vec::new(),
            proven: None,
            message: None,
            resolution: None,
        }
    }
}
