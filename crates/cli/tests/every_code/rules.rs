//! Codes that the commands of VMs and clusters will raise, from the rules they will ask.

use accelnet_host::observe;
use accelnet_model::domain::{DomainSettings, DomainState};
use accelnet_model::intent::{Intent, Role};
use accelnet_model::performance::{Performance, PerformanceSettings};
use accelnet_model::{Code, Domain, Problem};
use accelnet_rules::enable;
use accelnet_rules::prereq::{self, Scope};
use accelnet_rules::vm::{self, FreeCapacity};
use accelnet_sim::{AdapterSpec, Tree};

use crate::support::{boot, node, pf, port};

fn code<T>(answer: Result<T, Problem>) -> Vec<Code> {
    answer
        .err()
        .map(|problem| problem.code)
        .into_iter()
        .collect()
}

pub fn nodes_that_differ_in_smt() -> Vec<Code> {
    let with_smt = |smt: &str| {
        let igb = AdapterSpec::igb(pf(), "ens1");
        let tree = Tree::new().platform(|machine| machine.smt = smt.to_owned());
        observe::node(&boot(tree.port(port().adapter(igb))).host.host())
    };
    let nodes = [with_smt("on"), with_smt("off")];
    let rows = prereq::judge(&nodes, &[], &Scope::All);
    rows.into_iter().filter_map(|row| row.code).collect()
}

pub fn an_intent_for_storage() -> Vec<Code> {
    let intent = Intent {
        name: "disks".parse().expect("a name"),
        roles: vec![Role::Storage],
        adapters: vec!["ens1".to_owned()],
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    };
    let node = observe::node(&node(|igb| igb).host.host());
    let scope = Scope::Intent("disks".to_owned());
    let rows = prereq::judge(&[node], &[intent], &scope);
    rows.into_iter().filter_map(|row| row.code).collect()
}

fn small_vm() -> Domain {
    Domain {
        name: "web1".to_owned(),
        uuid: "2f6a5b1c-0000-4000-8000-000000000001"
            .parse()
            .expect("a UUID"),
        state: DomainState::ShutOff,
        persistent: true,
        vcpus: 1,
        memory_mib: 512,
        vnics: Vec::new(),
        host_devices: Vec::new(),
        settings: DomainSettings::default(),
    }
}

pub fn a_vm_without_vnics() -> Vec<Code> {
    code(vm::has_vnics(&small_vm()))
}

pub fn a_new_vm_with_too_few_vcpus() -> Vec<Code> {
    code(vm::minimum_vcpus(2, Performance::Low, true))
}

pub fn a_vm_with_too_few_vcpus() -> Vec<Code> {
    code(vm::enough_vcpus(&small_vm(), Performance::Low, false))
}

pub fn a_vf_with_too_few_queue_pairs() -> Vec<Code> {
    let narrow = FreeCapacity {
        free_vfs: 8,
        free_queue_pairs: 64,
        most_queue_pairs: 2,
    };
    code(vm::provisionable(
        Performance::High,
        &PerformanceSettings::default(),
        &[narrow],
    ))
}

pub fn no_vf_left() -> Vec<Code> {
    let full = FreeCapacity {
        free_vfs: 0,
        free_queue_pairs: 64,
        most_queue_pairs: 8,
    };
    code(vm::place(
        "web1",
        Performance::Low,
        &PerformanceSettings::default(),
        &[full],
    ))
}

pub fn a_node_that_did_not_apply() -> Vec<Code> {
    let outcomes = [("n1", Ok(())), ("n2", Err("timed out".to_owned()))];
    code(enable::complete("cluster", &outcomes))
}
