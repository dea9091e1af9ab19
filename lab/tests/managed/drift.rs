//! What others change on the node is found, reported and repaired; and a node that was reset has
//! everything again.

use accelnet_lab::{Node, Vm, topologies};

use crate::running::{definition, runs_over_its_vf, vf_of};
use crate::setting::{SOON, await_event, await_reconcile, done, managed, newest, quiet, shown};

const PF0: &str = "/sys/class/net/pf0/device";

#[test]
fn changes_by_others_are_repaired_and_a_reset_is_survived() {
    let mut node = managed(&topologies::igb_acs(), Some(3));
    vfs_switched_off(&node);
    let vm = Vm::start_on_bridge(&node, "web01", "acn-lan", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    libvirtd_restarted_in_an_attach(&node, &vm);
    mac_of_its_vf(&node, &vm);
    bridge_deleted(&node, &vm);
    let accelerated = definition(&node, "web01");

    // The node is reset, without any command.
    let _ = node.ok("virsh autostart web01; rm /var/log/libvirt/web01.log");
    node.reset().unwrap_or_else(|error| panic!("{error}"));
    await_reconcile(&node);
    quiet(&node);
    let vm = Vm::defined(&node, "web01");
    has_its_vf(&node, &vm);
    assert_eq!(definition(&node, "web01"), accelerated);
    let status = done(&node, "status");
    assert_eq!(status["enabled"], true, "{status:#}");
    assert_eq!(status["adapters"][0]["vfs_in_use"], 1, "{status:#}");
}

/// The VM has its VF, the guest drives it, and its traffic runs over it.
fn has_its_vf(node: &Node, vm: &Vm<'_>) {
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
    runs_over_its_vf(node, vm);
}

fn vfs_switched_off(node: &Node) {
    let before = newest(node);
    let _ = node.ok(&format!("echo 0 > {PF0}/sriov_numvfs"));
    let found = await_event(node, before, "drift", "VFs");
    assert!(found.starts_with("Drift: "), "{found}");
    let _ = await_event(node, before, "repaired", "Repaired intent lan");
    await_reconcile(node);
    assert_eq!(node.ok(&format!("cat {PF0}/sriov_numvfs")), "3");
}

/// libvirt asks its hook for the VF's settings before it hands the VF to QEMU: there its daemon
/// is asked to restart.
fn libvirtd_restarted_in_an_attach(node: &Node, vm: &Vm<'_>) {
    let before = definition(node, vm.name());
    let _ = node.ok(r#"hook=/etc/libvirt/hooks/network.d/zz-restart
        printf '%s\n' '#!/bin/sh' \
            '[ "$2" = port-created ] && mkdir /run/restarted 2>/dev/null &&' \
            '    systemctl restart --no-block libvirtd && sleep 1' \
            'cat > /dev/null' 'exit 0' > $hook
        chmod 755 $hook; systemctl restart libvirtd; virsh version"#);
    let from = newest(node);
    let tried = node.run("accelnet vm enable web01 --performance low --output json");
    let _ = node.ok("test -d /run/restarted; rm /etc/libvirt/hooks/network.d/zz-restart");
    await_reconcile(node);
    let view = shown(node, vm.name());
    if tried.success() {
        assert_eq!(view["acceleration"], "accelerated", "{tried}\n{view:#}");
    } else {
        // The obstacle is reported, and everything is as before.
        let _ = await_event(node, from, "refused", "enable acceleration on web01");
        assert_eq!(view["acceleration"], "not-accelerated", "{tried}\n{view:#}");
        assert_eq!(definition(node, vm.name()), before, "{tried}");
        let _ = done(node, "vm enable web01 --performance low");
    }
    has_its_vf(node, vm);
}

fn mac_of_its_vf(node: &Node, vm: &Vm<'_>) {
    let (vf, mac) = (vf_of(node, vm), vm.mac());
    let before = newest(node);
    let _ = node.ok(&format!("ip link set pf0 vf {vf} mac 52:54:00:0d:00:66"));
    let has_it = format!("VF {vf} of pf0 (VM web01)");
    let found = await_event(node, before, "drift", &has_it);
    assert!(found.contains("MAC"), "{found}");
    let _ = await_event(node, before, "repaired", &has_it);
    node.wait_until(
        "the VM's MAC on its VF",
        &format!("ip link show pf0 | grep 'vf {vf} .*{mac}'"),
        SOON,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    has_its_vf(node, vm);
}

fn bridge_deleted(node: &Node, vm: &Vm<'_>) {
    let before = newest(node);
    let _ = node.ok("ip link del acn-lan");
    let found = await_event(node, before, "drift", "acn-lan");
    assert!(found.starts_with("Drift: "), "{found}");
    let _ = await_event(node, before, "repaired", "Repaired intent lan");
    await_reconcile(node);
    quiet(node);
    // The adapter, and the software path of the VM that runs.
    let ports = node.ok("ip -o link show master acn-lan");
    assert!(ports.contains("pf0") && ports.contains("vnet"), "{ports}");
    has_its_vf(node, vm);
}
