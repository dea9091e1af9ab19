//! Running the program under test in a node, and reading what it says.

use accelnet_lab::{Node, Topology};
use serde_json::Value;

/// A node with the program on its path.
pub fn boot(topology: &Topology) -> Node {
    Node::boot_with_accelnet(topology).unwrap_or_else(|error| panic!("{error}"))
}

/// What `accelnet ARGS --output json` answered, and its exit status.
pub fn accelnet(node: &Node, args: &str) -> (i32, Value) {
    let output = node.run(&format!("accelnet {args} --output json"));
    let answer = serde_json::from_str(&output.stdout).unwrap_or_else(|error| {
        panic!("accelnet {args} printed no JSON ({error}): {output:?}");
    });
    (output.status, answer)
}
