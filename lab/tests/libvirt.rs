//! VMs changed through a real libvirt, while their guests ping.

mod support;

use std::time::Duration;

use accelnet_lab::{Node, Vm, topologies};
use support::{accelnet, boot};

const POOL: &str = "<network><name>pool</name><forward mode='hostdev' managed='yes'>\
                    <pf dev='pf0'/></forward></network>";
const ALIAS: &str = "ua-accelnet-path";
const SOON: Duration = Duration::from_secs(60);

/// The first VF as the PF's driver reports it.
fn vf0(node: &Node) -> String {
    node.ok("ip link show pf0 | grep 'vf 0'")
}

/// Runs the example `vms` in the node, with `input` as its standard input; its answer.
fn vms(node: &Node, args: &str, input: &str) -> String {
    node.ok(&format!("vms {args} <<'END'\n{input}\nEND"))
}

/// Waits until the watch has reported `what`.
fn await_event(node: &Node, what: &str) {
    let script = format!("grep -a '{what}' /run/watch.log");
    node.wait_until(what, &script, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}

/// A node with VFs, the hook, a pool, and a bridge.
fn prepared() -> Node {
    let node = boot(&topologies::igb_acs());
    let (status, answer) = accelnet(&node, "adapter enable pf0 --vfs 3");
    assert_eq!(status, 0, "{answer:#}");
    // QEMU's igb hands a PF its own broadcasts back, from which the bridge would learn that the
    // VM is out there.
    let _ = node.ok("modprobe -a vfio-pci bridge tun
         ip link add br0 type bridge
         ip link set pf0 master br0
         bridge link set dev pf0 learning off
         ip link set pf0 up
         ip link set br0 up");
    // libvirt runs, and is only asked to check again.
    assert_eq!(vms(&node, "hook /etc/libvirt/hooks", ""), "true");
    assert_eq!(vms(&node, "hook /etc/libvirt/hooks", ""), "false");
    let _ = node.ok("systemctl reload libvirtd");
    for _ in 0..2 {
        let _ = vms(&node, "net-define -", POOL);
        let _ = vms(&node, "net-start pool", "");
    }
    node.spawn("watch", "exec vms watch > /run/watch.log 2>&1")
        .expect("a watch");
    node
}

#[test]
fn a_vm_gets_a_vf_and_gives_it_back_under_a_ping() {
    let node = prepared();
    let vm = Vm::start_on_bridge(&node, "vm1", "br0", Some(ALIAS))
        .unwrap_or_else(|error| panic!("{error}"));
    let (uuid, mac) = (vm.uuid().expect("a UUID"), vm.mac());
    let before = vms(&node, &format!("xml {uuid} config"), "");
    let wish = format!(
        r#"{{"mac":"{mac}","max_tx_rate_mbps":500,"min_tx_rate_mbps":0,"vlan":null,
             "spoof_check":false,"trust":true,"queue_pairs":null}}"#
    );
    let _ = node.ok(&format!(
        "mkdir -p /run/accelnet/vms; echo '{wish}' > /run/accelnet/vms/{uuid}.json"
    ));
    let vf = format!(
        "<interface type='network'><mac address='{mac}'/><source network='pool'/>\
         <teaming type='transient' persistent='{ALIAS}'/><alias name='ua-accelnet-vf'/></interface>"
    );

    // As the agent does while a VM is between its paths.
    let _ = node.ok(&format!("bridge fdb add {mac} dev pf0 self"));

    // Attached, by the second call not once more. The hook set it before the guest saw it.
    for _ in 0..2 {
        let _ = vms(&node, &format!("attach {uuid} - live"), &vf);
    }
    await_event(&node, "DeviceAdded.*ua-accelnet-vf");
    let set = vf0(&node);
    for part in [
        mac.as_str(),
        "max_tx_rate 500Mbps",
        "checking off",
        "trust on",
    ] {
        assert!(set.contains(part), "{part}: {set}");
    }
    let outcome = format!("/run/accelnet/vms/{uuid}.outcome.json");
    let noted = node.ok(&format!("cat {outcome}"));
    assert!(
        noted.contains("set the rate to 0..500 Mb/s") && noted.contains("\"failures\": []"),
        "{noted}"
    );
    let state = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .expect("a VF in the guest");
    assert_eq!(state.driver.as_deref(), Some("virtio_net"), "{state:?}");

    // The guest agent sees both.
    let question = r#"{"execute":"guest-network-get-interfaces"}"#;
    let seen = node
        .wait_until(
            "the guest agent",
            &format!("vms ask {uuid} '{question}'"),
            SOON,
        )
        .expect("an answer");
    assert_eq!(seen.matches(&mac).count(), 3, "master and two: {seen}");

    // The network forgets its ports when it is restarted, and then gives the same VF to
    // another. libvirt refuses late; the hook has left the VF alone.
    let _ = vms(&node, "net-stop pool", "");
    let _ = vms(&node, "net-start pool", "");
    let _ = node.ok(&format!(
        "sed -i s/{mac}/52:54:00:0d:00:02/ /run/accelnet/vms/{uuid}.json"
    ));
    let second = "<interface type='network'><mac address='52:54:00:0d:00:02'/>\
                  <source network='pool'/></interface>";
    let refused = node.run(&format!("echo \"{second}\" | vms attach {uuid} - live"));
    assert!(
        refused.stderr.contains("is in use by driver QEMU"),
        "{refused}"
    );
    assert_eq!(vf0(&node), set);
    assert!(
        node.ok(&format!("cat {outcome}"))
            .contains("belongs to another VM"),
        "it says so"
    );
    let _ = node.ok(&format!("echo '{wish}' > /run/accelnet/vms/{uuid}.json"));

    // libvirt restarts: it names the ports again, and those who watch are notified of it.
    let _ = node.ok("systemctl restart libvirtd");
    await_event(&node, "^ConnectionLost");
    await_event(&node, "^Reconnected");

    // Detached, and put back; by the second call nothing is left to do.
    for _ in 0..2 {
        let _ = vms(&node, &format!("detach {uuid} - live"), &vf);
    }
    await_event(&node, "DeviceRemoved.*ua-accelnet-vf");
    let back = vf0(&node);
    for part in ["00:00:00:00:00:00", "checking on", "trust off"] {
        assert!(back.contains(part), "{part}: {back}");
    }
    assert!(!back.contains("max_tx_rate"), "{back}");
    let state = vm
        .wait_for("without a VF", |state| state.vf.is_none() && state.pings)
        .expect("a VM that pings");
    let lost = vm.lost().expect("a word of the VM");
    assert!(lost <= 2, "{lost} lost: {state:?}");

    // The definition was not touched. Teaming is taken out of it, and all of it restored.
    let definition = || vms(&node, &format!("xml {uuid} config"), "");
    assert_eq!(definition(), before);
    let plain = vms(&node, &format!("unteam {uuid} {mac}"), "");
    let _ = vms(&node, &format!("update {uuid} - config"), &plain);
    assert!(!definition().contains("teaming"), "{}", definition());
    let _ = vms(&node, "define -", &before);
    assert_eq!(definition(), before);
    vm.destroy().expect("the VM ends");
    await_event(&node, "change: Stopped");
}
