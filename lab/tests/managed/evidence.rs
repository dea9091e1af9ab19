//! Guests that take their time with a VF, never drive it, unbind it, and reboot: none is cut off, and none is
//! reported to be over its VF before it is.

use std::time::Duration;

use accelnet_lab::{Guest, Node, Vm, topologies};

use crate::setting::{SOON, await_event, done, managed, newest, shown};

/// A plain vNIC on the intent's bridge: the VM's definition has no VF.
const NIC: &str = "<interface type='bridge'><mac address='MAC'/><source bridge='acn-lan'/>\
    <model type='virtio'/></interface>";
/// How long pings are counted after a change.
const COUNTED: Duration = Duration::from_secs(60);
/// Pings that a change may cost.
const MOST: u32 = 2;

fn defined<'node>(node: &'node Node, name: &str, arguments: &str) -> Vm<'node> {
    let guest = Guest {
        interfaces: NIC,
        arguments,
        reboots: true,
    };
    Vm::define_guest(node, name, &guest).unwrap_or_else(|error| panic!("{error}"))
}

fn lost(vm: &Vm<'_>) -> u32 {
    vm.lost().unwrap_or_else(|error| panic!("{error}"))
}

/// Counts pings for a minute; no more than are allowed were lost since `before`.
fn few_are_lost(vm: &Vm<'_>, before: u32, what: &str) {
    let lost = vm
        .lost_since(before, COUNTED)
        .unwrap_or_else(|error| panic!("{error}"));
    println!("{}: {lost} pings lost, {what}", vm.name());
    assert!(lost <= MOST, "{lost} pings lost, {what}");
}

fn waits_for_path(node: &Node, vm: &Vm<'_>, path: &str) {
    let script = format!(
        "accelnet vm show {} --output json | grep '\"path\": \"{path}\"'",
        vm.name()
    );
    node.wait_until(&format!("path {path} of {}", vm.name()), &script, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}

fn is_bridged(node: &Node, vm: &Vm<'_>) -> bool {
    let script = format!("bridge fdb show dev pf0 | grep -q '{} self'", vm.mac());
    node.run(&script).success()
}

/// The guest has a VF and its driver works it.
fn drives_its_vf(vm: &Vm<'_>) {
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_guest_keeps_its_network_through_start_unbind_bind_and_reboot() {
    let node = managed(&topologies::igb_acs(), None);
    let vm = defined(&node, "web01", "");
    let _ = done(&node, "vm enable web01 --performance low");
    assert!(is_bridged(&node, &vm), "before it starts");

    vm.power_on("pinging")
        .unwrap_or_else(|error| panic!("{error}"));
    drives_its_vf(&vm);
    waits_for_path(&node, &vm, "vf");
    few_are_lost(&vm, 0, "since the first answer after its start");
    assert!(!is_bridged(&node, &vm), "its guest drives its VF");
    let view = shown(&node, "web01");
    let rows = view["verified"].as_array().into_iter().flatten();
    let held = rows
        .filter(|row| row["ok"] == true)
        .filter(|row| row["check"] == "VF attached" || row["check"] == "guest drives the VF");
    assert_eq!(held.count(), 2, "{view:#}");

    let before = lost(&vm);
    let unbound = "for vf in /sys/bus/pci/drivers/igbvf/0000:*; do
        basename $vf > /vf; cat /vf > /sys/bus/pci/drivers/igbvf/unbind; done";
    let _ = vm.exec(unbound).unwrap_or_else(|error| panic!("{error}"));
    few_are_lost(&vm, before, "after its VF was unbound");
    waits_for_path(&node, &vm, "software");
    assert!(is_bridged(&node, &vm));

    let before = lost(&vm);
    let bound = "cat /vf > /sys/bus/pci/drivers/igbvf/bind";
    let _ = vm.exec(bound).unwrap_or_else(|error| panic!("{error}"));
    drives_its_vf(&vm);
    waits_for_path(&node, &vm, "vf");
    few_are_lost(&vm, before, "after its VF was bound again");

    let sent = vm.state().unwrap_or_else(|error| panic!("{error}")).sent;
    let _ = vm
        .exec("(sleep 1; echo b > /proc/sysrq-trigger) &")
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = vm
        .wait_for("with its VF after a reboot", |state| {
            state.sent < sent && state.vf.is_some() && state.pings
        })
        .unwrap_or_else(|error| panic!("{error}"));
    waits_for_path(&node, &vm, "vf");
    few_are_lost(&vm, 0, "since the first answer after its reboot");
    let health = done(&node, "health");
    assert_eq!(health["warnings"], 0, "{health:#}");
}

#[test]
fn guests_that_never_drive_their_vf_keep_their_network_and_lose_the_vf() {
    let node = managed(&topologies::igb_acs(), None);
    let _ = node.ok(
        "mkdir -p /etc/accelnet; echo 'ACCELNET_STORE=--vf-limits 100:150' > /etc/accelnet/agent.env
         systemctl restart accelnet",
    );
    node.wait_until("the agent again", "accelnet plan", SOON)
        .unwrap_or_else(|error| panic!("{error}"));
    for (name, words) in [
        ("novf", "bus master is off"),
        ("nostandby", "VIRTIO_NET_F_STANDBY"),
    ] {
        let vm = defined(&node, name, name);
        let _ = done(&node, &format!("vm enable {name} --performance low"));
        let from = newest(&node);
        vm.power_on("pinging")
            .unwrap_or_else(|error| panic!("{error}"));
        few_are_lost(&vm, 0, "since the first answer after its start");
        let view = shown(&node, name);
        assert_eq!(view["path"], "software", "{view:#}");

        let message = await_event(&node, from, "changed", "was detached");
        assert!(message.contains(name), "{message}");
        few_are_lost(&vm, 0, "since its start and after its VF was taken back");
        let view = shown(&node, name);
        assert_eq!(view["vf"], serde_json::Value::Null, "{view:#}");
        let faults = done(&node, "faults").to_string();
        assert!(
            faults.contains("vf_not_used") && faults.contains(words),
            "{faults}"
        );
        assert_eq!(
            node.ok(&format!(
                "virsh dumpxml {name} --inactive | grep -c transient"
            )),
            "1"
        );
        vm.destroy().unwrap_or_else(|error| panic!("{error}"));
    }
}
