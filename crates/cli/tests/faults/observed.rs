//! What cannot be read is named with its reason, and hides nothing else.

use accelnet_sim::{AdapterSpec, Fault, Port, Tree};

use crate::page::Page;
use crate::support::{boot, node, pf, port};

/// Everything that cannot be read.
pub fn write(page: &mut Page) {
    page.fault(
        "A netlink answer that is cut short",
        "The kernel's answer about the settings of 4 VFs holds 2 of them. Everything else is shown.",
    );
    let node = node(|igb| igb.vfs(4).sriov(|sriov| sriov.drivers_autoprobe = false));
    node.host
        .kernel
        .break_with(Fault::SettingsCutShort { got: 2 });
    let shown = page.types(&node, "accelnet node show");
    page.must(shown.status == 0, "node show ends well");
    page.must(
        shown.out.contains("holds 2 of 4, it was cut short"),
        "the reason is shown",
    );
    for vf in [
        "0000:01:10.0",
        "0000:01:10.2",
        "0000:01:10.4",
        "0000:01:10.6",
    ] {
        page.must(shown.out.contains(vf), &format!("{vf} is shown"));
    }

    page.fault(
        "A device that cannot be read",
        "The configuration space of one adapter cannot be read. The other is judged as ever.",
    );
    let bad: accelnet_model::PciAddress = "0000:03:00.0".parse().expect("an address");
    let below = Port::root("0000:00:02.0".parse().expect("an address"), 3, 4);
    let node = boot(
        Tree::new()
            .port(port().adapter(AdapterSpec::igb(pf(), "ens1")))
            .port(below.adapter(AdapterSpec::igb(bad, "ens2"))),
    );
    let device = node
        .folder
        .path()
        .join(format!("sys/bus/pci/devices/{bad}"));
    for file in ["config", "sriov_totalvfs"] {
        std::fs::remove_file(device.join(file)).expect("a file");
        // Reading this is EIO for every user, root included.
        std::os::unix::fs::symlink("/proc/self/mem", device.join(file)).expect("a link");
    }
    page.types(&node, "accelnet adapter list");
    let shown = page.types(&node, "accelnet prereq --adapter ens2");
    page.must(shown.status == 39, "prereq ends with not_readable");
    page.fails(&node, "accelnet adapter enable ens2", "not_readable");
    page.ends_well(&node, "accelnet adapter enable ens1", 7);
}
