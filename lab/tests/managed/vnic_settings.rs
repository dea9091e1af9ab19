//! Settings of vNICs on a bridge that filters VLANs: carried over to the VF, refused, and followed.

use accelnet_lab::{Node, Vm, topologies};

use crate::running::{definition, runs_over_its_vf, vf_of};
use crate::setting::{SOON, define, done, quiet, refused, shown, with_agent};

/// Intent `lan` on `br0`, which a user made: VLAN 1 without a tag and VLAN 42 with one go out of `pf0`.
fn on_a_vlan_bridge() -> Node {
    let node = with_agent(&topologies::igb_acs());
    let _ = node.ok(
        "ip link add br0 type bridge vlan_filtering 1 && ip link set br0 up &&
         ip link set pf0 up && ip link set pf0 master br0 && bridge vlan add dev pf0 vid 42",
    );
    let added = done(&node, "intent add lan --compute --adapter pf0 --vfs 3");
    let status = &added["intent"]["status"][0];
    assert_eq!(status["state"], "completed", "{added:#}");
    assert_eq!(status["bridge"], "br0", "{added:#}");
    let warnings = status["warnings"].to_string();
    assert!(warnings.contains("Bridge br0 filters VLANs"), "{added:#}");
    quiet(&node);
    let _ = done(&node, "enable --intent lan");
    node
}

/// A vNIC on the intent's network with `inner`.
fn vnic(mac: u8, inner: &str) -> String {
    format!(
        "<interface type='network'><mac address='52:54:00:0d:00:{mac:02x}'/>\
         <source network='accelnet-lan'/>{inner}<model type='virtio'/></interface>"
    )
}

/// A VF would go past each of these.
fn definitions_are_refused(node: &Node) {
    for (place, inner, words) in [
        (1, "<filterref filter='clean-traffic'/>", "clean-traffic"),
        (2, "<link state='down'/>", "is down"),
        (3, "<port isolated='yes'/>", "isolated"),
        (
            4,
            "<vlan trunk='yes'><tag id='42'/><tag id='47'/></vlan>",
            "trunk of VLANs 42, 47",
        ),
        (
            5,
            "<bandwidth><inbound average='1000'/></bandwidth>",
            "1000 KiB/s",
        ),
        (6, "<mtu size='9000'/>", "MTU of 9000"),
        (
            7,
            "<vlan><tag id='7'/></vlan>",
            "uplink pf0 of bridge br0 does not carry",
        ),
    ] {
        define(node, "strict", 2, &vnic(place, inner));
        let before = definition(node, "strict");
        let problem = refused(node, "vm enable strict -p low", "vm_unfit", 83);
        let found = problem["found"].as_str().unwrap_or_default();
        assert!(found.contains(words), "{inner}: {problem:#}");
        assert_eq!(definition(node, "strict"), before, "{inner}");
        let _ = node.ok("virsh undefine strict");
    }
    // What is carried is in the definition of its VF.
    define(node, "tagged", 2, &vnic(8, "<vlan><tag id='42'/></vlan>"));
    let _ = done(node, "vm enable tagged -p low");
    assert_eq!(
        definition(node, "tagged").matches("<tag id='42'/>").count(),
        2
    );
    let _ = done(node, "vm disable tagged");
    let _ = node.ok("virsh undefine tagged");
}

/// What the PF shows of the VM's VF.
fn vf_line(node: &Node, vm: &Vm<'_>) -> String {
    let line = format!("ip link show pf0 | grep {} | grep 'vf '", vm.mac());
    node.run(&line).stdout
}

#[test]
fn settings_of_a_vnic_hold_over_its_vf() {
    let node = on_a_vlan_bridge();
    definitions_are_refused(&node);

    let vm = Vm::start_on_bridge(&node, "web01", "br0", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    let tap = node.ok("virsh domiflist web01 | awk '$3 == \"br0\" { print $1 }'");

    // What is set of the running VM only.
    let isolated = |on| format!("bridge link set dev {tap} isolated {on}");
    let live = |node: &Node| node.ok("virsh dumpxml web01");
    let (config, running) = (definition(&node, "web01"), live(&node));
    let _ = node.ok(&isolated("on"));
    let _ = refused(&node, "vm enable web01 -p low", "vm_unfit", 83);
    let _ = node.ok(&isolated("off"));
    assert_eq!(definition(&node, "web01"), config);
    assert_eq!(live(&node), running);

    // Trust and spoof check are off and on by default, and change at once.
    let enabled = done(&node, "vm enable web01 -p low");
    let message = enabled["results"][0]["message"]
        .as_str()
        .unwrap_or_default();
    assert!(message.contains(&vm.mac()), "{enabled:#}");
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
    runs_over_its_vf(&node, &vm);
    let line = vf_line(&node, &vm);
    assert!(line.contains("spoof checking on"), "{line}");
    assert!(
        line.contains("trust off") && !line.contains("vlan"),
        "{line}"
    );
    let begun = vm.lost().expect("a word of the VM");
    let _ = done(&node, "vm set web01 --trust on --spoof-check off");
    let line = vf_line(&node, &vm);
    assert!(line.contains("spoof checking off"), "{line}");
    assert!(line.contains("trust on"), "{line}");
    let _ = done(&node, "vm set web01 --trust intent --spoof-check on");
    let line = vf_line(&node, &vm);
    assert!(line.contains("spoof checking on"), "{line}");
    assert!(line.contains("trust off"), "{line}");
    let lost = vm.lost().expect("a word of the VM") - begun;
    assert!(lost <= 2, "{lost} pings lost");

    // Its port gets another VLAN, and its VF with it.
    let vf = vf_of(&node, &vm);
    let _ = node.ok(&format!(
        "bridge vlan del dev {tap} vid 1 && bridge vlan add dev {tap} vid 42 pvid untagged"
    ));
    let in_vlan = format!("ip link show pf0 | grep 'vf {vf} .*vlan 42'");
    node.wait_until("a VF in VLAN 42", &in_vlan, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = node.ok(&format!(
        "bridge vlan del dev {tap} vid 42 && bridge vlan add dev {tap} vid 1 pvid untagged"
    ));
    let none = format!("! ip link show pf0 | grep 'vf {vf} .*vlan'");
    node.wait_until("a VF without a VLAN", &none, SOON)
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = vm
        .wait_for("pinging again", |state| state.pings)
        .unwrap_or_else(|error| panic!("{error}"));

    // Its link is taken down: the VF must not give it network.
    let _ = node.ok(&format!("virsh domif-setlink web01 {tap} down"));
    node.wait_until(
        "a VM without its VF",
        "accelnet vm show web01 --output json | grep '\"path\": \"software\"'",
        SOON,
    )
    .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(vf_line(&node, &vm), "");
    let faults = done(&node, "faults");
    assert_eq!(faults[0]["code"], "vm_unfit", "{faults:#}");
    let _ = vm
        .wait_for("without network", |state| !state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = node.ok(&format!("virsh domif-setlink web01 {tap} up"));
    let _ = vm
        .wait_for("with its VF", |state| state.vf.is_some() && state.pings)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(shown(&node, "web01")["acceleration"], "accelerated");
    let _ = done(&node, "vm disable web01");
    assert_eq!(definition(&node, "web01"), config);
}
