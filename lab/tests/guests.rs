//! Guests that lack what failover to a VF needs are what they claim to be.

use std::time::Duration;

use accelnet_lab::{Guest, Node, Vm, topologies};

const NIC: &str = "<interface type='bridge'><mac address='MAC'/><source bridge='br0'/><model type='virtio'/>\
    <teaming type='persistent'/><alias name='ua-path'/></interface>";

fn started<'node>(node: &'node Node, name: &str, arguments: &str) -> Vm<'node> {
    let guest = Guest {
        interfaces: NIC,
        arguments,
        reboots: false,
    };
    let vm = Vm::define_guest(node, name, &guest).unwrap_or_else(|error| panic!("{error}"));
    vm.power_on("pinging through its vNIC")
        .unwrap_or_else(|error| panic!("{error}"));
    vm
}

/// Whether the guest's virtio_net offers VIRTIO_NET_F_STANDBY (62) and its kernel has igbvf.
fn has(vm: &Vm<'_>) -> (bool, bool) {
    let script = "cut -c 63 /sys/bus/virtio/drivers/virtio_net/virtio*/features
        [ -d /sys/bus/pci/drivers/igbvf ] && echo igbvf || echo none";
    let said = vm.exec(script).unwrap_or_else(|error| panic!("{error}"));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    (lines[0] == "1", lines[1] == "igbvf")
}

#[test]
fn guests_without_a_vf_driver_and_without_standby_lack_just_that() {
    let node = Node::boot(&topologies::igb_acs()).unwrap_or_else(|error| panic!("{error}"));
    node.wait_until("libvirt", "virsh version", Duration::from_secs(240))
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = node.ok(
        "modprobe -a vfio-pci bridge tun; ip link add br0 type bridge; ip link set pf0 master br0
         ip link set pf0 up; ip link set br0 up; bridge link set dev pf0 learning off",
    );
    let ordinary = started(&node, "ordinary", "");
    assert_eq!(has(&ordinary), (true, true));
    let failed = ordinary.exec("echo heard; exit 3").expect_err("status 3");
    assert!(failed.to_string().contains("heard"), "{failed}");
    ordinary.destroy().unwrap_or_else(|error| panic!("{error}"));

    let novf = started(&node, "novf", "novf ip6=fd00::2/64");
    assert_eq!(has(&novf), (true, false));
    let addresses = novf
        .exec("ip addr")
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(addresses.contains("fd00::2/64"), "{addresses}");
    novf.destroy().unwrap_or_else(|error| panic!("{error}"));

    let nostandby = started(&node, "nostandby", "nostandby");
    assert_eq!(has(&nostandby), (false, true));
}
