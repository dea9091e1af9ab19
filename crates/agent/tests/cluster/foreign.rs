//! A real etcd that is emptied, replaced by another cluster's, or set back, while VMs run: nothing is torn
//! down, each is named, and each is recovered from.

use std::sync::Arc;

use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::cluster::restore::{accept, restore};
use accelnet_api::types::EventKind;
use accelnet_model::Code;
use accelnet_store::testing::{EtcdServer, until};
use accelnet_store::{Store, Txn};

use crate::etcd::{Node, PREFIX, pair};
use crate::fixture::{policy, vm_enable};

const AT: &str = "2026-05-01T12:00:00Z";

fn networks(node: &Node) -> usize {
    use accelnet_host::Vms;
    node.machine.sim.vms.networks().expect("networks").len()
}

/// Everything that runs is as it was, changes are refused, and it is said why.
fn stays(node: &Node, vfs_in_use: usize, why: &str) {
    assert!(until(|| node.is_cut_off()), "{:?}", node.status());
    let status = node.status();
    let fault = status
        .faults
        .iter()
        .find(|fault| fault.code == Code::StoreForeign);
    let fault = fault.unwrap_or_else(|| panic!("{:?}", status.faults));
    assert!(fault.found.contains(why), "{fault:?}");
    assert!(status.enabled, "what was read last is shown");
    let refused = node.enables(2).expect_err("refused");
    assert_eq!(refused.code, Code::StoreForeign, "{refused:?}");
    assert!(refused.found.contains(why), "{refused:?}");
    assert!(refused.resolution.contains("accelnet store restore"));
    assert_eq!((node.vfs(), node.vfs_in_use()), (2, vfs_in_use));
    assert_eq!(networks(node), 2);
}

fn goes_on(nodes: &[Node; 2], store: &Arc<dyn Store>) {
    for node in nodes {
        assert!(until(|| !node.is_cut_off()), "{:?}", node.status());
        assert_eq!((node.vfs(), networks(node)), (2, 2));
    }
    assert!(
        until(|| nodes[0].enables(2).is_ok()),
        "{:?}",
        nodes[0].status()
    );
    assert!(policy(store).vms.iter().any(|(vm, _)| vm.name == "vm12"));
    let reported = nodes[0].was_recorded(EventKind::Noticed, "this cluster's again");
    assert!(reported, "it is in the log");
    // A change of one node reaches the other: its watch goes on where the store is now.
    nodes[1].enables(1).expect("accelerated");
    assert!(until(|| nodes[0].status().nodes_down.is_empty()));
}

#[test]
fn emptied_and_restored() {
    let server = EtcdServer::start();
    let mut nodes = pair(&server);
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    let backup = Backup::take(&*store, AT).expect("a backup");
    server.etcdctl(&["del", "--prefix", &format!("/{PREFIX}/")]);
    stays(&nodes[0], 1, "emptied");
    stays(&nodes[1], 0, "emptied");
    // Also one that starts anew.
    nodes[1].stop_agent();
    nodes[1].start_agent();
    stays(&nodes[1], 0, "emptied");
    restore(&*store, "etcd", &backup, AT, 1, false).expect("restored");
    goes_on(&nodes, &store);
}

#[test]
fn emptied_and_accepted() {
    let server = EtcdServer::start();
    let nodes = pair(&server);
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    let identity = Backup::take(&*store, AT).expect("a backup").identity();
    server.etcdctl(&["del", "--prefix", &format!("/{PREFIX}/policy/")]);
    stays(&nodes[0], 1, "emptied");
    accept(&*store, "etcd", identity.as_ref(), 1, false).expect("accepted");
    for (node, vfs_in_use) in nodes.iter().zip([1, 0]) {
        assert!(until(|| !node.is_cut_off()));
        // What the intent made stays until somebody says otherwise.
        let lost = |node: &Node| {
            let faults = node.status().faults;
            faults.iter().any(|fault| fault.code == Code::StoreForeign)
        };
        assert!(until(|| lost(node)), "{:?}", node.status());
        assert_eq!((node.vfs(), node.vfs_in_use()), (2, vfs_in_use));
        assert_eq!(networks(node), 2);
    }
}

#[test]
fn replaced_by_another_clusters() {
    let server = EtcdServer::start();
    let other = EtcdServer::start();
    let nodes = pair(&server);
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    let backup = Backup::take(&*store, AT).expect("a backup");
    let strangers = pair(&other);
    let strange = other.store(PREFIX).range("").expect("content").entries;
    drop(strangers);
    server.etcdctl(&["del", "--prefix", &format!("/{PREFIX}/")]);
    for entry in strange {
        let txn = Txn::new().put(entry.key, entry.value);
        let _ = store.commit(&txn).expect("put");
    }
    stays(&nodes[0], 1, "of the cluster with the id");
    stays(&nodes[1], 0, "of the cluster with the id");
    let identity = backup.identity();
    let refused = accept(&*store, "etcd", identity.as_ref(), 1, false).expect_err("refused");
    assert_eq!(refused.code, Code::ClusterRefused);
    restore(&*store, "etcd", &backup, AT, 1, false).expect("restored");
    goes_on(&nodes, &store);
}

#[test]
fn set_back_to_a_snapshot() {
    let mut server = EtcdServer::start();
    let nodes = pair(&server);
    let snapshot = server.snapshot();
    for node in &nodes {
        assert!(until(|| !node.is_cut_off()));
    }
    nodes[0].enables(2).expect("accelerated");
    let vms = &nodes[0].machine.sim.vms;
    vms.virsh_start("vm12").expect("started");
    assert_eq!(nodes[0].vfs_in_use(), 2);
    let newer = Backup::take(&server.store(PREFIX), AT).expect("a backup");
    server.set_back(&snapshot);
    stays_set_back(&nodes);
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    let known = newer.identity();
    accept(&*store, "etcd", known.as_ref(), 1, false).expect("accepted");
    for node in &nodes {
        assert!(until(|| !node.is_cut_off()), "{:?}", node.status());
    }
    // What was decided after the snapshot runs on, and a newer backup knows it.
    assert_eq!(nodes[0].vfs_in_use(), 2);
    assert!(policy(&store).vms.iter().all(|(vm, _)| vm.name != "vm12"));
    restore(&*store, "etcd", &newer, AT, 1, false).expect("restored");
    assert!(until(|| policy(&store)
        .vms
        .iter()
        .any(|(vm, _)| vm.name == "vm12")));
    assert!(until(|| nodes.iter().all(|node| !node.is_cut_off())));
    assert_eq!((nodes[0].vfs(), nodes[0].vfs_in_use()), (2, 2));
    nodes[0].disables(2).expect("taken back");
}

/// As an administrator restores a backup while all agents are stopped: what is lost are events alone.
#[test]
fn set_back_by_a_tool_while_the_agents_were_stopped() {
    let mut server = EtcdServer::start();
    let mut nodes = pair(&server);
    let store: Arc<dyn Store> = Arc::new(server.store(PREFIX));
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = folder.path().join("snapshot");
    server.save_snapshot(&snapshot);
    let lost = store.range("").expect("a store").revision;
    drop(nodes[0].client.vms_change(&vm_enable("nobody")));
    assert!(until(|| nodes[0].knows() > lost), "an event was recorded");
    for node in &mut nodes {
        node.stop_agent();
    }
    let policy_before = store.range("policy/").expect("a store").entries;
    server.restore_snapshot(&snapshot);
    assert_eq!(
        store.range("policy/").expect("a store").entries,
        policy_before
    );
    nodes[0].start_agent();
    stays(&nodes[0], 1, "an older state was restored");
    let known = Backup::take(&*store, AT).expect("a backup").identity();
    accept(&*store, "etcd", known.as_ref(), 1, false).expect("accepted");
    nodes[1].start_agent();
    goes_on(&nodes, &store);
}

fn stays_set_back(nodes: &[Node; 2]) {
    stays(&nodes[0], 2, "an older state was restored");
    stays(&nodes[1], 0, "an older state was restored");
}
