//! A host whose firewall drops what bridges forward: br_netfilter with the policy DROP, as on a host with
//! Docker. It is found before a VM is put on such a path.

use accelnet_lab::{Node, Vm, topologies};
use serde_json::Value;

use crate::running::runs_over_its_vf;
use crate::setting::{SOON, define, done, managed, refused, shown, vnic};
use crate::support::accelnet;

/// The row of the check `software-path`, and the exit status of all checks.
fn checked(node: &Node) -> (i32, Value) {
    let (status, answer) = accelnet(node, "prereq --intent lan");
    let rows = answer["checks"].as_array().into_iter().flatten();
    let mut own = rows.filter(|row| row["name"] == "software-path");
    let row = own.next().unwrap_or_else(|| panic!("{answer:#}")).clone();
    (status, row)
}

/// Whether a station on the bridge reaches the gateway.
fn passes(node: &Node) -> bool {
    node.run("ip netns exec station ping -c 2 -W 2 10.0.2.2")
        .success()
}

#[test]
fn a_firewall_that_drops_what_a_bridge_forwards_is_found_before_a_vm_is_put_on_it() {
    let node = managed(&topologies::igb_acs(), Some(3));
    // The emulated adapter hands a PF no frames for others once a VF is in use.
    let _ = node.ok("set -e
        ip netns add station
        ip link add to-station type veth peer name eth0 address 52:54:00:0d:00:77 netns station
        bridge fdb add 52:54:00:0d:00:77 dev pf0 self
        ip link set to-station master acn-lan up
        ip -n station address add 10.0.2.77/24 dev eth0
        ip -n station link set eth0 up");
    let vm = Vm::start_on_bridge(&node, "web01", "acn-lan", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    define(&node, "web02", 2, &vnic(0x50));
    let _ = done(&node, "vm enable web01 --performance low");
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
    runs_over_its_vf(&node, &vm);
    assert_eq!(checked(&node).1["outcome"], "passed");
    let before = vm.lost().expect("a word of the VM");

    // br_netfilter alone does no harm, nor does the policy alone.
    let _ = node.ok("iptables -P FORWARD DROP");
    assert_eq!(checked(&node).1["outcome"], "passed");
    let _ = node.ok("modprobe br_netfilter");
    assert_eq!(node.ok("sysctl -n net.bridge.bridge-nf-call-iptables"), "1");
    assert!(!passes(&node), "the firewall lets the bridge forward");
    let (status, row) = checked(&node);
    assert_eq!((status, &row["outcome"]), (47, &"failed".into()), "{row:#}");
    assert_eq!(row["code"], "software_path_dropped", "{row:#}");
    assert_eq!(
        row["found"],
        "IPv4 is dropped by chain FORWARD of table ip filter (br_netfilter passes bridged packets to it).",
        "{row:#}"
    );

    // The VM that runs is left alone.
    for change in ["vm disable web01", "vm enable web02 --performance low"] {
        let _ = refused(&node, change, "software_path_dropped", 47);
    }
    assert_eq!(shown(&node, "web01")["path"], "vf");
    runs_over_its_vf(&node, &vm);
    // The next event has the agent read the whole node.
    let _ = node.ok("ip link add any type dummy");
    node.wait_until(
        "a fault",
        "accelnet faults | grep software_path_dropped",
        SOON,
    )
    .unwrap_or_else(|error| panic!("{error}"));

    // Either remedy helps.
    let _ = node.ok("iptables -I FORWARD -i acn-lan -o acn-lan -j ACCEPT");
    assert!(passes(&node), "the rule accepts what the bridge forwards");
    assert_eq!(checked(&node).1["outcome"], "passed");
    let _ = node.ok("iptables -D FORWARD -i acn-lan -o acn-lan -j ACCEPT
        sysctl -w net.bridge.bridge-nf-call-iptables=0");
    assert_eq!(checked(&node).1["outcome"], "passed");
    let _ = done(&node, "vm disable web01");
    let state = vm
        .wait_for("without a VF", |state| state.vf.is_none() && state.pings)
        .expect("a VM that pings");
    let lost = vm.lost().expect("a word of the VM") - before;
    println!("pings lost: {lost}");
    assert!(lost <= 2, "{lost} lost: {state:?}");

    // nftables itself is read as well.
    let _ = node.ok("iptables -P FORWARD ACCEPT
        sysctl -w net.bridge.bridge-nf-call-iptables=1
        nft 'add table inet fw'
        nft 'add chain inet fw forward { type filter hook forward priority 0; policy drop; }'
        nft 'add rule inet fw forward ct state established,related accept'");
    assert!(!passes(&node), "nftables lets the bridge forward");
    assert_eq!(checked(&node).1["code"], "software_path_dropped");
    let _ = node.ok("nft 'insert rule inet fw forward iifname acn-lan oifname acn-lan accept'");
    assert!(passes(&node), "the rule accepts what the bridge forwards");
    assert_eq!(checked(&node).1["outcome"], "passed");
}
