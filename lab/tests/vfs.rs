//! VFs made, changed and kept, on a real kernel.

mod support;

use std::time::Duration;

use accelnet_lab::{Node, Vm, topologies};
use support::{accelnet, boot};

const PF0: &str = "/sys/class/net/pf0/device";

fn count(node: &Node) -> String {
    node.ok(&format!("cat {PF0}/sriov_numvfs"))
}

/// Changing and removing are both refused, with a user whose words contain `user`, and
/// nothing has changed.
fn refused(node: &Node, vf: u32, user: &str) {
    let before = node.ok(&format!("ls -l {PF0}/virtfn*"));
    for change in ["adapter enable pf0 --vfs 3", "adapter disable pf0"] {
        let (status, answer) = accelnet(node, change);
        let found = answer["error"]["found"].as_str().unwrap_or_default();
        assert_eq!(answer["error"]["code"], "vf_in_use", "{change}: {answer:#}");
        assert_eq!(status, 53);
        assert!(
            found.contains(&format!("VF {vf} (")) && found.contains(user),
            "{change}: {found}"
        );
    }
    assert_eq!(node.ok(&format!("ls -l {PF0}/virtfn*")), before);
}

#[test]
fn vfs_are_made_changed_and_never_taken_from_their_users() {
    let node = boot(&topologies::igb_acs());
    let _ = node.ok("ip link set pf0 up; modprobe igbvf; modprobe vfio-pci");

    // All of them, by default; without a host netdev, though igbvf is loaded.
    let (status, answer) = accelnet(&node, "adapter enable pf0");
    assert_eq!(status, 0, "{answer:#}");
    assert_eq!(
        answer["vfs"].as_array().map(Vec::len),
        Some(7),
        "{answer:#}"
    );
    assert_eq!(answer["warnings"].to_string(), "[]");
    assert_eq!(count(&node), "7");
    let _ = node.ok("udevadm settle");
    assert_eq!(
        node.ok(&format!("ls -d {PF0}/virtfn*/net 2>/dev/null || true")),
        ""
    );
    assert_eq!(
        node.ok(&format!("ls -d {PF0}/virtfn*/driver 2>/dev/null || true")),
        ""
    );

    // Once more changes nothing; another number goes through zero by itself.
    let (status, answer) = accelnet(&node, "adapter enable pf0");
    assert_eq!(status, 0);
    assert!(
        answer["plan"]["reason"]
            .as_str()
            .unwrap_or_default()
            .contains("already")
    );
    let (status, answer) = accelnet(&node, "adapter enable pf0 --vfs 4 --dry-run");
    assert_eq!((status, count(&node).as_str()), (0, "7"), "{answer:#}");
    let (status, _) = accelnet(&node, "adapter enable pf0 --vfs 4");
    assert_eq!((status, count(&node).as_str()), (0, "4"));

    // The adapter's VF capabilities was asked when its VFs were made. igb refuses a rate while its
    // link is down, which it is for a moment then; so it is asked again with link.
    let (_, adapter) = accelnet(&node, "adapter show pf0");
    assert_eq!(adapter["features"]["trust"]["supported"], "yes");
    node.wait_until(
        "carrier",
        "sleep 2; grep -q 1 /sys/class/net/pf0/carrier",
        Duration::from_secs(60),
    )
    .expect("pf0 has link");
    let (_, adapter) = accelnet(&node, "adapter show pf0 --ask");
    let features = &adapter["features"];
    assert_eq!(features["spoof_check"]["supported"], "yes", "{features:#}");
    assert_eq!(features["trust"]["supported"], "yes");
    assert_eq!(features["max_tx_rate"]["supported"], "yes");
    assert_eq!(features["min_tx_rate"]["supported"], "no");
    assert_eq!(features["link_state"]["supported"], "no");
    assert!(
        features["link_state"]["reason"]
            .to_string()
            .contains("EOPNOTSUPP"),
        "{features:#}"
    );
    assert_eq!(features["vlan_802_1ad"]["supported"], "no");
    assert_eq!(features["msix_per_vf"]["supported"], "no");
    assert_eq!(features["eswitch"], serde_json::Value::Null);
    let bars = adapter["sriov"]["bars"].as_array().expect("VF BARs");
    assert!(
        bars.iter()
            .all(|bar| bar["size"] == 16_384 && bar["assigned"] == true),
        "QEMU's igb has VF BARs of 16 KiB: {bars:?}"
    );
    assert_eq!(
        adapter["vfs"][3]["settings"]["max_tx_rate"], 0,
        "what was asked was put back"
    );

    // More than there are, and none at all.
    let (status, answer) = accelnet(&node, "adapter enable pf0 --vfs 8");
    assert_eq!(answer["error"]["code"], "vf_count_too_high");
    assert_eq!((status, count(&node).as_str()), (55, "4"));

    // A process that holds one through vfio.
    let bind = |vf: u32, driver: &str| {
        format!(
            "V=$(basename $(readlink {PF0}/virtfn{vf})); D=/sys/bus/pci/devices/$V; \
             test -e $D/driver && echo $V > $D/driver/unbind; \
             echo {driver} > $D/driver_override; echo $V > /sys/bus/pci/drivers_probe; \
             basename $(readlink $D/driver)"
        )
    };
    assert_eq!(node.ok(&bind(1, "vfio-pci")), "vfio-pci");
    let group = node.ok(&format!("basename $(readlink {PF0}/virtfn1/iommu_group)"));
    node.spawn(
        "holder",
        &format!("exec 3<>/dev/vfio/{group}; exec -a holder sleep 1000"),
    )
    .expect("a process that holds the group");
    node.wait_until(
        "the holder",
        &format!("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q /dev/vfio/{group}"),
        Duration::from_secs(30),
    )
    .expect("it holds the group");
    refused(&node, 1, &format!("which holds /dev/vfio/{group}"));
    let _ = node.ok("systemctl stop holder");

    // One in another network namespace, one that is up, and one that is a bridge's port.
    let _ = node.ok(&bind(2, "igbvf"));
    let netdev = node.ok(&format!("udevadm settle; ls {PF0}/virtfn2/net"));
    let _ = node.ok(&format!(
        "ip netns add elsewhere; ip link set {netdev} netns elsewhere"
    ));
    refused(&node, 2, "network namespace elsewhere");
    let _ = node.ok(&format!(
        "ip netns exec elsewhere ip link set {netdev} netns 1; ip netns del elsewhere; ip link set {netdev} up"
    ));
    refused(&node, 2, &format!("host netdev {netdev}, which is up"));
    let _ = node.ok(&format!(
        "ip link set {netdev} down; ip link add br7 type bridge; ip link set {netdev} master br7"
    ));
    refused(&node, 2, "a port of br7");
    let _ = node.ok("ip link del br7");

    // A running VM, which keeps its NIC; libvirt gone, its QEMU is still seen.
    let vm = Vm::start(&node, "vm1", "pf0").unwrap_or_else(|error| panic!("{error}"));
    refused(&node, 0, "VM vm1");
    let state = vm.state().expect("the VM speaks");
    assert!(
        state.pings && state.driver.as_deref() == Some("igbvf"),
        "{state:?}"
    );
    let _ =
        node.ok("systemctl stop libvirtd libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket");
    refused(&node, 0, "guest vm1");
    let _ = node.ok("systemctl start libvirtd.socket libvirtd-ro.socket libvirtd");
    let (_, seen) = accelnet(&node, "node show");
    let domains = seen["domains"].to_string();
    assert!(
        domains.contains("vm1") && domains.contains("running"),
        "{domains}"
    );
    vm.destroy().expect("the VM ends");

    // No user is left: VFs with vfio-pci and host drivers are no hindrance.
    let (status, answer) = accelnet(&node, "adapter enable pf0 --vfs 7");
    assert_eq!((status, count(&node).as_str()), (0, "7"), "{answer:#}");
    let (status, answer) = accelnet(&node, "adapter disable pf0");
    assert_eq!((status, count(&node).as_str()), (0, "0"), "{answer:#}");
    assert_eq!(node.ok(&format!("cat {PF0}/sriov_drivers_autoprobe")), "1");
    assert_eq!(accelnet(&node, "adapter disable pf0").0, 0);

    // An ordinary user may read, and not change.
    let _ = node.ok("useradd -m guest 2>/dev/null || true");
    let seen = node.run("su guest -c 'accelnet adapter enable pf0 --output json'");
    let answer: serde_json::Value = serde_json::from_str(&seen.stdout).expect("JSON");
    assert_eq!(answer["error"]["code"], "permission_denied", "{answer:#}");
    assert_eq!((seen.status, count(&node).as_str()), (52, "0"));
}
