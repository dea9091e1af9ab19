//! VMs that run: moved to a VF and back under their ping, and through a death of the agent.

use std::time::Duration;

use accelnet_lab::{Node, Vm, topologies};
use serde_json::Value;

use crate::kills::killed_at;
use crate::setting::{SOON, await_reconcile, done, managed, shown};

const STILL: Duration = Duration::from_secs(60);

/// The bridge port of a VM.
fn port(node: &Node, vm: &str) -> String {
    let script = format!("virsh domiflist {vm} | awk '$2 == \"bridge\" {{ print $1 }}'");
    let port = node.ok(&script);
    assert!(port.starts_with("vnet"), "{port:?}");
    port
}

/// How many pings of the VM were answered.
fn answered(node: &Node, vm: &str) -> u32 {
    let script = format!("grep -ac 'ping=ok' /var/log/libvirt/{vm}.log");
    node.ok(&script).parse().unwrap_or(0)
}

/// A script that succeeds when nothing goes through `port` for five seconds, `{rx,tx}` or one way.
fn still(port: &str, ways: &str) -> String {
    let look = format!("$(cat /sys/class/net/{port}/statistics/{ways}_packets)");
    format!(
        "before=\"{look}\"; sleep 5; after=\"{look}\"; echo $before, $after; [ \"$before\" = \"$after\" ]"
    )
}

/// The VM pings, and none of it goes through the bridge.
pub fn runs_over_its_vf(node: &Node, vm: &Vm<'_>) {
    path_is_the_vf(node, vm, "{rx,tx}");
}

/// The VM pings, and sends nothing through the bridge, which floods what others send to it: it does not learn
/// at the uplink here (see [`crate::setting::quiet`]).
pub fn sends_over_its_vf(node: &Node, vm: &Vm<'_>) {
    path_is_the_vf(node, vm, "rx");
}

fn path_is_the_vf(node: &Node, vm: &Vm<'_>, ways: &str) {
    let port = port(node, vm.name());
    let before = answered(node, vm.name());
    node.wait_until(
        "a bridge port that stands still",
        &still(&port, ways),
        STILL,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let after = answered(node, vm.name());
    assert!(after > before, "{before} pings, then {after}");
    let view = shown(node, vm.name());
    assert_eq!(view["path"], "vf", "{view:#}");
    assert_eq!(view["acceleration"], "accelerated", "{view:#}");
    for line in view["verified"].as_array().into_iter().flatten() {
        assert_ne!(line["ok"], Value::Bool(false), "{view:#}");
    }
}

/// The number of the VF that the VM has, as the PF numbers it.
pub fn vf_of(node: &Node, vm: &Vm<'_>) -> String {
    node.ok(&format!(
        "ip link show pf0 | sed -n 's/.*vf \\([0-9]*\\) .*{}.*/\\1/p'",
        vm.mac()
    ))
}

/// What the VM starts with, as libvirt writes it.
pub fn definition(node: &Node, vm: &str) -> String {
    node.ok(&format!("virsh dumpxml {vm} --inactive"))
}

#[test]
fn a_vm_moves_to_a_vf_and_back_under_its_ping() {
    let node = managed(&topologies::igb_acs(), None);
    let vm = Vm::start_on_bridge(&node, "web01", "acn-lan", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    let (mac, before) = (vm.mac(), definition(&node, "web01"));
    let begun = vm.lost().expect("a word of the VM");
    // Its pings go through the bridge: the check that they do not can fail.
    let passed = node.run(&still(&port(&node, "web01"), "{rx,tx}"));
    assert!(!passed.success(), "{passed}");

    let enabled = done(&node, "vm enable web01 --performance low");
    assert_eq!(
        enabled["results"][0]["waits_for_restart"], false,
        "{enabled:#}"
    );
    let state = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .expect("a VF in the guest");
    assert_eq!(state.driver.as_deref(), Some("virtio_net"), "{state:?}");
    runs_over_its_vf(&node, &vm);
    let vf = vf_of(&node, &vm);
    assert_ne!(vf, "", "the PF shows the MAC of its VM");

    let _ = done(&node, "vm disable web01");
    let state = vm
        .wait_for("without a VF", |state| state.vf.is_none() && state.pings)
        .expect("a VM that pings");
    let lost = vm.lost().expect("a word of the VM") - begun;
    println!("pings lost: {lost}");
    assert!(lost <= 2, "{lost} lost: {state:?}");
    assert_eq!(definition(&node, "web01"), before);
    assert!(before.contains(&mac), "{before}");
    assert_eq!(vf_of(&node, &vm), "", "the VF was put back");
    assert_eq!(shown(&node, "web01")["path"], "software");

    // The agent dies before it attaches the VF, and then before it takes it.
    killed_at(&node, "attach-vf", "vm enable web01 --performance low");
    await_reconcile(&node);
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .expect("a VF in the guest");
    runs_over_its_vf(&node, &vm);
    killed_at(&node, "undefine-vf", "vm disable web01");
    node.wait_until(
        "a VM on its software path",
        "accelnet vm show web01 --output json | grep '\"acceleration\": \"not-accelerated\"'",
        SOON,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    let _ = vm
        .wait_for("without a VF", |state| state.vf.is_none() && state.pings)
        .expect("a VM that pings");
    assert_eq!(definition(&node, "web01"), before);
}
