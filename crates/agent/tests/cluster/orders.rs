//! A change of a VM that is on another node goes to that node's agent through the store.

use std::sync::Arc;

use accelnet_agent::cluster::documents::Member;
use accelnet_agent::run::{Place, Running, start};
use accelnet_agent::simulated::Simulated;
use accelnet_agent::simulated::served;
use accelnet_api::types::*;
use accelnet_api::{Client, Server};
use accelnet_model::intent::IntentState;
use accelnet_model::{Code, Performance};
use accelnet_store::testing::{EtcdServer, until};
use accelnet_store::{Store, Txn};
use tempfile::TempDir;

use crate::etcd;
use crate::fixture::{INTENT, Machine, enable, intent_add, vm_disable, vm_enable};

/// Agents on one store in memory, as many as nodes, each with two VMs.
struct Cluster {
    clients: Vec<Client>,
    machines: Vec<Machine>,
    store: Arc<dyn Store>,
    running: Vec<Running>,
    _folder: TempDir,
}

impl Cluster {
    fn of(nodes: u8) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = served::store().expect("a store");
        let mut cluster = Cluster {
            clients: Vec::new(),
            machines: Vec::new(),
            store,
            running: Vec::new(),
            _folder: folder,
        };
        (1..=nodes).for_each(|number| cluster.start(number));
        let first = &cluster.clients[0];
        first.intent_add(&intent_add(2)).expect("declared");
        let is_done = || {
            let view = first.intent(INTENT).expect("an intent");
            let done = view.status.iter();
            let done = done.filter(|status| status.state == IntentState::Completed);
            done.count() == usize::from(nodes)
        };
        assert!(until(is_done), "{:?}", first.intent(INTENT));
        first.enable(&enable(0)).expect("enabled");
        for machine in &cluster.machines {
            machine.define(1);
            machine.define(2);
        }
        // The agents look when libvirt reports a change of a VM, and write their reports.
        let all = usize::from(nodes) * 2;
        assert!(until(|| first.vms().is_ok_and(|vms| vms.len() == all)));
        cluster
    }

    fn start(&mut self, number: u8) {
        let machine = Machine::boot(number);
        let socket = self._folder.path().join(&machine.name);
        let server = Server::bind(&socket).expect("a socket");
        let edge = Simulated::new(machine.sim.clone()).in_real_time();
        let place = Place::shared(self.store.clone());
        let running = start(
            Box::new(edge),
            place,
            machine.name.parse().expect("a name"),
            server,
            false,
        );
        self.running.push(running.expect("an agent"));
        self.clients.push(Client::new(socket));
        self.machines.push(machine);
    }

    fn orders(&self) -> Vec<String> {
        let range = self.store.range("nodes/").expect("a store");
        let keys = range.entries.into_iter().map(|entry| entry.key);
        keys.filter(|key| key.contains("/orders/")).collect()
    }

    /// The events of the changes of a VM that a caller asked for.
    fn requested(&self, vm: &str) -> Vec<Event> {
        let events = self.clients[0].events(0, 1000, std::time::Duration::ZERO);
        let events = events.expect("events").events.into_iter();
        let asked = |event: &Event| event.user.is_some() && event.subject.contains(vm);
        events.filter(asked).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for agent in self.running.drain(..) {
            agent.stopper().stop();
            agent.wait();
        }
    }
}

fn enabling(names: &[&str], dry_run: bool) -> VmChange {
    VmChange::Enable(VmEnable {
        names: names.iter().map(ToString::to_string).collect(),
        performance: Performance::Low,
        now: false,
        add_nic: false,
        dry_run,
        mac: None,
        trust: None,
        spoof_check: None,
    })
}

/// VM, node and whether it went well.
fn outcomes(changed: &VmChanged) -> Vec<(&str, Option<&str>, bool)> {
    let results = changed.results.iter();
    results
        .map(|one| (one.name.as_str(), one.node.as_deref(), one.ok))
        .collect()
}

#[test]
fn a_vm_of_another_node_is_changed_there() {
    let cluster = Cluster::of(4);
    let [one, _, three, _] = cluster.clients.as_slice() else {
        panic!("four nodes");
    };
    let dry = one
        .vms_change(&enabling(&["vm21"], true))
        .expect("an answer");
    assert_eq!(outcomes(&dry), [("vm21", Some("node2"), true)]);
    assert_eq!(cluster.requested("vm21").len(), 0, "nothing was changed");
    let done = three.vms_change(&vm_enable("vm21")).expect("an answer");
    assert_eq!(outcomes(&done), [("vm21", Some("node2"), true)]);
    let view = done.results[0].vm.as_ref().expect("a view");
    assert_eq!(view.performance, Some(Performance::Low));
    let events = cluster.requested("vm21");
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (events[0].node.as_str(), events[0].kind),
        ("node2", EventKind::Changed)
    );
    let from = events[0].origin.as_ref().expect("an origin");
    assert_eq!(
        (from.is_socket(), from.node.as_deref()),
        (true, Some("node3"))
    );
    let uuid = cluster.machines[1].uuid(1).to_ascii_uppercase();
    let done = one.vms_change(&vm_disable(&uuid)).expect("an answer");
    assert_eq!(outcomes(&done), [("vm21", Some("node2"), true)]);
    assert_eq!(cluster.orders(), Vec::<String>::new());
}

#[test]
fn a_request_for_vms_of_several_nodes_is_parted() {
    let cluster = Cluster::of(4);
    let names = ["vm?2", "vm31", "nobody", "vm11"];
    let done = cluster.clients[0].vms_change(&enabling(&names, false));
    let done = done.expect("an answer");
    assert_eq!(
        outcomes(&done),
        [
            ("vm12", Some("node1"), true),
            ("vm22", Some("node2"), true),
            ("vm32", Some("node3"), true),
            ("vm42", Some("node4"), true),
            ("vm31", Some("node3"), true),
            ("nobody", None, false),
            ("vm11", Some("node1"), true),
        ]
    );
    let done = cluster.clients[0].vms_change_of(Some("node4"), &enabling(&["vm*"], false));
    let done = done.expect("an answer");
    let nodes: Vec<Option<&str>> = outcomes(&done)
        .into_iter()
        .map(|(_, node, _)| node)
        .collect();
    assert_eq!(nodes, [Some("node4"), Some("node4")]);
    let elsewhere = cluster.clients[0].vms_change_of(Some("node4"), &vm_enable("vm11"));
    let problem = elsewhere.expect("an answer").results.remove(0).problem;
    assert_eq!(problem.expect("refused").code, Code::VmNotFound);
    let nowhere = cluster.clients[0].vms_change_of(Some("node9"), &vm_enable("vm11"));
    assert_eq!(nowhere.expect_err("refused").code, Code::NodeNotFound);
}

/// Whichever node is asked, also one without VMs.
#[test]
fn a_name_that_no_vm_has_is_answered_with_the_nearest_of_the_cluster() {
    let cluster = Cluster::of(2);
    let found = |asked: usize, node: Option<&str>, name: &str| {
        let done = cluster.clients[asked].vms_change_of(node, &vm_enable(name));
        let problem = done.expect("an answer").results.remove(0).problem;
        let problem = problem.expect("refused");
        assert_eq!(problem.code, Code::VmNotFound);
        problem.found
    };
    let both = "2 nodes have 4 VMs; the nearest name is vm22, on node2.";
    assert_eq!(found(0, None, "vm222"), both);
    assert_eq!(found(1, None, "vm222"), both);
    for node in 0..2 {
        let only = "node1 has 2 VMs; the nearest name is vm11.";
        assert_eq!(found(node, Some("node1"), "vm111"), only);
    }
    let drain = |undrain| NodeDrain {
        node: "node1".parse().expect("a name"),
        undrain,
        dry_run: false,
    };
    cluster.clients[0]
        .node_drain(&drain(false))
        .expect("drained");
    let refused = cluster.clients[0].vms_change(&vm_enable("vm222"));
    let refused = refused.expect_err("refused");
    assert_eq!(
        (refused.code, refused.found.as_str()),
        (Code::VmNotFound, both)
    );
    let refused = cluster.clients[0].vms_change(&vm_enable("vm11"));
    assert_eq!(refused.expect_err("refused").code, Code::NodeDrained);
    cluster.clients[0]
        .node_drain(&drain(true))
        .expect("undrained");
    for vm in [1, 2] {
        cluster.machines[0].undefine(vm);
    }
    assert!(until(|| cluster.clients[1]
        .vms()
        .is_ok_and(|vms| vms.len() == 2)));
    let other = "node2 has 2 VMs; the nearest name is vm22.";
    assert_eq!(found(0, None, "vm222"), other);
    assert_eq!(found(0, Some("node1"), "vm222"), "node1 has no VM.");
}

/// A node whose agent does not run applies nothing.
#[test]
fn nodes_that_have_not_applied_a_change_are_named() {
    let mut cluster = Cluster::of(2);
    let stopped = cluster.running.pop().expect("an agent");
    stopped.stopper().stop();
    stopped.wait();
    let one = cluster.clients[0].clone();
    let pending = || {
        let nodes = one.nodes().expect("nodes").into_iter();
        let nodes = nodes.map(|node| (node.name, node.settings_pending, node.removed_intents));
        nodes.collect::<Vec<_>>()
    };
    let none = Vec::<String>::new();
    let row =
        |name: &str, settings, removed: &[String]| (name.to_owned(), settings, removed.to_vec());
    assert!(
        until(|| pending() == [row("node1", false, &none), row("node2", false, &none)]),
        "{:?}",
        pending()
    );
    one.disable(false).expect("disabled");
    assert_eq!(
        pending(),
        [row("node1", false, &none), row("node2", true, &none)]
    );
    for vm in [1, 2] {
        cluster.machines[0].undefine(vm);
    }
    one.intent_remove(INTENT, false).expect("removed");
    let removed = [INTENT.to_owned()];
    assert_eq!(
        pending(),
        [row("node1", false, &none), row("node2", true, &removed)]
    );
    cluster.start(2);
    assert!(
        until(|| pending() == [row("node1", false, &none), row("node2", false, &none)]),
        "{:?}",
        pending()
    );
}

#[test]
fn what_the_other_node_refuses_is_answered_with_its_code() {
    let cluster = Cluster::of(2);
    let set = VmChange::Set(VmSet {
        names: vec!["vm21".to_owned()],
        performance: Some(Performance::Low),
        trust: None,
        spoof_check: None,
        now: false,
        dry_run: false,
    });
    let refused = cluster.clients[0].vms_change(&set).expect("an answer");
    assert_eq!(outcomes(&refused), [("vm21", Some("node2"), false)]);
    let problem = refused.results[0].problem.as_ref().expect("a problem");
    assert_eq!(problem.code, Code::VmNotAccelerated);
    cluster.clients[0].disable(false).expect("disabled");
    let refused = cluster.clients[0].vms_change(&vm_enable("vm21"));
    assert_eq!(refused.expect_err("refused").code, Code::ManagementDisabled);
}

#[test]
fn two_nodes_ask_for_one_vm_at_once() {
    let cluster = Cluster::of(3);
    let [one, _, three] = cluster.clients.as_slice() else {
        panic!("three nodes");
    };
    std::thread::scope(|scope| {
        let asking = [one, three].map(|client| {
            scope.spawn(move || client.vms_change(&vm_enable("vm21")).expect("an answer"))
        });
        for asked in asking {
            let done = asked.join().expect("an answer");
            assert_eq!(outcomes(&done), [("vm21", Some("node2"), true)], "{done:?}");
        }
    });
    assert_eq!(
        cluster.requested("vm21").len(),
        1,
        "the second finds it done"
    );
    assert_eq!(cluster.orders(), Vec::<String>::new());
}

#[test]
fn a_node_that_is_down_is_answered_for_at_once() {
    let cluster = Cluster::of(1);
    let mut report = cluster.clients[0].vms_of(Some("node1")).expect("VMs");
    let mut vm = report.remove(0);
    (vm.name, vm.node) = ("db".to_owned(), "node2".to_owned());
    vm.uuid = "0a1b2c3d-0000-4000-8000-0000000000ff"
        .parse()
        .expect("a UUID");
    let mut report = accelnet_agent::reports::Report::empty("node2", "2026-01-01T00:00:00Z");
    report.vms.push(vm);
    let member = Member {
        joined_at: "2026-01-01T00:00:00Z".to_owned(),
        version: "1".to_owned(),
    };
    let txn = Txn::new().put_json("reports/node2", &report).expect("JSON");
    let txn = txn.put_json("members/node2", &member).expect("JSON");
    let _ = cluster.store.commit(&txn).expect("a store");
    let before = cluster.store.range("nodes/").expect("a store").entries;
    let refused = cluster.clients[0].vms_change(&vm_enable("db"));
    assert_eq!(refused.expect_err("refused").code, Code::NodeDown);
    let several = cluster.clients[0].vms_change(&enabling(&["db", "vm11"], false));
    assert_eq!(
        outcomes(&several.expect("an answer")),
        [("db", Some("node2"), false), ("vm11", Some("node1"), true)]
    );
    let events = cluster.requested("db");
    assert!(
        events
            .iter()
            .all(|event| event.code == Some(Code::NodeDown))
    );
    assert_eq!(events.len(), 2, "{events:?}");
    let after = cluster.store.range("nodes/").expect("a store").entries;
    assert_eq!(after, before, "nothing was written");
}

/// A node that reaches no etcd takes no order; when it is known to be down, nothing is written for it.
#[test]
fn a_node_that_is_cut_off_takes_nothing() {
    let server = EtcdServer::start();
    let [one, other] = etcd::pair(&server);
    let vm = other.machine.vm(1);
    assert!(until(|| one.client.vm(&vm).is_ok()));
    one.client.vms_change(&vm_enable(&vm)).expect("an answer");
    other.wire.cut();
    let refused = one
        .client
        .vms_change(&vm_disable(&vm))
        .expect_err("refused");
    assert_eq!(refused.code, Code::RequestNotTaken, "{refused:?}");
    assert!(refused.found.contains("no heartbeat since"), "{refused:?}");
    let refused = one
        .client
        .vms_change(&vm_disable(&vm))
        .expect_err("refused");
    assert_eq!(refused.code, Code::NodeDown);
    other.wire.repair();
    assert!(until(|| !other.is_cut_off()));
    assert!(other.client.vm(&vm).expect("a VM").performance.is_some());
    let changed = || {
        one.client
            .vms_change(&vm_disable(&vm))
            .is_ok_and(|done| done.ok)
    };
    assert!(until(changed));
}

/// What a node that is gone asked for goes with its lease.
#[test]
fn an_order_of_a_node_that_is_gone_is_gone() {
    let server = EtcdServer::start();
    let [one, mut other] = etcd::pair(&server);
    let vm = other.machine.vm(1);
    assert!(until(|| one.client.vm(&vm).is_ok()));
    other.stop_agent();
    let store = server.store(etcd::PREFIX);
    let orders = || store.range("nodes/node2/orders/").expect("read").entries;
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| one.client.vms_change(&vm_enable(&vm)));
        assert!(until(|| !orders().is_empty()));
        one.wire.cut();
        assert!(until(|| orders().is_empty()), "its lease ended");
        let refused = asking.join().expect("an answer").expect_err("cut off");
        assert_eq!(refused.code, Code::RequestUnanswered);
    });
    other.start_agent();
    assert!(until(|| other.client.vm(&vm).is_ok()));
    assert!(other.client.vm(&vm).expect("a VM").performance.is_none());
}
