//! What others change on the node is found and mended.

use accelnet_lab::topologies;

use crate::setting::{define, done, managed, newest, settled, shown, told, vnic};

const PF0: &str = "/sys/class/net/pf0/device";

#[test]
fn what_others_change_is_found_told_and_mended() {
    let node = managed(&topologies::igb_acs(), Some(3));
    define(&node, "web01", 2, &vnic(1));
    let _ = done(&node, "vm enable web01 -p low");

    // The bridge is deleted.
    let before = newest(&node);
    let _ = node.ok("ip link del acn-lan");
    let found = told(&node, before, "drift", "acn-lan");
    assert!(found.starts_with("Found: "), "{found}");
    let _ = told(&node, before, "mended", "lan");
    settled(&node);
    let _ = node.ok("ip -o link show master acn-lan | grep pf0");

    // The VFs are gone.
    let before = newest(&node);
    let _ = node.ok(&format!("echo 0 > {PF0}/sriov_numvfs"));
    let found = told(&node, before, "drift", "VFs");
    assert!(found.starts_with("Found: "), "{found}");
    settled(&node);
    assert_eq!(node.ok(&format!("cat {PF0}/sriov_numvfs")), "3");

    // libvirt's networks are gone.
    let before = newest(&node);
    let _ = node.ok("virsh net-destroy accelnet-lan-vf; virsh net-undefine accelnet-lan-vf");
    let _ = told(&node, before, "drift", "accelnet-lan-vf");
    settled(&node);
    let _ = node.ok("virsh net-info accelnet-lan-vf | grep 'Active: *yes'");

    // Something was left on a VF that nobody has.
    let before = newest(&node);
    let _ = node.ok("ip link set pf0 vf 2 mac 52:54:00:0d:00:77");
    let found = told(&node, before, "drift", "VF 2 of pf0, which nobody uses");
    assert!(found.contains("MAC"), "{found}");
    node.wait_until(
        "a VF without MAC",
        "ip link show pf0 | grep 'vf 2 .*00:00:00:00:00:00'",
        crate::setting::SOON,
    )
    .unwrap_or_else(|error| panic!("{error}"));

    // The VM's pair is edited away, and the VM renamed.
    let before = newest(&node);
    let _ = node.ok(
        "virsh dumpxml web01 --inactive | sed '/<teaming/d' > /run/web01.xml
         virsh define /run/web01.xml",
    );
    let _ = told(&node, before, "drift", "web01");
    settled(&node);
    let _ = node.ok("virsh dumpxml web01 --inactive | grep \"teaming type='persistent'\"");
    let before = newest(&node);
    let _ = node.ok("virsh domrename web01 web02");
    let _ = told(&node, before, "noticed", "web02");
    let vm = shown(&node, "web02");
    assert_eq!(vm["acceleration"], "accelerated", "{vm:#}");
    assert_eq!(vm["performance"], "low", "{vm:#}");
}
