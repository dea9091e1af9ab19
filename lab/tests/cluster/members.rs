//! Nodes with agents that share an etcd, and what is asked of them.

use std::time::Duration;

use accelnet_lab::{Cluster, Node};
use serde_json::Value;

/// What an agent does by itself, it does within seconds; a busy machine may take much longer.
pub const SOON: Duration = Duration::from_secs(180);
/// libvirt tries every emulator at first contact, which takes a minute on a busy machine.
const LIBVIRT: Duration = Duration::from_secs(240);

/// Has every node run an agent, and the first one declare intent `lan` with so many VFs on its `pf0`
/// and enable management on it without a reserve.
pub fn managed(cluster: &Cluster, vfs: u32) {
    for node in cluster.nodes() {
        node.wait_until("libvirt", "virsh version", LIBVIRT)
            .unwrap_or_else(|error| panic!("{error}"));
        let _ = node.ok("modprobe -a vfio-pci bridge tun; accelnet setup");
        node.wait_until("the agent", "accelnet status", SOON)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let first = cluster.node(1);
    let _ = done(
        first,
        &format!("intent add lan --compute --adapter pf0 --vfs {vfs}"),
    );
    completed(first);
    let _ = done(first, "enable --intent lan --node-reserve 0");
}

/// Gives the second node all that the first one's agent was told until now: a copy of its store.
pub fn tell_the_second(cluster: &Cluster) {
    let (one, two) = (cluster.node(1), cluster.node(2));
    let _ = one.ok("systemctl stop accelnet && cp /var/lib/accelnet/store /host/store");
    let copied = std::fs::copy(one.share().join("store"), two.share().join("store"));
    copied.unwrap_or_else(|error| panic!("{error}"));
    let _ = two.ok("systemctl stop accelnet && cp /host/store /var/lib/accelnet/store");
    for node in [one, two] {
        let _ = node.ok("systemctl start accelnet");
        completed(node);
    }
}

/// Waits until the intent is completed on a node.
fn completed(node: &Node) {
    let script = format!(
        "accelnet intent status lan --output json | grep -A3 '\"node\": \"{}\"' | grep completed",
        node.name()
    );
    node.wait_until("the intent", &script, SOON)
        .unwrap_or_else(|error| {
            panic!(
                "{error}\n{}",
                node.run("accelnet intent status lan; accelnet log")
            )
        });
    // QEMU's igb hands a PF its own broadcasts back, from which the bridge would learn that its
    // VMs are outside.
    let _ = node.ok("bridge link set dev pf0 learning off");
}

/// The answer to a command that must succeed.
pub fn done(node: &Node, args: &str) -> Value {
    let output = node.run(&format!("accelnet {args} --output json"));
    assert!(output.success(), "accelnet {args}: {output}");
    serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("accelnet {args} printed no JSON ({error}): {output}"))
}

/// A VM as `accelnet vm show` tells of it.
pub fn shown(node: &Node, vm: &str) -> Value {
    done(node, &format!("vm show {vm}"))
}

/// The fault of a VM, if it has one.
pub fn fault_of(node: &Node, vm: &str) -> Value {
    let answer = node.run("accelnet faults --output json").stdout;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let all = answer["faults"].as_array().or(answer.as_array());
    let found = all.and_then(|all| all.iter().find(|one| one["subject"] == vm));
    found.cloned().unwrap_or_default()
}
