//! Founding, joining, leaving, moving a store, draining a node, and what all nodes are judged by.

use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::cluster::membership::{create, is_readable, leave, may_join};
use accelnet_agent::cluster::migration::migrate;
use accelnet_agent::reports::Reports;
use accelnet_api::types::NodeDrain;
use accelnet_model::check::{CheckName, Outcome};
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Problem};
use accelnet_store::testing::EtcdServer;
use accelnet_store::{Embedded, History, Json, Store, Txn};

use crate::fixture::{INTENT, Machine, WHO, enable, intent_add, only, vm_disable, vm_enable};

const NOW: &str = "2026-01-01T00:00:00Z";

fn memory() -> Arc<dyn Store> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO);
    Arc::new(store.expect("a store"))
}

fn code<T>(answer: Result<T, Problem>) -> Code {
    match answer {
        Ok(_) => panic!("it must be refused"),
        Err(problem) => problem.code,
    }
}

fn put(store: &dyn Store, key: &str, value: &str) {
    let _ = store.commit(&Txn::new().put(key, value)).expect("a store");
}

const MEMBER: &str =
    r#"{"format":1,"value":{"joined_at":"2026-01-01T00:00:00Z","version":"0.1.0"}}"#;

#[test]
fn a_cluster_is_founded_once_and_joined_where_it_is() {
    let store = memory();
    assert_eq!(code(may_join(&*store, "s", "node1")), Code::ClusterRefused);
    create(&*store, "s", NOW, true).expect("a dry run");
    assert_eq!(store.range("").expect("keys").entries, []);
    create(&*store, "s", NOW, false).expect("founded");
    assert_eq!(code(create(&*store, "s", NOW, false)), Code::ClusterRefused);
    may_join(&*store, "s", "node1").expect("it may");
    put(&*store, "alive/node1", "{}");
    assert_eq!(code(may_join(&*store, "s", "node1")), Code::ClusterRefused);
    may_join(&*store, "s", "node2").expect("it may");
}

#[test]
fn a_cluster_that_a_newer_release_wrote_is_not_joined() {
    let store = memory();
    is_readable(store.clone(), "node1").expect("empty");
    put(&*store, "policy/management", r#"{"format":99,"value":{}}"#);
    assert_eq!(
        code(is_readable(store, "node1")),
        Code::StoreValueUnreadable
    );
}

#[test]
fn a_node_leaves_when_it_is_down_and_nothing_is_promised_there() {
    let store = memory();
    let machine = Machine::boot(1);
    let mut agent = machine.agent(store.clone());
    agent.add_intent(WHO, &intent_add(2)).expect("declared");
    agent.enable(WHO, &enable(0)).expect("enabled");
    machine.define(1);
    only(agent.change_vms(WHO, &vm_enable(&machine.vm(1)))).expect("accelerated");
    let leaves = |dry_run| leave(store.clone(), "s", "node1", dry_run);
    assert_eq!(code(leaves(false)), Code::NodeNotFound);
    put(&*store, "members/node1", MEMBER);
    put(&*store, "alive/node1", "{}");
    assert_eq!(code(leaves(false)), Code::ClusterRefused);
    let _ = store
        .commit(&Txn::new().delete("alive/node1"))
        .expect("a store");
    assert_eq!(code(leaves(false)), Code::ClusterRefused);
    only(agent.change_vms(WHO, &vm_disable(&machine.vm(1)))).expect("taken back");
    leaves(true).expect("it could");
    assert!(store.get("members/node1").expect("a store").is_some());
    leaves(false).expect("it left");
    for prefix in ["members/", "reports/", "nodes/"] {
        assert_eq!(store.range(prefix).expect("keys").entries, [], "{prefix}");
    }
}

/// Everything arrives in an etcd, also when the first call was interrupted, and is usable there.
#[test]
fn a_store_is_moved_into_an_etcd_and_goes_on_there() {
    let from = memory();
    let machine = Machine::boot(1);
    let mut agent = machine.agent(from.clone());
    agent.add_intent(WHO, &intent_add(2)).expect("declared");
    agent.enable(WHO, &enable(0)).expect("enabled");
    machine.define(1);
    machine.define(2);
    only(agent.change_vms(WHO, &vm_enable(&machine.vm(1)))).expect("accelerated");
    for number in 0..200 {
        put(
            &*from,
            &format!("events-of-old/{number:03}"),
            &"x".repeat(9000),
        );
    }
    let server = EtcdServer::start();
    let to: Arc<dyn Store> = Arc::new(server.store("cluster"));
    let all = from.range("").expect("keys").entries;
    let moves = |dry_run| migrate(&*from, "a file", &*to, "an etcd", NOW, dry_run);
    let would = moves(true).expect("it could");
    assert_eq!((would.keys, would.applied), (all.len(), false));
    assert_eq!(to.range("").expect("keys").entries, []);
    // As a call that died in the middle left it.
    let revision = from.range("").expect("keys").revision;
    let begun = format!(r#"{{"format":1,"value":{{"from":"a file","revision":{revision}}}}}"#);
    put(&*to, "migration", &begun);
    for entry in &all[..5] {
        let txn = Txn::new().put(entry.key.clone(), entry.value.clone());
        let _ = to.commit(&txn).expect("an etcd");
    }
    assert_eq!(
        code(may_join(&*to, "an etcd", "node1")),
        Code::ClusterRefused
    );
    let moved = moves(false).expect("moved");
    assert_eq!((moved.keys, moved.existing_keys), (all.len(), 5));
    for entry in &all {
        let there = to.get(&entry.key).expect("an etcd").expect("a key");
        assert_eq!(there.value, entry.value, "{}", entry.key);
    }
    assert_eq!(code(moves(false)), Code::ClusterRefused);
    may_join(&*to, "an etcd", "node1").expect("it may");
    drop(agent);
    let mut agent = machine.agent(to);
    agent.reconcile().expect("an etcd");
    let second = only(agent.change_vms(WHO, &vm_enable(&machine.vm(2)))).expect("an answer");
    assert!(second.ok, "{second:?}");
}

#[test]
fn a_store_is_not_moved_over_another() {
    let (from, to) = (memory(), memory());
    put(&*from, "policy/turn", "");
    put(&*to, "members/node1", MEMBER);
    let moves = |to: &dyn Store| migrate(&*from, "a file", to, "s", NOW, false);
    assert_eq!(code(moves(&*to)), Code::ClusterRefused);
    let begun = r#"{"format":1,"value":{"from":"another","revision":7}}"#;
    let other = memory();
    put(&*other, "migration", begun);
    assert_eq!(code(moves(&*other)), Code::ClusterRefused);
}

/// One that joins gets the cluster's intents, or says why not.
#[test]
fn a_node_that_joins_brings_the_intents_about() {
    let store = memory();
    let (one, two) = (Machine::boot(1), Machine::boot(2));
    let odd = Machine::boot_with(3, "eth9");
    let mut first = one.agent(store.clone());
    first.add_intent(WHO, &intent_add(2)).expect("declared");
    for machine in [&two, &odd] {
        machine.agent(store.clone()).reconcile().expect("a store");
    }
    let reports = Reports::new(store.clone(), "nobody")
        .all()
        .expect("reports");
    let state = |name: &str| {
        let report = reports.iter().find(|report| report.node == name);
        let status = report.expect("a report").intents.first().expect("a status");
        (
            status.state,
            status.problem.as_ref().map(|problem| problem.code),
        )
    };
    assert_eq!(state("node2"), (IntentState::Completed, None));
    let lacks = (IntentState::Failed, Some(Code::AdapterNotFound));
    assert_eq!(state("node3"), lacks);
    // Nothing is enabled on a cluster that cannot keep it, and any node knows which one it is.
    let problem = first.enable(WHO, &enable(0)).expect_err("refused");
    assert!(
        problem.message.contains("node3") || problem.found.contains("node3"),
        "{problem:?}"
    );
}

#[test]
fn every_node_is_judged_from_any() {
    let store = memory();
    let machines = [Machine::boot(1), Machine::boot(2)];
    let mut agents: Vec<_> = machines
        .iter()
        .map(|one| one.agent(store.clone()))
        .collect();
    agents[0].add_intent(WHO, &intent_add(2)).expect("declared");
    let row = |agent: &mut accelnet_agent::simulated::DirectAgent, name: CheckName, node: &str| {
        let answer = agent.prereq(Some(INTENT)).expect("checks");
        let mut all = answer.checks.into_iter();
        all.find(|row| row.name == name && row.node == node)
    };
    // It is a member, and was never received of.
    put(&*store, "members/node2", MEMBER);
    let silent = row(&mut agents[0], CheckName::Node, "node2").expect("a row");
    assert_eq!(
        (silent.outcome, silent.code),
        (Outcome::Failed, Some(Code::NodeDown))
    );
    put(
        &*store,
        "alive/node2",
        r#"{"format":1,"value":{"since":"2026-01-01T00:00:00Z"}}"#,
    );
    let silent = row(&mut agents[0], CheckName::Node, "node2").expect("a row");
    assert_eq!(silent.outcome, Outcome::Unknown);
    agents[1].reconcile().expect("a store");
    for (name, node) in [
        (CheckName::Node, "node2"),
        (CheckName::Kernel, "node2"),
        (CheckName::Intent, "node2"),
        (CheckName::Sriov, "node2"),
        (CheckName::AdaptersAlike, "cluster"),
        (CheckName::Hyperthreading, "cluster"),
    ] {
        let row = row(&mut agents[0], name, node).unwrap_or_else(|| panic!("no row {name:?}"));
        assert_eq!(row.outcome, Outcome::Passed, "{row:?}");
    }
    // What it reports is what counts.
    let reports = Reports::new(store.clone(), "nobody")
        .all()
        .expect("reports");
    let report = reports.into_iter().find(|report| report.node == "node2");
    let mut report = report.expect("a report");
    report.smt = report.smt.map(|on| !on);
    report.hardware[0].model = "another".to_owned();
    let revision = store
        .get("reports/node2")
        .expect("a store")
        .expect("a report");
    let _ = store
        .put_json("reports/node2", &report, revision.mod_revision)
        .expect("written");
    let differs = row(&mut agents[0], CheckName::Hyperthreading, "cluster").expect("a row");
    assert_eq!(differs.code, Some(Code::HyperthreadingCheckFailed));
    let differs = row(&mut agents[0], CheckName::AdaptersAlike, "cluster").expect("a row");
    assert_eq!(
        (differs.outcome, differs.code),
        (Outcome::Warning, Some(Code::AdaptersDiffer))
    );
    assert!(differs.found.contains("node2: another"), "{differs:?}");
}

#[test]
fn a_drained_node_has_no_vfs_for_vms_until_it_is_undrained() {
    let store = memory();
    let machines = [Machine::boot(1), Machine::boot(2)];
    let mut agents: Vec<_> = machines
        .iter()
        .map(|one| one.agent(store.clone()))
        .collect();
    agents[0].add_intent(WHO, &intent_add(2)).expect("declared");
    agents[1].reconcile().expect("a store");
    agents[0].enable(WHO, &enable(0)).expect("enabled");
    let (machine, vm) = (&machines[1], machines[1].vm(1));
    machine.define(1);
    machine.define(2);
    assert!(
        only(agents[1].change_vms(WHO, &vm_enable(&vm)))
            .expect("an answer")
            .ok
    );
    machine.sim.vms.virsh_start(&vm).expect("started");
    agents[1].reconcile().expect("a store");
    assert_eq!(machine.sim.vms.vfs_in_use().len(), 1);
    let ask = |undrain, dry_run| NodeDrain {
        node: "node2".parse().expect("a name"),
        undrain,
        dry_run,
    };
    let shown = agents[0].drain(WHO, &ask(false, true)).expect("shown");
    assert_eq!((shown.applied, shown.vms.len()), (false, 1), "{shown:?}");
    assert!(shown.vms[0].can_migrate && shown.vms[0].has_vf, "{shown:?}");
    assert_eq!(machine.sim.vms.vfs_in_use().len(), 1);
    agents[0].drain(WHO, &ask(false, false)).expect("drained");
    agents[1].reconcile().expect("a store");
    assert_eq!(machine.sim.vms.vfs_in_use(), []);
    let shown = agents[0].drain(WHO, &ask(false, true)).expect("shown");
    assert!(!shown.vms[0].has_vf, "{shown:?}");
    // Its setting stays, and nobody gives it its VF back.
    agents[1].reconcile().expect("a store");
    assert_eq!(machine.sim.vms.vfs_in_use(), []);
    let refused = agents[1].change_vms(WHO, &vm_enable(&machine.vm(2)));
    assert_eq!(code(refused), Code::NodeDrained);
    agents[0].drain(WHO, &ask(true, false)).expect("undrained");
    agents[1].reconcile().expect("a store");
    assert_eq!(machine.sim.vms.vfs_in_use().len(), 1);
}
