//! What a node meets among others.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::cluster::{CutOff, Why, membership};
use accelnet_agent::orders;
use accelnet_agent::policy::PolicyStore;
use accelnet_agent::reports::Report;
use accelnet_agent::simulated::Simulated;
use accelnet_agent::simulated::served::{self, Served};
use accelnet_api::types::NodeDrain;
use accelnet_host::observe;
use accelnet_model::intent::{Intent, Role};
use accelnet_model::{Code, Performance, Problem};
use accelnet_rules::prereq::{self, IntentAdapter, Peer, PeerIntent, PeerReport, Scope};
use accelnet_store::{Embedded, Etcd, History, Txn};

use crate::fixture::{Fixture, INTENT, NODE, WHO, enable};
use crate::support::{node, types};

fn refused<T>(answer: Result<T, Problem>) -> Vec<Code> {
    let problem = answer.err();
    problem.map(|problem| problem.code).into_iter().collect()
}

fn drain(node: &str) -> NodeDrain {
    NodeDrain {
        node: node.parse().expect("a name"),
        undrain: false,
        dry_run: false,
    }
}

/// No etcd listens on its port.
pub fn an_etcd_that_is_away() -> Vec<Code> {
    let address = "etcd://127.0.0.1:1".parse().expect("an address");
    let store = Etcd::open(&address, None).expect("a store");
    refused(PolicyStore::new(Arc::new(store), NODE).read())
}

/// Somebody wrote over it, and the agent began after that.
pub fn management_that_cannot_be_read() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    let txn = Txn::new().put("policy/management", "{}");
    let _ = fixture.store.commit(&txn).expect("a store");
    fixture.start();
    let change = enable("web1", Performance::Low, false);
    refused(fixture.agent().change_vms(WHO, &change))
}

/// As an older state of the store has it.
pub fn an_intent_that_the_store_lost() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    let txn = Txn::new().delete(format!("policy/intents/{INTENT}"));
    let _ = fixture.store.commit(&txn).expect("a store");
    fixture.agent().reconcile().expect("a pass");
    let faults = fixture.report().faults.into_iter();
    faults.map(|fault| fault.code).collect()
}

/// As the agent tells it that finds the other one.
pub fn a_name_that_another_agent_has() -> Vec<Code> {
    let taken = CutOff {
        since: "2026-01-01T00:00:00Z".to_owned(),
        found: "node1: the other agent runs on another machine".to_owned(),
        why: Why::NameTaken,
        uptime: Duration::ZERO,
    };
    vec![taken.problem().code]
}

/// Somebody wrote down that it belongs to the cluster.
pub fn a_member_that_never_came() -> Vec<Code> {
    let mut fixture = Fixture::new();
    let member = br#"{"format":1,"value":{"joined_at":"2026-01-01T00:00:00Z","version":"0.1.0"}}"#;
    let txn = Txn::new().put("members/node2", member.to_vec());
    let _ = fixture.store.commit(&txn).expect("a store");
    let answer = fixture.agent().prereq(None).expect("checks");
    answer
        .checks
        .into_iter()
        .filter_map(|row| row.code)
        .collect()
}

/// From an agent that withdrew its order.
pub fn a_node_without_time_for_an_order() -> Vec<Code> {
    let found = "node2 is up; its agent is busy.";
    vec![orders::not_taken("node2", found).code]
}

/// From an agent whose order was not answered.
pub fn a_node_that_went_down_with_an_order() -> Vec<Code> {
    let found = "node2 has sent no heartbeat since 2026-01-01T00:00:00Z.";
    vec![orders::unanswered("node2", found).code]
}

/// As an agent of it answers.
pub fn what_a_later_release_reports() -> Vec<Code> {
    let said = r#"{"code": "moon_too_full", "message": "The moon is too full.", "found": "It is.",
        "needed": "Less of it.", "resolution": "Wait."}"#;
    let problem: Problem = serde_json::from_str(said).expect("a problem");
    vec![problem.code]
}

pub fn a_vm_on_a_drained_node() -> Vec<Code> {
    let mut fixture = Fixture::enabled();
    fixture.define("web1", 1, 4);
    fixture.agent().drain(WHO, &drain(NODE)).expect("drained");
    let change = enable("web1", Performance::Low, false);
    refused(fixture.agent().change_vms(WHO, &change))
}

pub fn a_node_that_is_not_there() -> Vec<Code> {
    refused(Fixture::new().agent().drain(WHO, &drain("node9")))
}

pub fn a_cluster_that_is_there_already() -> Vec<Code> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    membership::create(&store, "memory", "2026-01-01T00:00:00Z", false).expect("founded");
    refused(membership::create(
        &store,
        "memory",
        "2026-01-01T00:00:00Z",
        false,
    ))
}

/// The codes that a command names in its error.
fn named(command: &str) -> Vec<Code> {
    let shown = types(&node(|igb| igb), command);
    let words = shown.err.split([' ', '[', ']', ',', '\n']);
    words.filter_map(|word| word.parse().ok()).collect()
}

/// No etcd listens on its port.
pub fn a_cluster_on_an_etcd_that_is_away() -> Vec<Code> {
    named("accelnet cluster init --store etcd://127.0.0.1:1 --dry-run")
}

pub fn a_machine_on_its_own_that_leaves() -> Vec<Code> {
    named("accelnet cluster leave --dry-run")
}

/// It lies in a folder that every user can write, and is asked to have itself run as root.
pub fn a_program_that_others_can_replace() -> Vec<Code> {
    let folder = tempfile::tempdir().expect("a folder");
    let everybody = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path(), everybody).expect("set");
    let program = folder.path().join("accelnet");
    std::fs::copy(env!("CARGO_BIN_EXE_accelnet"), &program).expect("copied");
    let setup = std::process::Command::new(program)
        .args(["setup", "--dry-run"])
        .output()
        .expect("run");
    assert_eq!(setup.status.code(), Some(106));
    let said = String::from_utf8(setup.stderr).expect("text");
    let words = said.split([' ', '[', ']', ',', '\n']);
    words.filter_map(|word| word.parse().ok()).collect()
}

pub fn nodes_with_other_adapters() -> Vec<Code> {
    let booted = node(|igb| igb.vfs(7));
    let seen = observe::node(&booted.host.host());
    let intent = Intent {
        name: INTENT.parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    };
    let adapter = |model: &str| IntentAdapter {
        intent: INTENT.to_owned(),
        adapter: "ens1".to_owned(),
        model: model.to_owned(),
        speed_mbps: Some(10_000),
        most_queue_pairs: Some(4),
    };
    let peer = Peer {
        node: "node2".to_owned(),
        down_since: None,
        report: Some(PeerReport {
            smt: None,
            checks: Vec::new(),
            intents: vec![PeerIntent {
                name: INTENT.to_owned(),
                problem: None,
            }],
            adapters: vec![adapter("another")],
        }),
    };
    let rows = prereq::judge_cluster(&seen, &[adapter("one")], &[peer], &[intent], &Scope::All, 1);
    rows.into_iter().filter_map(|row| row.code).collect()
}

/// Another node reports a VM of the same name.
pub fn a_name_on_two_nodes() -> Vec<Code> {
    let folder = tempfile::tempdir().expect("a folder");
    let edge = Simulated::new(served::small(folder.path()).expect("a node")).in_real_time();
    let store = served::store().expect("a store");
    let agent = Served::start(folder.path(), Box::new(edge), store.clone(), None);
    let agent = agent.expect("an agent");
    let mut vm = agent.root().vm(served::VM).expect("a VM");
    vm.node = "node2".to_owned();
    vm.uuid = "0a1b2c3d-0000-4000-8000-0000000000ff"
        .parse()
        .expect("a UUID");
    let mut report = Report::empty(&vm.node, "2026-01-01T00:00:00Z");
    report.vms.push(vm);
    let txn = Txn::new().put_json("reports/node2", &report);
    let _ = store.commit(&txn.expect("a report")).expect("a store");
    refused(agent.root().vm(served::VM))
}
