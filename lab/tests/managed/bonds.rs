//! Adapters in a bond: an aggregate is refused, and a bond in mode active-backup is adopted.

use std::time::Duration;

use accelnet_lab::{Node, Vm, topologies};

use crate::running::{runs_over_its_vf, sends_over_its_vf};
use crate::setting::{
    SOON, await_event, await_reconcile, done, newest, refused, shown, with_agent,
};

/// Puts `pf0` and `pf1` into `bond0` in this mode, `pf0` first.
fn bond(node: &Node, mode: &str) {
    let script = format!(
        "set -e
         for port in pf0 pf1; do ip link set $port nomaster; ip link set $port down; done
         ip link set bond0 down
         ip link set bond0 type bond mode {mode} miimon 100
         for port in pf0 pf1; do ip link set $port master bond0; ip link set $port up; done
         ip link set bond0 up
         bridge link set dev bond0 learning off"
    );
    let _ = node.ok(&script);
}

fn active(node: &Node) -> String {
    node.ok("cat /sys/class/net/bond0/bonding/active_slave")
}

fn wait_for_active(node: &Node, port: &str) {
    let script = format!("grep -x {port} /sys/class/net/bond0/bonding/active_slave");
    node.wait_until("another active port", &script, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}

/// What node and guest show, for a failure.
fn setup(node: &Node, vm: &Vm<'_>) -> String {
    let shown = node.run(
        "ip -s link show; cat /proc/net/bonding/bond0; bridge fdb show; accelnet vm show web01; accelnet log --limit 30",
    );
    let guest = vm.exec("ip -s link; cat /sys/class/net/*/carrier");
    format!("{shown}\nguest: {guest:?}")
}

/// How many pings the VM lost, or had answered late, from `before` until it has pinged for a while.
fn lost_since(vm: &Vm<'_>, before: u32) -> u32 {
    vm.lost_since(before, Duration::from_secs(10))
        .expect("a word of the VM")
}

/// A node with `bond0` in this mode as the port of bridge `br0`.
fn bonded(mode: &str) -> Node {
    let node = with_agent(&topologies::two_uplinks());
    let _ = node.ok("modprobe bonding max_bonds=0
        ip link add bond0 type bond
        ip link add br0 type bridge forward_delay 0
        ip link set bond0 master br0
        ip link set br0 up");
    bond(&node, mode);
    node
}

const ADD: &str = "intent add lan --compute --adapter pf0 --adapter pf1 --vfs 2";

/// The intent on both adapters of the active-backup bond, and a VM that runs over its VF of `pf0`.
fn accelerated(node: &Node) -> Vm<'_> {
    wait_for_active(node, "pf0");
    let added = done(node, ADD);
    let status = &added["intent"]["status"][0];
    assert_eq!(status["state"], "completed", "{added:#}");
    assert_eq!(status["bridge"], "br0", "{added:#}");
    let _ = done(node, "enable --intent lan");
    let vm = Vm::start_on_bridge(node, "web01", "br0", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = done(node, "vm enable web01 --performance low");
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
    runs_over_its_vf(node, &vm);
    assert_eq!(shown(node, "web01")["adapter"], "pf0");
    vm
}

#[test]
fn an_aggregate_is_refused_and_an_active_backup_bond_is_adopted() {
    let node = bonded("802.3ad");
    let problem = refused(&node, ADD, "uplink_unfit", 77);
    let found = problem["found"].as_str().unwrap_or_default();
    assert!(
        found.starts_with("pf0 is a port of bond0, a bond in mode 802.3ad. A VF receives nothing"),
        "{problem:#}"
    );
    assert_eq!(
        node.ok("cat /sys/class/net/pf?/device/sriov_numvfs"),
        "0\n0"
    );
    bond(&node, "active-backup");
    let _ = accelerated(&node);
}

#[test]
#[cfg_attr(not(feature = "long"), ignore = "run by 'cargo xtask test --all'")]
fn a_vm_survives_the_loss_of_the_active_port_and_an_aggregate_is_a_fault() {
    let node = bonded("active-backup");
    let vm = accelerated(&node);

    // The active port loses its link, and with it the VM's VF.
    let before = vm.lost().expect("a word of the VM");
    node.set_link(0, false)
        .unwrap_or_else(|error| panic!("{error}"));
    // The VFs of the emulated adapter keep their carrier until the PF is down.
    let _ = node.ok("ip link set pf0 down");
    wait_for_active(&node, "pf1");
    let state = vm.wait_for("without its VF", |state| state.vf.is_none() && state.pings);
    let _ = state.unwrap_or_else(|error| panic!("{error}"));
    let lost = lost_since(&vm, before);
    println!("lost after the active port was cut: {lost}");
    let state = vm.state().expect("a word of the VM");
    assert!(
        // Its guest receives nothing until the VF is gone.
        state.pings && lost <= 2,
        "{lost} lost: {state:?}\n{}",
        setup(&node, &vm)
    );

    // It comes back, as the backup port.
    let before = vm.lost().expect("a word of the VM");
    node.set_link(0, true)
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = node.ok("ip link set pf0 up");
    // The wire is a hub: what is for the VM also comes in at pf1, and the bridge floods it.
    sends_over_its_vf(&node, &vm);
    assert_eq!(active(&node), "pf1");
    let lost = lost_since(&vm, before);
    println!("lost after it was plugged in again: {lost}");
    assert!(lost <= 2, "{lost} lost");

    // The bond becomes an aggregate, and then none.
    let from = newest(&node);
    bond(&node, "802.3ad");
    let _ = await_event(&node, from, "failed", "a bond in mode 802.3ad");
    let faults = node.ok("accelnet faults");
    assert!(faults.contains("uplink_unfit"), "{faults}");
    assert_eq!(shown(&node, "web01")["path"], "vf");
    bond(&node, "active-backup");
    await_reconcile(&node);
    let faults = node.ok("accelnet faults");
    assert!(!faults.contains("uplink_unfit"), "{faults}");
    assert_eq!(node.ok("ls /sys/class/net/br0/brif | grep bond0"), "bond0");
}
