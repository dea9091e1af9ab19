//! The agent is killed in the middle of a change, and goes on when it is started again.

use accelnet_lab::{Node, topologies};
use serde_json::Value;

use crate::setting::{SOON, define, done, refused, settled, shown, vnic, with_agent};

/// Has the client ask for `change` of an agent that kills itself before `step`; then the agent
/// is started again, and has arrived somewhere.
pub fn killed_at(node: &Node, step: &str, change: &str) {
    let _ = node.ok("systemctl stop accelnet");
    node.spawn("doomed", &format!("exec accelnet agent --kill-at {step}:0"))
        .unwrap_or_else(|error| panic!("{error}"));
    node.wait_until("the agent", "accelnet status", SOON)
        .unwrap_or_else(|error| panic!("{error}"));
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

/// The states of intent `lan`, if there is one.
fn lan(node: &Node) -> Value {
    done(node, "intent list")
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == "lan").cloned())
        .unwrap_or_default()
}

#[test]
fn a_killed_agent_arrives_where_it_was_going() {
    let node = with_agent(&topologies::igb_acs());
    let _ = node.ok("ip link set pf0 up");

    // The intent is on record before anything is done, and is gone on with.
    for step in ["decided", "vfs", "switch", "network"] {
        killed_at(
            &node,
            step,
            "intent add lan --compute --adapter pf0 --vfs 3",
        );
        settled(&node);
        assert_eq!(lan(&node)["status"][0]["vfs"], 3, "{:#}", lan(&node));
        let _ = done(&node, "intent remove lan");
        assert_eq!(lan(&node), Value::Null);
    }
    let _ = done(&node, "intent add lan --compute --adapter pf0 --vfs 3");
    let _ = done(&node, "enable --intent lan");

    define(&node, "web01", 2, &vnic(1));
    let before = node.ok("virsh dumpxml web01 --inactive");
    for step in ["decided", "define-vf", "verified"] {
        killed_at(&node, step, "vm enable web01 -p low");
        settled(&node);
        let vm = shown(&node, "web01");
        assert_eq!(vm["acceleration"], "accelerated", "{step}: {vm:#}");
        assert_eq!(vm["phase"], "enabled", "{step}: {vm:#}");
        let _ = done(&node, "vm disable web01");
        assert_eq!(node.ok("virsh dumpxml web01 --inactive"), before, "{step}");
    }
    for step in ["undefine-vf", "part-nic"] {
        let _ = done(&node, "vm enable web01 -p low");
        killed_at(&node, step, "vm disable web01");
        node.wait_until(
            "a VM that is not accelerated",
            "accelnet vm show web01 --output json | grep '\"acceleration\": \"not-accelerated\"'",
            SOON,
        )
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(node.ok("virsh dumpxml web01 --inactive"), before, "{step}");
    }
    assert_eq!(done(&node, "status")["adapters"][0]["vfs_promised"], 0);
}
