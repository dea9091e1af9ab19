//! VFs that a user uses, or of which that cannot be determined.

use accelnet_sim::Fault;

use crate::page::Page;
use crate::support::{Booted, node, pf};

const FEWER: &str = "accelnet adapter enable ens1 --vfs 4";
const SAME: &str = "accelnet adapter enable ens1";
const DISABLE: &str = "accelnet adapter disable ens1";

/// Every user.
pub fn write(page: &mut Page) {
    by_a_vm(page);
    by_a_process(page);
    by_a_namespace(page);
    by_the_host(page);
    by_an_unknown_user(page);
    at_the_last_moment(page);
}

/// An adapter with 7 VFs, of which VF 1 is bound to `driver`.
fn with_vf(driver: &str) -> Booted {
    let node = node(|igb| {
        igb.sriov(|sriov| {
            sriov.vfs = 7;
            sriov.drivers_autoprobe = false;
        })
    });
    let kernel = &node.host.kernel;
    kernel.node().bind_vf(pf(), 1, driver).expect("bound");
    node
}

fn group(node: &Booted) -> String {
    let group = node.host.kernel.node().vf_group(pf(), 1);
    format!("/dev/vfio/{}", group.expect("a group"))
}

/// Changing and removing are refused; asking for what is there is not.
fn is_kept(page: &mut Page, node: &Booted) {
    page.fails(node, FEWER, "vf_in_use");
    page.fails(node, DISABLE, "vf_in_use");
    page.then("Asking for what is there already touches nobody:");
    page.ends_well(node, SAME, 7);
}

fn by_a_vm(page: &mut Page) {
    page.fault("By a running VM", "VF 1 is a NIC of the VM web1.");
    let mut node = with_vf("vfio-pci");
    let vf = node.host.kernel.node().vf_address(pf(), 1).expect("a VF");
    node.host.libvirt.run("web1", &[vf]);
    let device = group(&node);
    let command = [
        "/usr/bin/qemu-system-x86_64",
        "-name",
        "guest=web1,debug-threads=on",
    ];
    node.host
        .process(2001, &command, &[&device])
        .expect("a process");
    is_kept(page, &node);
    node.host.libvirt = accelnet_sim::SimLibvirt::default();
    page.then("With the VM stopped, though its QEMU has not ended yet:");
    page.fails(&node, FEWER, "vf_in_use");
    node.host.end_process(2001).expect("ended");
    page.then("And when that has ended, too:");
    page.ends_well(&node, FEWER, 4);
}

fn by_a_process(page: &mut Page) {
    page.fault(
        "By a process that holds its vfio group",
        "A DPDK program has VF 1, without libvirt.",
    );
    let node = with_vf("vfio-pci");
    let device = group(&node);
    let files = ["/dev/null", "/dev/vfio/vfio", &device];
    node.host
        .process(2002, &["/opt/dpdk/testpmd", "-l", "0-1"], &files)
        .expect("a process");
    is_kept(page, &node);
    node.host.end_process(2002).expect("ended");
    page.then("When it has ended:");
    page.ends_well(&node, DISABLE, 0);
}

fn by_a_namespace(page: &mut Page) {
    page.fault(
        "By a network namespace",
        "The netdev of VF 1 was moved into the namespace blue, say a container's.",
    );
    let node = with_vf("igbvf");
    node.host.move_to_namespace(pf(), 1, "blue").expect("moved");
    is_kept(page, &node);
    node.host.end_namespace(pf(), 1, "blue").expect("gone");
    page.then("When the namespace is gone:");
    page.ends_well(&node, FEWER, 4);
}

fn by_the_host(page: &mut Page) {
    page.fault(
        "By a host netdev that is up",
        "The host itself talks through VF 1.",
    );
    let node = with_vf("igbvf");
    node.host.kernel.node().bring_up("ens1v1").expect("up");
    is_kept(page, &node);

    page.fault(
        "By a bridge",
        "The netdev of VF 1 is a port of the bridge br0.",
    );
    let node = with_vf("igbvf");
    node.host
        .kernel
        .node()
        .enslave("ens1v1", "br0")
        .expect("a port");
    is_kept(page, &node);

    page.fault(
        "By nobody, with a host netdev that is down",
        "VF 1 has a host driver and a netdev that is down: nobody loses anything.",
    );
    let node = with_vf("igbvf");
    page.ends_well(&node, SAME, 7);
}

fn by_an_unknown_user(page: &mut Page) {
    page.fault(
        "By a netdev that cannot be found",
        "VF 1 has a network driver, and its netdev is in no namespace that can be seen.",
    );
    let node = with_vf("igbvf");
    node.host.kernel.node().move_away("ens1v1").expect("away");
    page.fails(&node, FEWER, "vf_in_use");
    let back = node.host.kernel.node().bind_vf_to_its_driver(pf(), 1);
    back.expect("bound anew");
    page.then("When its driver has been bound anew, so that the netdev is here:");
    page.ends_well(&node, FEWER, 4);

    page.fault(
        "Use unknown",
        "VF 1 is bound to vfio-pci, and the open files of one process cannot be listed.",
    );
    let node = with_vf("vfio-pci");
    node.host
        .opaque_process(2003, &["/usr/bin/mystery"])
        .expect("a process");
    page.fails(&node, FEWER, "vf_use_unknown");
    page.fails(&node, DISABLE, "vf_use_unknown");
    node.host.end_process(2003).expect("ended");
    page.then("When all processes can be looked into:");
    page.ends_well(&node, FEWER, 4);
}

fn at_the_last_moment(page: &mut Page) {
    page.fault(
        "Taken at the last moment",
        "Nobody has VF 1 when it is looked at; when its group is to be held, somebody does.",
    );
    let node = with_vf("vfio-pci");
    page.stops(&node, Fault::GroupsTaken, FEWER, "vf_in_use");
    page.then("When it is free again:");
    page.ends_well(&node, FEWER, 4);
}
