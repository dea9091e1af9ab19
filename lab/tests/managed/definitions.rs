//! What libvirt writes of a VM, before a change and after it was taken back.

use accelnet_lab::{Node, Vm, topologies};

use crate::kills::killed_at;
use crate::setting::{SOON, await_reconcile, done, managed};

/// A definition with much that is not accelnet's; the only port that is left is the VF's.
const RICH: &str = include_str!("rich.xml");

/// A named tap, and what else its owner chose.
const NAMED: &str = "<interface type='network'><mac address='MAC'/><source network='accelnet-lan'/>\
    <target dev='web01-lan'/><model type='virtio'/><driver name='vhost' rx_queue_size='512'/>\
    <link state='up'/><mtu size='1500'/><coalesce><rx><frames max='7'/></rx></coalesce><rom enabled='no'/>\
    </interface>\
    <interface type='bridge'><mac address='52:54:00:0d:00:77'/><source bridge='br9'/>\
    <target dev='web01-other'/><model type='virtio'/><alias name='ua-other'/></interface>";

/// What the VM starts with, secrets included, as libvirt writes it.
fn definition(node: &Node, vm: &str) -> String {
    node.ok(&format!("virsh dumpxml {vm} --inactive --security-info"))
}

/// Every line of `before` is in `now`, in its place.
fn only_added_to(before: &str, now: &str) {
    let mut left = now.lines();
    for line in before.lines() {
        assert!(
            left.any(|other| other == line),
            "{line}\nis not where it was:\n{now}"
        );
    }
}

fn is_software(node: &Node, vm: &str) {
    let script = format!(
        "accelnet vm show {vm} --output json | grep '\"acceleration\": \"not-accelerated\"'"
    );
    node.wait_until("a VM on its software path", &script, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
}

/// The running vNIC: its tap, MTU and place in the guest.
fn running(node: &Node, tap: &str) -> (String, String) {
    let link = node.ok(&format!(
        "ip -o link show {tap} | sed 's/.*\\(mtu [0-9]*\\).*\\(master [^ ]*\\).*/\\1 \\2/'"
    ));
    let live = node.ok("virsh dumpxml web01");
    let device = live
        .split("</interface>")
        .find(|device| device.contains(&format!("<target dev='{tap}'/>")));
    let device = device.unwrap_or_else(|| panic!("no {tap} in\n{live}"));
    let lines = device[device.find("<interface").unwrap_or(0)..].lines();
    let kept = lines.filter(|line| {
        let ours = ["<alias ", "<teaming ", "<source "];
        !ours.iter().any(|element| line.contains(element))
    });
    (link, kept.collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_definition_is_byte_for_byte_what_it_was() {
    let node = managed(&topologies::igb_acs(), None);
    let _ = node.ok(&format!(
        "ip link add br9 type bridge; ip link set br9 up; virsh define <(cat <<'END'\n{RICH}\nEND\n)"
    ));
    let before = definition(&node, "rich");
    for kept in [
        "passwd='geheim'",
        "<target dev='rich-lan'/>",
        "<![CDATA[<devices>&]]>",
        "<qemu:env name='X' value='y'/>",
    ] {
        assert!(before.contains(kept), "{kept}:\n{before}");
    }
    // libvirt writes the same of what it wrote.
    let _ = node.ok("virsh define <(virsh dumpxml rich --inactive --security-info)");
    assert_eq!(definition(&node, "rich"), before);

    let _ = done(&node, "vm enable rich --performance low");
    let enabled = definition(&node, "rich");
    only_added_to(&before, &enabled);
    for _ in 0..2 {
        let _ = done(&node, "vm set rich --performance medium");
        assert_eq!(definition(&node, "rich"), enabled);
    }
    let _ = done(&node, "vm disable rich");
    assert_eq!(definition(&node, "rich"), before);
    let again = done(&node, "vm disable rich");
    assert_eq!(again["results"][0]["unchanged"], true, "{again:#}");
    assert_eq!(definition(&node, "rich"), before);

    // A vNIC that is added takes the last port: libvirt would add another, and leave it there.
    let elsewhere =
        "virsh define <(virsh dumpxml rich --inactive --security-info | sed s/acn-lan/br9/)";
    let _ = node.ok(elsewhere);
    let bare = definition(&node, "rich");
    let _ = done(&node, "vm enable rich --performance low --add-nic");
    let enabled = definition(&node, "rich");
    only_added_to(&bare, &enabled);
    assert!(enabled.contains("ua-accelnet-port-5"), "{enabled}");
    let _ = done(&node, "vm disable rich");
    assert_eq!(definition(&node, "rich"), bare);
    let _ = node.ok(&format!("virsh define <(cat <<'END'\n{before}\nEND\n)"));
    assert_eq!(definition(&node, "rich"), before);

    // The agent dies in the middle of the way there, and of the way back.
    killed_at(&node, "define-vf", "vm enable rich --performance low");
    await_reconcile(&node);
    only_added_to(&before, &definition(&node, "rich"));
    killed_at(&node, "part-nic", "vm disable rich");
    is_software(&node, "rich");
    assert_eq!(definition(&node, "rich"), before);
}

#[test]
#[cfg_attr(not(feature = "long"), ignore = "run by 'cargo xtask test --all'")]
fn a_running_vnic_keeps_its_tap_and_its_place() {
    let node = managed(&topologies::igb_acs(), None);
    let _ = node.ok("ip link add br9 type bridge; ip link set br9 up");
    let vm = Vm::start_on_wire(&node, "web01", NAMED, "10.0.2.77/24", "10.0.2.2")
        .unwrap_or_else(|error| panic!("{error}"));
    let (before, other) = (definition(&node, "web01"), running(&node, "web01-other"));
    let begun = running(&node, "web01-lan");
    let has_vf = |vm: &Vm<'_>| {
        let state = vm.wait_for("with its VF", |state| state.vf.is_some() && state.pings);
        state.unwrap_or_else(|error| panic!("{error}"))
    };

    for _ in 0..2 {
        let _ = done(&node, "vm enable web01 --performance low --now");
        let _ = has_vf(&vm);
        assert_eq!(running(&node, "web01-lan"), begun);
        only_added_to(&before, &definition(&node, "web01"));
    }
    let _ = done(&node, "vm disable web01");
    let state = vm.wait_for("without a VF", |state| state.vf.is_none() && state.pings);
    let _ = state.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(definition(&node, "web01"), before);
    assert_eq!(running(&node, "web01-lan"), begun);

    // Anew, from a start without anything of accelnet's; the agent dies while the vNIC is out.
    let _ = node.ok("virsh destroy web01; virsh start web01");
    let pings = vm.wait_for("pinging again", |state| state.pings && state.sent < 60);
    let _ = pings.unwrap_or_else(|error| panic!("{error}"));
    let begun = running(&node, "web01-lan");
    killed_at(&node, "plug-nic", "vm enable web01 --performance low --now");
    await_reconcile(&node);
    let _ = has_vf(&vm);
    assert_eq!(running(&node, "web01-lan"), begun);
    killed_at(&node, "detach-vf", "vm disable web01");
    is_software(&node, "web01");
    let state = vm.wait_for("without a VF", |state| state.vf.is_none() && state.pings);
    let _ = state.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(definition(&node, "web01"), before);
    assert_eq!(running(&node, "web01-lan"), begun);
    assert_eq!(running(&node, "web01-other"), other);
}
