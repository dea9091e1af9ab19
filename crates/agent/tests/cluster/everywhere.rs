//! Lists and shows cover all nodes, whichever node is asked.

use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::cluster::documents::{Down, Member};
use accelnet_agent::reports::Report;
use accelnet_agent::simulated::Simulated;
use accelnet_agent::simulated::served::{self, NODE, Served, VM};
use accelnet_api::Client;
use accelnet_api::types::{Standing, VmChange, VmSet, VmView};
use accelnet_model::domain::DomainState;
use accelnet_model::{Code, Observed, Performance, VfChoice};
use accelnet_sim::SimMachine;
use accelnet_store::testing::{EtcdServer, until};
use accelnet_store::{Store, Txn};
use tempfile::TempDir;

use crate::etcd::Node;
use crate::fixture::{enable, intent_add, only, vm_disable, vm_enable};

const OTHER: &str = "node2";
const AT: &str = "2026-01-01T00:00:00Z";
const UUID: &str = "0a1b2c3d-0000-4000-8000-0000000000ff";

/// An agent, and a store in which another node has reported.
struct Fixture {
    served: Served,
    /// Its VM, as it was shown at first.
    vm: VmView,
    store: Arc<dyn Store>,
    machine: SimMachine,
    _folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let machine = served::small(folder.path()).expect("a node");
        let edge = Simulated::new(machine.clone()).in_real_time();
        let store = served::store().expect("a store");
        let served = Served::start(folder.path(), Box::new(edge), store.clone(), None);
        let served = served.expect("an agent");
        Fixture {
            vm: served.root().vm(VM).expect("a VM"),
            served,
            store,
            machine,
            _folder: folder,
        }
    }

    /// The other node reports a VM like the own one.
    fn reports(&self, change: impl FnOnce(&mut VmView)) {
        self.reports_with(|report| change(&mut report.vms[0]));
    }

    /// The other node reports that VM and more.
    fn reports_with(&self, change: impl FnOnce(&mut Report)) {
        let mut report = Report::empty(OTHER, AT);
        report.vms.push(VmView {
            node: OTHER.to_owned(),
            ..self.vm.clone()
        });
        change(&mut report);
        self.put(Txn::new().put_json(format!("reports/{OTHER}"), &report));
    }

    /// The other node is down.
    fn fails(&self) {
        let member = Member {
            joined_at: AT.to_owned(),
            version: "1".to_owned(),
        };
        self.put(Txn::new().put_json(format!("members/{OTHER}"), &member));
        let since = "2026-01-02T00:00:00Z".to_owned();
        self.put(Txn::new().put_json(format!("down/{OTHER}"), &Down { since }));
    }

    fn put(&self, txn: Result<Txn, accelnet_store::StoreError>) {
        let _ = self.store.commit(&txn.expect("a document")).expect("done");
    }

    /// Name and node of each VM that is listed.
    fn listed(&self, node: Option<&str>) -> Vec<(String, String)> {
        let vms = self.served.root().vms_of(node).expect("VMs");
        vms.into_iter().map(|vm| (vm.name, vm.node)).collect()
    }
}

fn at(name: &str, node: &str) -> (String, String) {
    (name.to_owned(), node.to_owned())
}

#[test]
fn vms_of_all_nodes_are_listed_and_shown() {
    let fixture = Fixture::new();
    fixture.reports(|vm| {
        vm.name = "db".to_owned();
        vm.uuid = UUID.parse().expect("a UUID");
    });
    assert_eq!(fixture.listed(None), [at("db", OTHER), at(VM, NODE)]);
    assert_eq!(fixture.listed(Some(OTHER)), [at("db", OTHER)]);
    assert_eq!(fixture.listed(Some(NODE)), [at(VM, NODE)]);
    let root = fixture.served.root();
    for name in ["db", UUID] {
        let shown = root.vm(name).expect("a VM");
        assert_eq!((shown.node.as_str(), shown.last_report), (OTHER, None));
    }
    let report = root.node_report(OTHER).expect("a report");
    assert_eq!((report.vms.len(), report.last_report), (1, None));
    let unknown = root.vms_of(Some("node9")).expect_err("no such node");
    assert_eq!(unknown.code, Code::NodeNotFound);
    assert!(unknown.found.contains(OTHER), "{unknown:?}");
    let unknown = root.node_report("node9").expect_err("no such node");
    assert_eq!(unknown.code, Code::NodeNotFound);
}

#[test]
fn a_name_on_two_nodes_is_answered_with_both() {
    let fixture = Fixture::new();
    fixture.reports(|vm| vm.uuid = UUID.parse().expect("a UUID"));
    assert_eq!(fixture.listed(None), [at(VM, NODE), at(VM, OTHER)]);
    let refused = fixture.served.root().vm(VM).expect_err("two VMs");
    assert_eq!(refused.code, Code::VmAmbiguous);
    for node in [NODE, OTHER] {
        assert!(refused.found.contains(node), "{refused:?}");
    }
    assert!(refused.resolution.contains("--node"), "{refused:?}");
}

/// Nodes may share the definitions of their VMs.
#[test]
fn a_vm_is_listed_where_it_runs() {
    let fixture = Fixture::new();
    fixture.reports(|vm| vm.state = DomainState::Running);
    assert_eq!(fixture.listed(None), [at(VM, OTHER)]);
    assert_eq!(fixture.listed(Some(NODE)), [at(VM, NODE)]);
    fixture.reports(|vm| vm.state = DomainState::ShutOff);
    assert_eq!(fixture.listed(None), [at(VM, NODE), at(VM, OTHER)]);
}

/// A VM that was started elsewhere after its node failed.
#[test]
fn a_vm_is_not_listed_by_the_last_report_of_a_node_once_it_runs_on_another() {
    let fixture = Fixture::new();
    fixture.served.declare().expect("an intent");
    fixture.reports(|vm| vm.state = DomainState::Running);
    fixture.fails();
    assert_eq!(fixture.listed(None), [at(VM, OTHER)]);
    fixture.machine.vms.virsh_start(VM).expect("started");
    assert!(until(|| fixture.listed(None) == [at(VM, NODE)]));
}

#[test]
fn the_report_of_a_node_that_is_down_is_marked() {
    let fixture = Fixture::new();
    fixture.reports(|vm| vm.uuid = UUID.parse().expect("a UUID"));
    fixture.fails();
    let root = fixture.served.root();
    let shown = root.vms_of(Some(OTHER)).expect("VMs");
    let report = root.node_report(OTHER).expect("a report");
    assert_eq!(report.node.state, Standing::Down);
    for last in [shown[0].last_report.clone(), report.last_report] {
        let last = last.expect("marked");
        assert_eq!(last.at, AT);
        assert_eq!(last.reason, "node2 is down since 2026-01-02T00:00:00Z");
    }
    assert_eq!(
        root.vm(UUID).expect("a VM").last_report,
        shown[0].last_report
    );
    let own = root.vms_of(Some(NODE)).expect("VMs");
    assert_eq!(own[0].last_report, None);
}

#[test]
fn a_node_without_libvirt_lists_the_vms_of_the_others() {
    let fixture = Fixture::new();
    let root = fixture.served.root();
    fixture.machine.vms.set_away(true);
    let unknown = |node: &str| {
        let nodes = root.nodes().expect("nodes").into_iter();
        let mut nodes = nodes.filter(|view| view.name == node);
        nodes.next().expect("a node").vms_unknown
    };
    // Alone, it has nothing to list.
    assert!(until(|| root.vms().is_err()));
    assert!(unknown(NODE).is_some());
    let refused = root.vms().expect_err("no VMs are known");
    assert_eq!(refused.code, Code::VmStateUnknown);
    fixture.reports_with(|report| {
        let mut vm = report.vms.remove(0);
        vm.uuid = UUID.parse().expect("a UUID");
        report.vms.push(vm);
    });
    assert_eq!(fixture.listed(None), [at(VM, OTHER)]);
    assert_eq!(root.vm(VM).expect("a VM").node, OTHER);
    for (name, node) in [("nope", None), (VM, Some(NODE))] {
        let refused = match node {
            None => root.vm(name).map(drop),
            node => root.vms_of(node).map(drop),
        };
        assert_eq!(refused.expect_err("unknown").code, Code::VmStateUnknown);
    }
}

#[test]
fn a_node_without_libvirt_is_named_by_the_others() {
    let fixture = Fixture::new();
    fixture.reports_with(|report| {
        report.vms.clear();
        report.vms_unknown = Some("libvirt does not answer".to_owned());
    });
    let root = fixture.served.root();
    assert_eq!(fixture.listed(None), [at(VM, NODE)]);
    let refused = root.vms_of(Some(OTHER)).expect_err("unknown");
    assert_eq!(refused.code, Code::VmStateUnknown);
    assert_eq!(refused.found, "libvirt does not answer.");
    let shown = root.node_report(OTHER).expect("a report");
    assert_eq!(shown.node.vms_unknown, Some(refused.clone()));
    assert_eq!(root.vm("nope").expect_err("unknown"), refused);
}

#[test]
fn adapters_of_all_nodes_are_listed() {
    let fixture = Fixture::new();
    let root = fixture.served.root();
    let own = root.adapters(None).expect("adapters");
    assert_eq!((own.len(), own[0].node.as_str()), (1, NODE));
    fixture.reports_with(|report| {
        let mut adapter = own[0].clone();
        adapter.node = OTHER.to_owned();
        report.all_adapters = Observed::Known(vec![adapter]);
    });
    let listed = |node| {
        let all = root.adapters(node).expect("adapters").into_iter();
        let all = all.map(|one| (one.node, one.last_report.is_some()));
        all.collect::<Vec<_>>()
    };
    let row = |node: &str, marked| (node.to_owned(), marked);
    assert_eq!(listed(None), [row(NODE, false), row(OTHER, false)]);
    assert_eq!(listed(Some(OTHER)), [row(OTHER, false)]);
    fixture.fails();
    assert_eq!(listed(None), [row(NODE, false), row(OTHER, true)]);
    let unknown = root.adapters(Some("node9")).expect_err("no such node");
    assert_eq!(unknown.code, Code::NodeNotFound);
    // One of an earlier release, which reports none.
    fixture.reports_with(|report| report.all_adapters = Observed::unknown("an earlier release"));
    assert_eq!(listed(None), [row(NODE, false)]);
    let unknown = root.adapters(Some(OTHER)).expect_err("unknown");
    assert_eq!(unknown.code, Code::NotReadable);
    let nodes = root.nodes().expect("nodes").into_iter();
    let unknown: Vec<_> = nodes.filter_map(|node| node.adapters_unknown).collect();
    assert_eq!(unknown.len(), 1);
}

/// A list or show of `client` about a node: whether each thing in it is marked as of a last report.
type Row = fn(&Client, &str) -> Vec<bool>;

/// `vm list`, `vm show` and `vm nics`, `adapter list` and `adapter show`, `intent status`, `node show` with `faults`
/// and `health`.
const ROWS: [(&str, Row); 5] = [
    ("vm list", |client, node| {
        let vms = client.vms_of(Some(node)).expect("VMs").into_iter();
        vms.map(|vm| vm.last_report.is_some()).collect()
    }),
    ("vm show", |client, node| {
        let shown = client.vm(&vm_of(node)).ok();
        let shown = shown.filter(|vm| vm.node == node && !vm.vnics.is_empty());
        shown.iter().map(|vm| vm.last_report.is_some()).collect()
    }),
    ("adapter list", |client, node| {
        let adapters = client.adapters(Some(node)).expect("adapters");
        let adapters = adapters.iter();
        adapters.map(|one| one.last_report.is_some()).collect()
    }),
    ("intent status", |client, node| {
        let intents = client.intents().expect("intents").into_iter();
        let status = intents.flat_map(|view| view.status);
        let status = status.filter(|status| status.node == node);
        status.map(|one| one.last_report.is_some()).collect()
    }),
    ("node show", |client, node| {
        let report = client.node_report(node).expect("a report");
        vec![report.last_report.is_some()]
    }),
];

/// The VM of a node: node2 has vm21.
fn vm_of(node: &str) -> String {
    format!("vm{}1", node.trim_start_matches("node"))
}

/// Everything that `client` shows of a node, all at once: a node that is cut off waits for the store with each.
fn shown(client: &Client, node: &str) -> Vec<(&'static str, Vec<bool>)> {
    std::thread::scope(|scope| {
        let rows = ROWS.map(|(name, row)| (name, scope.spawn(move || row(client, node))));
        let rows = rows.into_iter();
        rows.map(|(name, row)| (name, row.join().expect("an answer")))
            .collect()
    })
}

/// Whether `client` shows everything of a node, and marks all of it or none.
fn shows(client: &Client, node: &str, marked: bool) -> bool {
    let shown = shown(client, node).into_iter();
    let mut rows = shown.map(|(_, row)| row);
    rows.all(|row| !row.is_empty() && row.iter().all(|one| *one == marked))
}

/// Four nodes with one intent, each with a VM.
fn four(server: &EtcdServer) -> Vec<Node> {
    let nodes: Vec<Node> = (1..=4).map(|number| Node::start(number, server)).collect();
    let added = nodes[0].client.intent_add(&intent_add(2));
    added.expect("declared");
    // Each node has to apply the intent first.
    assert!(until(|| nodes[0].client.enable(&enable(0)).is_ok()));
    for node in &nodes {
        node.machine.define(1);
    }
    all_show_all(&nodes);
    nodes
}

/// Each node shows all nodes as they are now.
fn all_show_all(nodes: &[Node]) {
    for node in nodes {
        for other in nodes {
            let name = &*other.machine.name;
            let seen = || shown(&node.client, name);
            assert!(until(|| shows(&node.client, name, false)), "{:?}", seen());
        }
    }
}

/// What is about the cluster as one: the same from each node.
fn each_shows_the_cluster(nodes: &[Node]) {
    let all = nodes.iter().map(|node| &node.machine);
    let all: Vec<_> = all.map(|one| (one.vm(1), one.name.clone())).collect();
    for node in nodes {
        let client = &node.client;
        let vms = client.vms().expect("VMs").into_iter();
        let vms: Vec<_> = vms.map(|vm| (vm.name, vm.node)).collect();
        assert_eq!(vms, all, "vm list");
        let adapters = client.adapters(None).expect("adapters").into_iter();
        let adapters: Vec<_> = adapters.map(|one| one.node).collect();
        let names: Vec<_> = all.iter().map(|(_, node)| node.clone()).collect();
        assert_eq!(adapters, names, "adapter list");
        let listed = client.nodes().expect("nodes").into_iter();
        let listed: Vec<_> = listed.map(|one| one.name).collect();
        assert_eq!(listed, names, "node list");
        let capacity = client.capacity().expect("capacity");
        assert_eq!(capacity.nodes.len(), names.len(), "capacity");
        let status = client.status().expect("a status");
        assert!(status.enabled, "status: the policy is one");
        client.plan().expect("a plan of the own node");
        let events = client.events_of(0, 100, Duration::ZERO, Some("node1"));
        let events = events.expect("events").events;
        assert!(!events.is_empty() && events.iter().all(|event| event.node == "node1"));
    }
}

/// What a change of the VM of `node` comes to, asked of another node: done, or a code.
fn changes(asked: &Node, node: &str) -> [Result<(), Code>; 4] {
    let vm = vm_of(node);
    let mut dry_run = vm_enable(&vm);
    if let VmChange::Enable(one) = &mut dry_run {
        one.dry_run = true;
    }
    let set = VmChange::Set(VmSet {
        names: vec![vm.clone()],
        performance: Some(Performance::Low),
        trust: Some(VfChoice::On),
        spoof_check: None,
        now: false,
        dry_run: false,
    });
    [dry_run, vm_enable(&vm), set, vm_disable(&vm)].map(|change| {
        let changed = asked.client.vms_change(&change);
        let result = only(changed).map_err(|problem| problem.code)?;
        match result.problem {
            Some(problem) => Err(problem.code),
            None => Ok(()),
        }
    })
}

#[test]
fn four_nodes_on_etcd_are_one_from_each() {
    let server = EtcdServer::start();
    let mut nodes = four(&server);
    each_shows_the_cluster(&nodes);
    assert_eq!(changes(&nodes[0], "node2"), [Ok(()); 4]);
    assert_eq!(changes(&nodes[3], "node3"), [Ok(()); 4]);
    // A node that is cut off marks the others, and one that is down and one that is cut off are marked by them.
    nodes[1].wire.cut();
    nodes[2].stop_agent();
    let [first, cut_off, down, last] = nodes.as_slice() else {
        panic!("four nodes");
    };
    std::thread::scope(|scope| {
        let alone = scope.spawn(|| {
            assert!(until(|| cut_off.is_cut_off()));
            assert!(shows(&cut_off.client, "node1", true));
            let own = cut_off.client.vms_of(Some("node2")).expect("VMs");
            assert!(own.iter().all(|vm| vm.last_report.is_none()));
            assert_eq!(changes(cut_off, "node1"), [Err(Code::NodeCutOff); 4]);
        });
        for node in [first, last] {
            for gone in [cut_off, down] {
                let name = &*gone.machine.name;
                assert!(until(|| shows(&node.client, name, true)), "{name}");
                assert_eq!(changes(node, name), [Err(Code::NodeDown); 4], "{name}");
            }
            assert!(shows(&node.client, &node.machine.name, false));
        }
        alone.join().expect("a node alone");
    });
    cut_off.wire.repair();
    for node in [first, cut_off, last] {
        assert!(until(|| shows(&node.client, "node2", false)));
        assert!(until(|| shows(&node.client, "node4", false)));
        assert!(until(|| shows(&node.client, "node3", true)));
    }
    assert_eq!(changes(first, "node2"), [Ok(()); 4], "it is back");
}
