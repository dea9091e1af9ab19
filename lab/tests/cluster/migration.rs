//! Accelerated VMs that move between nodes under their ping.

use std::time::Duration;

use accelnet_lab::{Cluster, Node, Vm, topologies};
use serde_json::Value;

use crate::members::{SOON, done, fault_of, managed, shown};

/// What a live migration may take on emulated nodes.
const MOVE: Duration = Duration::from_secs(300);
/// A vNIC on the intent's switch that can take a VM's traffic while its VF is away.
const NIC: &str = "<interface type='network'><mac address='MAC'/><source network='accelnet-lan'/>\
    <model type='virtio'/><teaming type='persistent'/><alias name='ua-mine'/></interface>";

/// What a VM and its QEMU reported last.
fn last_messages(vm: &str) -> String {
    format!(
        "tail -n 20 /var/log/libvirt/{vm}.log; tail -n 8 /var/log/libvirt/qemu/{vm}.log; \
         journalctl -k --no-pager -n 8"
    )
}

/// Moves a VM, as anyone may, and gives back the pings that it lost meanwhile.
fn migrate<'node>(vm: &Vm<'_>, to: &'node Node, from: &Node) -> (Vm<'node>, u32) {
    let before = vm.lost().unwrap_or_else(|error| panic!("{error}"));
    let script = format!(
        "virsh migrate --live --persistent {} qemu+tcp://{}/system",
        vm.name(),
        to.name()
    );
    let moved = from.run_within(&script, MOVE);
    assert!(
        moved.success(),
        "{moved}\n--- the VM where it was\n{}\n--- and where it was to be\n{}",
        from.run(&last_messages(vm.name())),
        to.run(&last_messages(vm.name()))
    );
    let there = vm.on(to);
    let after = there.lost().unwrap_or_else(|error| panic!("{error}"));
    (there, after - before)
}

/// For how many seconds a VM was paused while it moved to a node, rounded up.
fn paused(node: &Node, vm: &str) -> u32 {
    let words = node.ok(&format!("virsh domjobinfo {vm} --completed"));
    let downtime = words
        .lines()
        .find_map(|line| line.strip_prefix("Total downtime:"));
    let milliseconds =
        downtime.and_then(|rest| rest.split_whitespace().next()?.parse::<u32>().ok());
    milliseconds
        .unwrap_or_else(|| panic!("no downtime in {words}"))
        .div_ceil(1000)
}

/// Waits until `accelnet vm show` on a node reports `acceleration`.
fn wait_for(node: &Node, vm: &str, acceleration: &str) {
    let script = format!(
        "accelnet vm show {vm} --node {} --output json | grep '\"acceleration\": \"{acceleration}\"'",
        node.name()
    );
    node.wait_until(&format!("VM {vm} to be {acceleration}"), &script, SOON)
        .unwrap_or_else(|error| {
            panic!(
                "{error}\n{}",
                node.run("accelnet log; journalctl -u accelnet -n 30")
            )
        });
}

#[test]
fn a_vm_moves_and_loses_three_pings_at_most_and_arrives_where_no_vf_is_free() {
    let cluster = Cluster::boot(&topologies::member(), 2).unwrap_or_else(|error| panic!("{error}"));
    managed(&cluster, 1);
    let (one, two) = (cluster.node(1), cluster.node(2));
    let vm = Vm::start_on_wire(one, "web01", NIC, "192.168.50.101/24", &Cluster::outside());
    let vm = vm.unwrap_or_else(|error| panic!("{error}"));
    let _ = done(one, "vm enable web01 --performance low");
    let has_vf = |vm: &Vm<'_>| {
        let state = vm.wait_for("with its VF", |state| state.vf.is_some() && state.pings);
        state.unwrap_or_else(|error| panic!("{error}"));
    };
    has_vf(&vm);
    wait_for(one, "web01", "accelerated");
    // A VM on the software path of the other node's adapter, which pings it before and after.
    let db = cfg!(feature = "long").then(|| {
        let db = Vm::start_on_wire(two, "db01", NIC, "192.168.50.102/24", "192.168.50.101");
        let db = db.unwrap_or_else(|error| panic!("{error}"));
        let before = db.lost().unwrap_or_else(|error| panic!("{error}"));
        (db, before)
    });

    let (vm, with) = migrate(&vm, two, one);
    has_vf(&vm);
    if let Some((db, before)) = db {
        let _ = two.ok("sleep 15");
        let state = db.wait_for("pinging a VM that came", |state| state.pings);
        let missed = state.unwrap_or_else(|error| panic!("{error}")).lost - before;
        let paused = paused(two, vm.name());
        println!("pings lost by a VM on the software path: {missed}, in {paused} s without the VM");
        assert!(
            missed <= 3,
            "{missed} pings lost; {with} by the VM that moved\n{}--- the VM that moved\n{}{}",
            db.history(),
            vm.history(),
            two.run("accelnet log | tail -n 20; journalctl -k --no-pager -n 20")
        );
        db.destroy().unwrap_or_else(|error| panic!("{error}"));
    }
    wait_for(two, "web01", "accelerated");
    let view = shown(two, "web01");
    assert_eq!(view["destinations"][0]["node"], "n1", "{view:#}");
    let left = one.ok("virsh dumpxml web01 --inactive");
    assert!(left.contains("persistent"), "{left}");
    let told = one.ok("accelnet log --output json");
    assert!(
        told.contains("released its VF for a live migration"),
        "{told}"
    );
    // What the hook set before the guest saw it.
    let rate = two.ok("ip link show pf0 | grep 'vf 0'");
    assert!(
        rate.contains(&vm.mac()) && rate.contains("max_tx_rate"),
        "{rate}"
    );

    // The same without anyone who listens.
    let _ = [one, two].map(|node| node.ok("systemctl stop accelnet"));
    let (vm, without) = migrate(&vm, one, two);
    has_vf(&vm);
    println!("pings lost with accelnet: {with}, without: {without}");
    assert!(with <= 3, "{with} pings lost");
    let _ = [one, two].map(|node| node.ok("systemctl start accelnet"));
    wait_for(one, "web01", "accelerated");

    // The only VF of the other node is taken.
    let filler = "<domain type='kvm'><name>filler</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>\
        <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features><devices>\
        <controller type='usb' model='none'/><interface type='network'><source network='accelnet-lan-vf'/>\
        </interface><memballoon model='none'/></devices></domain>";
    let _ = two.ok(&format!("virsh create --paused <(echo \"{filler}\")"));
    let (vm, lost) = migrate(&vm, two, one);
    println!("pings lost to a full node: {lost}");
    wait_for(two, "web01", "degraded");
    let fault = fault_of(two, "web01");
    assert_eq!(fault["code"], "vm_on_software_path", "{fault:#}");
    let state = vm.wait_for("without a VF", |state| state.vf.is_none() && state.pings);
    state.unwrap_or_else(|error| panic!("{error}"));
    let _ = two.ok("virsh destroy filler");
    wait_for(two, "web01", "accelerated");
    has_vf(&vm);
    assert_eq!(fault_of(two, "web01"), Value::Null);
}
