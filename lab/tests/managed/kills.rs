//! The agent is killed in the middle of a change, and goes on when it is started again.

use accelnet_lab::Node;

use crate::setting::{SOON, await_reconcile, refused};

/// Has the client ask for `change` of an agent that kills itself before `step`; then the agent
/// is started again, and has arrived somewhere.
pub fn killed_at(node: &Node, step: &str, change: &str) {
    let _ = node.ok("systemctl stop accelnet");
    node.spawn("doomed", &format!("exec accelnet agent --kill-at {step}:0"))
        .unwrap_or_else(|error| panic!("{error}"));
    // It answers before it has asked libvirt, and can be changed only then.
    await_reconcile(node);
    let _ = refused(node, change, "agent_unreachable", 64);
    node.wait_until(
        &format!("the death of the agent before {step}"),
        "! systemctl is-active --quiet doomed",
        SOON,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let _ = node.ok("systemctl reset-failed doomed; systemctl start accelnet");
    node.wait_until("the agent again", "accelnet status", SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}
