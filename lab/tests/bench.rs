//! The facts that the other lab tests rely on, with nothing but a shell in the node.

use accelnet_lab::{Node, Vm, topologies};
use serde_json::json;

const PF0: &str = "/sys/class/net/pf0/device";

fn boot(topology: &accelnet_lab::Topology) -> Node {
    Node::boot(topology).unwrap_or_else(|error| panic!("{error}"))
}

/// The IOMMU groups of devices, given by path.
fn groups(node: &Node, devices: &str) -> Vec<String> {
    let list = node.ok(&format!(
        "for d in {devices}; do basename $(readlink $d/iommu_group); done"
    ));
    list.lines().map(str::to_owned).collect()
}

#[test]
fn behind_a_port_with_acs_each_vf_has_a_group_and_a_vm_pings_through_one() {
    let node = boot(&topologies::igb_acs());
    assert_eq!(node.ok(&format!("cat {PF0}/sriov_totalvfs")), "7");
    assert_eq!(
        node.ok("cat /sys/class/net/pf0/address"),
        "52:54:00:aa:00:00"
    );

    let _ = node.ok(&format!(
        "echo 0 > {PF0}/sriov_drivers_autoprobe; echo 4 > {PF0}/sriov_numvfs"
    ));
    let mut of_vfs = groups(&node, &format!("{PF0} {PF0}/virtfn*"));
    of_vfs.sort();
    of_vfs.dedup();
    assert_eq!(
        of_vfs.len(),
        5,
        "the PF and each VF have a group of their own: {of_vfs:?}"
    );

    assert!(node.ok("virsh version").contains("QEMU 10"));
    let vm = Vm::start(&node, "vm1", "pf0").unwrap_or_else(|error| panic!("{error}"));
    assert!(
        node.ok(&format!("readlink {PF0}/virtfn*/driver"))
            .contains("vfio-pci")
    );

    // A NIC appears in a running node, and goes again.
    let plug = json!({ "driver": "igb", "id": "late", "bus": "spare", "mac": "52:54:00:aa:00:07" });
    node.qmp("device_add", &plug).expect("plug an igb in");
    let minute = std::time::Duration::from_secs(60);
    node.wait_until("a new adapter", "test -e /sys/class/net/pf7", minute)
        .expect("pf7 appears");
    node.qmp("device_del", &json!({ "id": "late" }))
        .expect("pull the igb out");
    node.wait_until("the adapter's end", "test ! -e /sys/class/net/pf7", minute)
        .expect("pf7 goes");

    let state = vm.state().expect("the VM speaks");
    assert!(
        state.pings && state.driver.as_deref() == Some("igbvf"),
        "{state:?}"
    );
    // What the whole product is about never doing: the VM silently loses its NIC.
    let _ = node.ok(&format!("echo 0 > {PF0}/sriov_numvfs"));
    vm.wait_for("without a NIC", |state| state.nic.is_none())
        .expect("the NIC is gone");
    node.shutdown().expect("an orderly end");
}

#[test]
fn the_zoo_shows_what_makes_adapters_unfit() {
    let node = boot(&topologies::zoo());
    let no_acs = groups(
        &node,
        "/sys/class/net/pf1/device /sys/class/net/pf1/device/..",
    );
    assert_eq!(
        no_acs[0], no_acs[1],
        "without ACS, port and PF share a group"
    );
    let below_switch = groups(
        &node,
        "/sys/class/net/pf2/device /sys/class/net/pf2/device/..",
    );
    assert_eq!(
        below_switch[0], below_switch[1],
        "a switch without ACS shares its group with the PF"
    );
    let with_acs = groups(
        &node,
        "/sys/class/net/pf0/device /sys/class/net/pf0/device/..",
    );
    assert_ne!(with_acs[0], with_acs[1]);
    let _ = node.ok("test ! -e /sys/class/net/pf3/device/sriov_totalvfs");

    // A cable is pulled and put back.
    let _ = node.ok("ip link set pf0 up");
    node.set_link(0, false).expect("pull the cable");
    let minute = std::time::Duration::from_secs(60);
    node.wait_until("no carrier", "grep -q 0 /sys/class/net/pf0/carrier", minute)
        .expect("the link goes down");
    node.set_link(0, true).expect("put the cable back");
    node.wait_until("carrier", "grep -q 1 /sys/class/net/pf0/carrier", minute)
        .expect("the link comes up");
}

#[test]
fn a_node_without_iommu_and_driver_has_no_groups_and_no_netdev() {
    let topology = topologies::igb_no_driver().without_iommu();
    let node = boot(&topology);
    assert_eq!(node.ok("ls /sys/kernel/iommu_groups"), "");
    let _ = node.ok("test ! -e /sys/class/net/pf0");
    let igb = node.ok("lspci -D -d 8086:10c9 | cut -d' ' -f1");
    assert_eq!(
        node.ok(&format!("cat /sys/bus/pci/devices/{igb}/sriov_totalvfs")),
        "8"
    );
    assert!(
        !node
            .run(&format!("echo 1 > /sys/bus/pci/devices/{igb}/sriov_numvfs"))
            .success()
    );
    assert_eq!(
        node.run_within("sleep 60", std::time::Duration::from_secs(2))
            .status,
        124
    );
}
