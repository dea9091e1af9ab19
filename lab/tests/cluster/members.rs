//! Nodes with agents that share an etcd, and what is asked of them.

use std::time::Duration;

use accelnet_lab::{Cluster, Node};
use serde_json::Value;

/// What an agent does by itself, it does within seconds; a busy machine may take much longer.
pub const SOON: Duration = Duration::from_secs(180);
/// libvirt's first answer; a busy machine may take much longer than the usual seconds.
const LIBVIRT: Duration = Duration::from_secs(240);

/// Has every node run an agent on an etcd of the first one, as one cluster.
pub fn founded(cluster: &Cluster) {
    for node in cluster.nodes() {
        node.wait_until("libvirt", "virsh version", LIBVIRT)
            .unwrap_or_else(|error| panic!("{error}"));
        let _ = node.ok("modprobe -a vfio-pci bridge tun; accelnet setup");
    }
    let store = cluster.start_etcd(&[1]);
    let store = store.unwrap_or_else(|error| panic!("{error}"));
    for (place, node) in cluster.nodes().iter().enumerate() {
        let how = if place == 0 { "init" } else { "join" };
        let _ = node.ok(&format!("accelnet cluster {how} --store {store}"));
    }
    all_up(cluster);
}

/// Waits until every node sends heartbeats, as the first one sees it.
pub fn all_up(cluster: &Cluster) {
    let nodes = cluster.nodes().len();
    let script =
        format!("[ $(accelnet node list --output json | grep -c '\"state\": \"up\"') = {nodes} ]");
    let waited = cluster.node(1).wait_until("all nodes", &script, SOON);
    waited.unwrap_or_else(|error| panic!("{error}\n{}", cluster.node(1).run("accelnet node list")));
}

/// The same with intent `lan` with so many VFs on every node's `pf0`, which is on the wire, and
/// management enabled on it without a reserve.
pub fn managed(cluster: &Cluster, vfs: u32) {
    founded(cluster);
    let first = cluster.node(1);
    let _ = first.run(&format!(
        "accelnet intent add lan --compute --adapter pf0 --vfs {vfs}"
    ));
    for node in cluster.nodes() {
        completed(node);
        // QEMU's igb hands a PF its own broadcasts back, from which the bridge would learn that its
        // VMs are outside.
        let _ = node.ok("bridge link set dev pf0 learning off");
    }
    let _ = done(first, "enable --intent lan --node-reserve 0");
}

/// Waits until the intent is completed on a node, as that node shows.
pub fn completed(node: &Node) {
    let script = format!(
        "accelnet intent status lan --output json | grep -A3 '\"node\": \"{}\"' | grep completed",
        node.name()
    );
    node.wait_until("the intent", &script, SOON)
        .unwrap_or_else(|error| {
            let told = node.run("accelnet intent status lan; accelnet log");
            panic!("{error}\n{told}")
        });
}

/// The answer to a command that must succeed.
pub fn done(node: &Node, args: &str) -> Value {
    let output = node.run(&format!("accelnet {args} --output json"));
    assert!(output.success(), "accelnet {args}: {output}");
    serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("accelnet {args} printed no JSON ({error}): {output}"))
}

/// A VM as `accelnet vm show` reports it.
pub fn shown(node: &Node, vm: &str) -> Value {
    done(node, &format!("vm show {vm} --node {}", node.name()))
}

/// The fault of a VM on this node, if it has one.
pub fn fault_of(node: &Node, vm: &str) -> Value {
    let answer = node.run("accelnet faults --output json").stdout;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let all = answer["faults"].as_array().or(answer.as_array());
    let found = all.and_then(|all| {
        all.iter()
            .find(|one| one["subject"] == vm && one["node"] == node.name())
    });
    found.cloned().unwrap_or_default()
}
