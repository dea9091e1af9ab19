//! The document's tasks on three nodes, through its own names; and then a node dies.

use std::time::Duration;

use accelnet_lab::{Cluster, Cpus, Node, Vm, topologies};
use serde_json::Value;

use crate::members::{SOON, all_up, completed, done, founded, shown};

const NAMES: &str = "/root/names";
/// A node without a heartbeat for 12 seconds is down; a busy machine may take longer to report it.
const DOWN: Duration = Duration::from_secs(60);

/// A vNIC on the intent's network.
fn vnic(mac: u8) -> String {
    format!(
        "<interface type='network'><mac address='52:54:00:0d:01:{mac:02x}'/>\
         <source network='accelnet-lan'/><model type='virtio'/></interface>"
    )
}

/// Runs a line of the document, which must end with this status; what it printed.
fn line(node: &Node, line: &str, status: i32) -> String {
    let output = node.run(&format!("PATH={NAMES}:$PATH; set -o pipefail; {line}"));
    assert_eq!(output.status, status, "{line}: {output}");
    output.stdout + &output.stderr
}

/// The row of the checks from a node with this code, once there is one.
fn row(node: &Node, args: &str, code: &str) -> Value {
    let ask = format!("accelnet prereq {args} --output json > /run/checks; cat /run/checks");
    let script = format!("{ask} && grep -q '\"code\": \"{code}\"' /run/checks");
    let answer = node.wait_until(&format!("a row {code}"), &script, SOON);
    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let mut rows = answer["checks"].as_array().into_iter().flatten();
    let found = rows.find(|row| row["code"] == code);
    found
        .cloned()
        .unwrap_or_else(|| panic!("no row {code}: {answer:#}"))
}

/// Waits until every check passes on a node.
fn passes(node: &Node, args: &str) {
    let waited = node.wait_until("checks that pass", &format!("accelnet prereq {args}"), SOON);
    waited.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
#[cfg_attr(
    not(feature = "long"),
    ignore = "ten minutes on two cores: run by 'cargo xtask test --all'"
)]
fn three_nodes_walk_through_the_document_and_one_dies() {
    let plain = topologies::member_with_two();
    let threads = plain.clone().cpus(Cpus {
        sockets: 1,
        cores: 1,
        threads: 2,
    });
    let mut cluster = Cluster::boot_each(&[plain.clone(), plain, threads])
        .unwrap_or_else(|error| panic!("{error}"));
    founded(&cluster);
    for node in cluster.nodes() {
        let _ = node.ok(&format!("accelnet cmdlets install --dir {NAMES}"));
        let _ = node.ok("ip link set pf1 up");
    }
    prerequisites(&cluster);
    management(&cluster);
    until_refused(&cluster);
    let definition = a_vm_that_runs(&cluster);
    the_second_dies(&mut cluster, &definition);
    the_end(&cluster);
}

/// SMT that differs and an intent that one node lacks are named, and repaired.
fn prerequisites(cluster: &Cluster) {
    let [one, two, three] = [1, 2, 3].map(|number| cluster.node(number));
    let smt = row(one, "", "Hyperthreading_check_failed");
    let found = smt["found"].as_str().unwrap_or_default();
    assert!(found.contains("n3"), "{smt:#}");
    let said = one.run(&format!("{NAMES}/Get-AccelNetManagementPreReq"));
    assert_ne!(said.status, 0, "{said}");
    assert!(
        said.stdout.contains("Hyperthreading validation: Failed"),
        "{said}"
    );
    let _ = three.ok("echo off > /sys/devices/system/cpu/smt/control");

    let _ = line(one, "Enable-NetAdapterSriov -Name pf1", 0);
    let address = two.ok("basename $(readlink /sys/class/net/pf1/device)");
    let _ = two.ok(&format!("echo {address} > /sys/bus/pci/drivers/igb/unbind"));
    let _ = one.run("accelnet intent add lan --compute --adapter pf1 --vfs 2");
    for node in [one, three] {
        completed(node);
    }
    let lacks = row(one, "--intent lan", "adapter_not_found");
    assert_eq!(lacks["node"], "n2", "{lacks:#}");
    let refused = line(one, "Enable-AccelNetManagement -IntentName lan", 50);
    assert!(refused.contains("pf1"), "{refused}");
    let _ = two.ok(&format!("echo {address} > /sys/bus/pci/drivers/igb/bind"));
    let _ = two.ok("udevadm settle; ip link set pf1 up");
    completed(two);
    passes(one, "--intent lan");
}

/// Enabled from one node, seen on all.
fn management(cluster: &Cluster) {
    let [one, two, three] = [1, 2, 3].map(|number| cluster.node(number));
    let enable = "Enable-AccelNetManagement -IntentName \"lan\" -NodeReservePercentage";
    let _ = line(one, enable, 0);
    for node in [one, two, three] {
        let status = done(node, "status");
        assert_eq!(status["enabled"], true, "{status:#}");
        assert_eq!(status["node_reserve_percentage"], 50, "{status:#}");
    }
}

/// VMs are enabled until one is refused; what the refusal advises helps.
fn until_refused(cluster: &Cluster) {
    let [one, two, three] = [1, 2, 3].map(|number| cluster.node(number));
    for (node, vms) in [
        (one, ["a1", "a2"]),
        (two, ["b1", "b2"]),
        (three, ["c1", "c2"]),
    ] {
        for vm in vms {
            let mac = vm
                .bytes()
                .fold(0, |mac: u8, byte| mac.wrapping_mul(8) ^ byte);
            let defined = Vm::define(node, vm, 4, &vnic(mac));
            let _ = defined.unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let enable = |vm: &str| format!("Enable-AccelNetVM -VMName \"{vm}\" -Performance Low");
    let high = line(
        one,
        "Enable-AccelNetVM -VMName \"a1\" -Performance High",
        20,
    );
    assert!(high.contains("cannot_provision_performance"), "{high}");
    let many = "Get-VM -VMName \"a1, a2\" | Enable-AccelNetVM -Performance Low";
    let _ = line(one, many, 0);
    let _ = line(two, &enable("b1"), 0);
    let _ = line(two, &enable("b2"), 0);
    let refused = line(three, &enable("c1"), 23);
    assert!(refused.contains("add 1 VF to each adapter"), "{refused}");
    assert_eq!(shown(three, "c1")["acceleration"], "not-accelerated");
    let _ = done(one, "intent set lan --vfs 3");
    for node in [one, two, three] {
        completed(node);
    }
    let added = three.wait_until(
        "VM c1 to be admitted",
        &format!("PATH={NAMES}:$PATH; {}", enable("c1")),
        SOON,
    );
    added.unwrap_or_else(|error| panic!("{error}"));
}

/// A VM on the second node that runs on its VF; its definition.
fn a_vm_that_runs(cluster: &Cluster) -> String {
    let two = cluster.node(2);
    // QEMU's igb hands a PF its own broadcasts back, from which the bridge would learn that its
    // VMs are outside.
    for node in cluster.nodes() {
        let _ = node.ok("bridge link set dev pf1 learning off");
    }
    let vm = Vm::start_on_bridge(two, "web01", "acn-lan", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    let enable = "Enable-AccelNetVM -VMName \"web01\" -Performance Low";
    let _ = line(two, enable, 0);
    let state = vm.wait_for("with its VF", |state| state.vf.is_some() && state.pings);
    state.unwrap_or_else(|error| panic!("{error}"));
    two.ok("virsh dumpxml web01 --inactive")
}

/// A node dies; its VM is started elsewhere, on a VF; the node comes back whole.
fn the_second_dies(cluster: &mut Cluster, definition: &str) {
    cluster.kill(2);
    let (one, three) = (cluster.node(1), cluster.node(3));
    let fault = "begun=$SECONDS; until accelnet faults --output json | grep -q node_down; do
        sleep 0.5; done; echo $((SECONDS - begun))";
    let output = one.run_within(fault, DOWN);
    assert!(output.success(), "no fault: {output}");
    println!("told {} s after it died", output.stdout.trim());
    let status = done_or_faulty(one, "status");
    assert_eq!(
        status["nodes_down"],
        serde_json::json!(["n2"]),
        "{status:#}"
    );
    let told = line(one, "Get-NetHudFault", 0);
    assert!(
        told.contains("[node_down]") && told.contains("n2"),
        "{told}"
    );
    let health = one.run(&format!("{NAMES}/Get-NetHudStatus"));
    assert_ne!(health.status, 0, "{health}");

    let _ = three.ok(&format!("virsh define <(echo \"{definition}\")"));
    let _ = three.ok("virsh start web01");
    let vm = Vm::defined(three, "web01");
    let state = vm.wait_for("with its VF", |state| state.vf.is_some() && state.pings);
    state.unwrap_or_else(|error| panic!("{error}"));
    let accelerated =
        "accelnet vm show web01 --output json | grep '\"acceleration\": \"accelerated\"'";
    three
        .wait_until("VM web01 to be accelerated", accelerated, SOON)
        .unwrap_or_else(|error| panic!("{error}"));

    cluster.start(2).unwrap_or_else(|error| panic!("{error}"));
    all_up(cluster);
    let two = cluster.node(2);
    completed(two);
    assert_eq!(two.ok("cat /sys/class/net/pf1/device/sriov_numvfs"), "3");
    let _ = two.ok("virsh undefine web01");
    let healthy = cluster
        .node(1)
        .wait_until("a healthy cluster", "accelnet health", SOON);
    healthy.unwrap_or_else(|error| panic!("{error}"));
}

/// The answer to a command that ends with the status of a fault.
fn done_or_faulty(node: &Node, args: &str) -> Value {
    let output = node.run(&format!("accelnet {args} --output json"));
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output}"))
}

/// The rest of the document: settings are changed, and all is taken back.
fn the_end(cluster: &Cluster) {
    let [one, two, three] = [1, 2, 3].map(|number| cluster.node(number));
    let set = "Set-AccelNetManagement -IntentName \"lan\" -NodeReservePercentage 0";
    let _ = line(two, set, 0);
    assert_eq!(done(one, "status")["node_reserve_percentage"], 0);
    let _ = line(
        one,
        "Set-AccelNetManagement -VMName \"a1\" -Performance Medium",
        0,
    );
    assert_eq!(shown(one, "a1")["performance"], "medium");
    let _ = line(one, "Disable-AccelNetVM -VMName \"a1\"", 0);
    let _ = line(two, "Get-VM -VMName \"b1, b2\" | Disable-AccelNetVM", 0);
    let _ = line(three, "Disable-AccelNetManagement", 0);
    assert_eq!(done(one, "status")["enabled"], false);
    // VMs stay as they are.
    let vm = Vm::defined(three, "web01");
    let state = vm.state().unwrap_or_else(|error| panic!("{error}"));
    assert!(state.vf.is_some() && state.pings, "{state:?}");
}
