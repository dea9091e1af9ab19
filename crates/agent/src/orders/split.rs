//! A request for VMs, split by the nodes that have them.

use std::collections::{BTreeMap, HashMap, HashSet};

use accelnet_api::types::{VmChange, VmChanged, VmResult, VmView};
use accelnet_model::Problem;
use accelnet_rules::vm_names::{self, Names};

/// The parts of a request.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Names of VMs of this node, and names that no VM has.
    pub own: Vec<String>,
    /// VMs of each other node.
    pub others: BTreeMap<String, Vec<VmView>>,
    /// Results of refused names.
    refused: Vec<VmResult>,
    /// Places in the request, by UUID and by typed name.
    places: HashMap<String, usize>,
}

/// The names that `change` has.
pub(crate) fn names_of(change: &VmChange) -> &[String] {
    match change {
        VmChange::Enable(one) => &one.names,
        VmChange::Set(one) => &one.names,
        VmChange::Disable(one) => &one.names,
    }
}

/// Whether `change` is a dry run.
pub(crate) fn is_dry_run(change: &VmChange) -> bool {
    match change {
        VmChange::Enable(one) => one.dry_run,
        VmChange::Set(one) => one.dry_run,
        VmChange::Disable(one) => one.dry_run,
    }
}

/// `change` with other names.
pub(crate) fn with_names(change: &VmChange, names: Vec<String>) -> VmChange {
    let mut change = change.clone();
    match &mut change {
        VmChange::Enable(one) => one.names = names,
        VmChange::Set(one) => one.names = names,
        VmChange::Disable(one) => one.names = names,
    }
    change
}

/// Whether any of `names` means one of `vms`.
pub(crate) fn mean_one_of<'a>(names: &[String], mut vms: impl Iterator<Item = &'a VmView>) -> bool {
    let exact: HashSet<&str> = names.iter().map(String::as_str).collect();
    let lower: HashSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let globs: Vec<&String> = names
        .iter()
        .filter(|name| vm_names::is_glob(name))
        .collect();
    vms.any(|vm| {
        exact.contains(vm.name.as_str())
            || lower.contains(vm.uuid.as_str())
            || globs.iter().any(|glob| vm_names::fits(glob, &vm.name))
    })
}

impl Parts {
    /// Splits `names` by the nodes of `vms`; this node is `own`.
    pub fn of(names: &[String], vms: &[VmView], own: &str) -> Self {
        let all = Names::of(vms.iter().map(|vm| (&*vm.name, vm.uuid.as_str())));
        let mut parts = Parts::default();
        for (place, typed) in names.iter().enumerate() {
            let matched: Vec<&VmView> =
                all.matching(typed).into_iter().map(|at| &vms[at]).collect();
            let nodes: Vec<String> = matched.iter().map(|vm| vm.node.clone()).collect();
            let is_exact = matched.iter().all(|vm| is_named(vm, typed));
            match matched.as_slice() {
                [] => {
                    parts.own.push(typed.clone());
                    parts.places.entry(typed.clone()).or_insert(place);
                }
                [_, _, ..] if is_exact => {
                    let problem = vm_names::ambiguous(typed, &nodes);
                    parts.refused.push(refused(typed, None, &problem));
                    parts.places.entry(typed.clone()).or_insert(place);
                }
                some => some.iter().for_each(|vm| parts.add(vm, place, own)),
            }
        }
        parts
    }

    /// Whether all of it is for this node.
    pub fn is_own(&self) -> bool {
        self.others.is_empty() && self.refused.is_empty()
    }

    /// Whether no name was refused.
    pub fn has_no_refused(&self) -> bool {
        self.refused.is_empty()
    }

    /// Refuses the names that no VM of another node has; `vms` are all that match.
    pub fn refuse_unknown(&mut self, node: &str, vms: &[VmView]) {
        for typed in std::mem::take(&mut self.own) {
            let names = vms.iter().map(|vm| (vm.name.as_str(), vm.node.as_str()));
            let problem = vm_names::not_found(&typed, Some(node), names);
            self.refused.push(refused(&typed, None, &problem));
        }
    }

    fn add(&mut self, vm: &VmView, place: usize, own: &str) {
        if self.places.contains_key(vm.uuid.as_str()) {
            return;
        }
        self.places.insert(vm.uuid.to_string(), place);
        match vm.node == own {
            true => self.own.push(vm.uuid.to_string()),
            false => {
                let there = self.others.entry(vm.node.clone()).or_default();
                there.push(vm.clone());
            }
        }
    }

    /// The answer with the results of all parts, in the order of the request.
    pub fn answer(self, results: impl IntoIterator<Item = VmResult>) -> VmChanged {
        let places = &self.places;
        let place = |result: &VmResult| {
            let uuid = result.vm.as_ref().map(|vm| vm.uuid.as_str());
            let place = uuid.and_then(|uuid| places.get(uuid));
            let place = place.or_else(|| places.get(&result.name));
            place.copied().unwrap_or(usize::MAX)
        };
        let mut results: Vec<VmResult> = results.into_iter().chain(self.refused).collect();
        results.sort_by_key(place);
        VmChanged {
            ok: results.iter().all(|result| result.ok),
            results,
        }
    }
}

fn is_named(vm: &VmView, typed: &str) -> bool {
    vm.name == typed || vm.uuid.eq_ignore_ascii_case(typed)
}

/// The result of a refused name.
pub(crate) fn refused(name: &str, vm: Option<&VmView>, problem: &Problem) -> VmResult {
    VmResult {
        name: name.to_owned(),
        node: vm.map(|vm| vm.node.clone()),
        ok: false,
        message: problem.message.clone(),
        waits_for_restart: false,
        unchanged: false,
        vm: vm.cloned(),
        problem: Some(problem.clone()),
        warnings: Vec::new(),
        steps: Vec::new(),
    }
}

/// The UUIDs of `vms`.
pub(super) fn uuids(vms: &[VmView]) -> Vec<String> {
    vms.iter().map(|vm| vm.uuid.to_string()).collect()
}

/// The results of a node for `vms`, each under the VM's name and with its node.
pub(super) fn named(mut results: Vec<VmResult>, node: &str, vms: &[VmView]) -> Vec<VmResult> {
    let by_uuid: HashMap<&str, &VmView> = vms.iter().map(|vm| (vm.uuid.as_str(), vm)).collect();
    for result in &mut results {
        result.node = Some(node.to_owned());
        let known = by_uuid.get(result.name.as_str());
        if let Some(vm) = known {
            result.name.clone_from(&vm.name);
        }
        if result.vm.is_none() {
            let known = known.copied();
            let known = known.or_else(|| vms.iter().find(|vm| vm.name == result.name));
            result.vm = known.cloned();
        }
    }
    results
}
