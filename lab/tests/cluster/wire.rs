//! The wire itself, before anything of accelnet runs on it.

use std::time::Duration;

use accelnet_lab::{Cluster, Vm, topologies};

const SOON: Duration = Duration::from_secs(60);

/// A bridge over `pf0` with its address, and a pool of two VFs, as accelnet would make them.
const SWITCH: &str = "set -e
    modprobe -a vfio-pci bridge tun
    systemctl stop lab-wire; ip address flush dev pf0
    ip link add br0 type bridge; ip link set pf0 master br0; ip link set pf0 up; ip link set br0 up
    bridge link set dev pf0 learning off
    ip address add ADDRESS/24 dev br0
    echo 0 > /sys/class/net/pf0/device/sriov_drivers_autoprobe
    echo 2 > /sys/class/net/pf0/device/sriov_numvfs
    virsh net-define <(echo \"<network><name>vfpool</name><forward mode='hostdev' managed='yes'><pf dev='pf0'/></forward></network>\")
    virsh net-start vfpool";

/// A vNIC on that bridge and a VF of that pool, as one pair.
const PAIR: &str = "<interface type='bridge'><mac address='MAC'/><source bridge='br0'/><model type='virtio'/>\
    <teaming type='persistent'/><alias name='ua-nic'/></interface>\
    <interface type='network'><mac address='MAC'/><source network='vfpool'/>\
    <teaming type='transient' persistent='ua-nic'/><alias name='ua-vf'/></interface>";

#[test]
fn two_nodes_see_each_other_and_each_others_vms_until_the_wire_is_cut() {
    let mut cluster = Cluster::boot(&topologies::member(), 2).unwrap();
    let ping = "ping -c 1 -W 2 n2";
    cluster.node(1).wait_until("a ping", ping, SOON).unwrap();
    for number in [1, 2] {
        let script = SWITCH.replace("ADDRESS", &Cluster::address(number));
        let _ = cluster.node(number).ok(&script);
    }
    let (one, two) = (cluster.node(1), cluster.node(2));
    one.wait_until("a ping through the bridges", ping, SOON)
        .unwrap();
    let vm = Vm::start_on_wire(
        one,
        "web01",
        PAIR,
        "192.168.50.101/24",
        &Cluster::address(2),
    );
    let vm = vm.unwrap();
    let state = vm.wait_for("with its VF", |state| state.vf.is_some() && state.pings);
    assert_eq!(state.unwrap().driver.as_deref(), Some("virtio_net"));
    // And the other way round.
    let back = "ping -c 1 -W 2 192.168.50.101";
    two.wait_until("a ping of the VM", back, SOON).unwrap();

    cluster.cut(1);
    assert!(!two.run(back).success());
    assert!(!one.run(ping).success());
    cluster.mend(1);
    two.wait_until("a ping of the VM", back, SOON).unwrap();

    // A node that loses its power is away, and comes back with what it had written.
    let _ = cluster.node(2).ok("echo kept > /root/word; sync");
    cluster.kill(2);
    assert!(!cluster.node(1).run(ping).success());
    cluster.start(2).unwrap();
    cluster.node(1).wait_until("a ping", ping, SOON).unwrap();
    assert_eq!(cluster.node(2).ok("cat /root/word"), "kept");
}

#[test]
fn three_nodes_keep_one_etcd_and_two_go_on_without_the_third() {
    let mut cluster = Cluster::boot(&topologies::member(), 3).unwrap();
    let store = cluster.start_etcd(&[1, 2, 3]).unwrap();
    assert_eq!(
        store,
        "etcd://192.168.50.1:2379,192.168.50.2:2379,192.168.50.3:2379"
    );
    let put = |number: u8, word: &str| {
        let script = format!("ETCDCTL_API=3 etcdctl --command-timeout=20s put word {word}");
        cluster.node(number).run(&script)
    };
    let get = "ETCDCTL_API=3 etcdctl --command-timeout=20s get word --print-value-only";
    assert!(put(1, "first").success());
    assert_eq!(cluster.node(3).ok(get), "first");
    cluster.cut(3);
    cluster
        .node(1)
        .wait_until(
            "a write by two of three",
            "ETCDCTL_API=3 etcdctl put word second",
            SOON,
        )
        .unwrap();
    // Who is alone can neither write nor read what holds.
    assert!(!put(3, "third").success());
    assert!(!cluster.node(3).run(get).success());
    cluster.mend(3);
    cluster
        .node(3)
        .wait_until(
            "what the others wrote",
            &format!("{get} | grep second"),
            SOON,
        )
        .unwrap();
    cluster.kill(1);
    cluster
        .node(2)
        .wait_until(
            "a write without the first",
            "ETCDCTL_API=3 etcdctl put word fourth",
            SOON,
        )
        .unwrap();
    cluster.start(1).unwrap();
    cluster
        .node(1)
        .wait_until(
            "the first to catch up",
            &format!("{get} | grep fourth"),
            SOON,
        )
        .unwrap();
}
