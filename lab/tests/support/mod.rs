//! Running the program under test in a node, and reading what it reports.

use std::time::Duration;

use accelnet_lab::{Node, Topology, accelnet_binary};
use serde_json::Value;

/// A node with the program and the example `vms` on its path. libvirt has answered once: its first
/// answer may take a minute on a busy machine.
pub fn boot(topology: &Topology) -> Node {
    let accelnet = accelnet_binary().unwrap_or_else(|error| panic!("{error}"));
    let example = accelnet.with_file_name("examples/vms");
    let node = Node::boot_with(topology, &[accelnet, example])
        .unwrap_or_else(|error| panic!("{error} (cargo build --workspace --all-targets)"));
    node.wait_until("libvirt", "virsh version", Duration::from_secs(240))
        .unwrap_or_else(|error| panic!("{error}"));
    node
}

/// What `accelnet ARGS --output json` answered, and its exit status.
pub fn accelnet(node: &Node, args: &str) -> (i32, Value) {
    let output = node.run(&format!("accelnet {args} --output json"));
    let answer = serde_json::from_str(&output.stdout).unwrap_or_else(|error| {
        panic!("accelnet {args} printed no JSON ({error}): {output:?}");
    });
    (output.status, answer)
}
