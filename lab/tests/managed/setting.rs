//! A node with an agent and an enabled intent, and what is asked of it.

use std::time::Duration;

use accelnet_lab::{Node, Topology, Vm};
use serde_json::Value;

use crate::support::{accelnet, boot};

/// What an agent does by itself, it does within seconds; a busy machine may take much longer.
pub const SOON: Duration = Duration::from_secs(120);

/// A node whose agent runs as `accelnet setup` leaves it. Nothing is declared yet.
pub fn with_agent(topology: &Topology) -> Node {
    let node = boot(topology);
    let _ = node.ok("modprobe -a vfio-pci bridge tun; accelnet setup");
    node.wait_until("the agent", "accelnet status", SOON)
        .unwrap_or_else(|error| panic!("{error}"));
    node
}

/// The same with intent `lan` on `pf0`, with so many VFs or all, and management enabled on it.
pub fn managed(topology: &Topology, vfs: Option<u32>) -> Node {
    let node = with_agent(topology);
    let _ = node.ok("ip link set pf0 up");
    let vfs = vfs.map_or_else(String::new, |vfs| format!("--vfs {vfs}"));
    let added = done(
        &node,
        &format!("intent add lan --compute --adapter pf0 {vfs}"),
    );
    assert_eq!(
        added["intent"]["status"][0]["state"], "completed",
        "{added:#}"
    );
    quiet(&node);
    let enabled = done(&node, "enable --intent lan");
    assert_eq!(enabled["management"]["enabled"], true, "{enabled:#}");
    node
}

/// QEMU's igb hands a PF its own broadcasts back, from which the bridge would learn that its
/// VMs are outside.
pub fn quiet(node: &Node) {
    let _ = node.ok("bridge link set dev pf0 learning off");
}

/// The answer to a command that must succeed.
pub fn done(node: &Node, args: &str) -> Value {
    let (status, answer) = accelnet(node, args);
    assert_eq!(status, 0, "accelnet {args}: {answer:#}");
    answer
}

/// The problem of a command that must end with `code` and `status`.
pub fn refused(node: &Node, args: &str, code: &str, status: i32) -> Value {
    let (ended, answer) = accelnet(node, args);
    let problem = match &answer["error"] {
        Value::Null => &answer["results"][0]["problem"],
        error => error,
    };
    assert_eq!(problem["code"], code, "accelnet {args}: {answer:#}");
    assert_eq!(ended, status, "accelnet {args}: {answer:#}");
    problem.clone()
}

/// A VM as `accelnet vm show` reports it.
pub fn shown(node: &Node, vm: &str) -> Value {
    done(node, &format!("vm show {vm}"))
}

/// The number of the newest event.
pub fn newest(node: &Node) -> u64 {
    let events = done(node, "log --limit 1");
    events["events"][0]["number"].as_u64().unwrap_or(0)
}

/// Waits for an event after number `after` of this kind that reports `words`, and gives back its
/// message.
pub fn await_event(node: &Node, after: u64, kind: &str, words: &str) -> String {
    let mut heard = String::new();
    for _ in 0..SOON.as_secs() {
        let log = done(node, "log --limit 300");
        heard.clear();
        for event in log["events"].as_array().into_iter().flatten() {
            let message = event["message"].as_str().unwrap_or_default();
            let new = event["number"].as_u64() > Some(after);
            if new && event["kind"] == kind && message.contains(words) {
                return message.to_owned();
            }
            if new {
                heard += &format!("\n{}: {message}", event["kind"]);
            }
        }
        let _ = node.ok("sleep 1");
    }
    panic!("no event {kind} says {words:?}:{heard}");
}

/// Waits until intent `lan` is completed, and nothing is left to do on the node.
pub fn await_reconcile(node: &Node) {
    let script = r#"accelnet plan --output json | grep -A1 '"steps": \[\]' &&
        accelnet intent status lan --output json | grep '"state": "completed"'"#;
    node.wait_until("a node with nothing left to do", script, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Defines a VM that is never started.
pub fn define(node: &Node, name: &str, vcpus: u32, interfaces: &str) {
    let _ = Vm::define(node, name, vcpus, interfaces).unwrap_or_else(|error| panic!("{error}"));
}

/// A virtio vNIC on the intent's network.
pub fn vnic(mac: u8) -> String {
    format!(
        "<interface type='network'><mac address='52:54:00:0d:00:{mac:02x}'/>\
         <source network='accelnet-lan'/><model type='virtio'/></interface>"
    )
}
