//! libvirt's hook while libvirtd is confined by AppArmor.

use accelnet_lab::{Node, Vm, topologies};
use serde_json::Value;

use crate::setting::{SOON, done, quiet};
use crate::support::{accelnet, boot};

/// The row of the prerequisite check of the hook.
fn hook_row(node: &Node) -> Value {
    let (_, answer) = accelnet(node, "prereq");
    let rows = answer["checks"].as_array();
    let mut rows = rows.into_iter().flatten();
    let row = rows.find(|row| row["name"] == "hook");
    row.cloned().unwrap_or_else(|| panic!("{answer:#}"))
}

/// Whether the fault of a silent hook is there.
fn is_silent(node: &Node) -> bool {
    let faults = done(node, "faults");
    let mut faults = faults.as_array().expect("a list of faults").iter();
    faults.any(|fault| fault["code"] == "hook_silent")
}

#[test]
fn the_hook_runs_under_an_enforced_profile_and_its_silence_is_a_fault() {
    let node = boot(&topologies::igb_acs());
    let confined = node.ok(
        "set -e; modprobe -a vfio-pci bridge tun; systemctl unmask apparmor; systemctl start apparmor; systemctl restart libvirtd
         virsh version > /dev/null; cat /proc/$(pidof libvirtd)/attr/current",
    );
    assert_eq!(confined.trim(), "libvirtd (enforce)");
    let program = node.ok("command -v accelnet");
    assert!(program.trim().starts_with("/usr/local/"), "{program}");

    let said = node.ok("accelnet setup");
    assert!(said.contains("let libvirtd run"), "{said}");
    assert!(
        said.contains("try the hook under AppArmor's profile libvirtd"),
        "{said}"
    );
    node.wait_until("the agent", "accelnet status", SOON)
        .unwrap_or_else(|error| panic!("{error}"));
    let row = hook_row(&node);
    assert_eq!(row["passed"], true, "{row:#}");
    let _ = node.ok("ip link set pf0 up");
    let _ = done(&node, "intent add lan --compute --adapter pf0");
    quiet(&node);
    let _ = done(&node, "enable --intent lan");
    let vm = Vm::start_on_bridge(&node, "web01", "acn-lan", Some("ua-mine"))
        .unwrap_or_else(|error| panic!("{error}"));
    let _ = done(&node, "vm enable web01 --performance low");
    let uuid = vm.uuid().unwrap_or_else(|error| panic!("{error}"));
    let outcome = node.ok(&format!("cat /run/accelnet/vms/{uuid}.outcome.json"));
    assert!(outcome.contains("port-created"), "{outcome}");
    assert!(
        outcome.contains("100 Mb/s"),
        "a tenth of the adapter's rate: {outcome}"
    );
    assert!(!is_silent(&node));

    // Without the rule the script runs, and the program does not.
    let _ = done(&node, "vm disable web01");
    let _ = node.ok(
        "set -e; sed -i /accelnet/d /etc/apparmor.d/local/usr.sbin.libvirtd
         apparmor_parser --replace /etc/apparmor.d/usr.sbin.libvirtd",
    );
    let row = hook_row(&node);
    assert_eq!(row["code"], "hook_blocked", "{row:#}");
    let _ = done(&node, "vm enable web01 --performance low");
    assert!(is_silent(&node), "{:#}", done(&node, "faults"));
    // Setup brings it back.
    let _ = node.ok("accelnet setup");
    let row = hook_row(&node);
    assert_eq!(row["passed"], true, "{row:#}");
}
