//! Copies what a real kernel shows of PCI devices out of a node, as fixtures for tests without one.

use std::fs;
use std::path::Path;

use crate::error::{Result, io};
use crate::node::Node;
use crate::topologies;

/// Small sysfs files of a PCI device that are worth keeping beside its config space.
const ATTRIBUTES: &str = "class vendor device revision numa_node current_link_speed current_link_width \
    max_link_speed max_link_width sriov_totalvfs sriov_numvfs sriov_offset sriov_stride sriov_vf_device \
    sriov_drivers_autoprobe resource";

/// The devices whose config spaces are fixtures: file name, and the path of the device in the zoo.
const FIXTURES: &[(&str, &str)] = &[
    ("igb-pf", "/sys/class/net/pf0/device"),
    ("igb-vf", "/sys/class/net/pf0/device/virtfn0"),
    ("root-port-acs", "/sys/class/net/pf0/device/.."),
    ("root-port-no-acs", "/sys/class/net/pf1/device/.."),
    ("switch-downstream", "/sys/class/net/pf2/device/.."),
    ("switch-upstream", "/sys/class/net/pf2/device/../.."),
    ("e1000e", "/sys/class/net/pf3/device"),
];

/// Copies every PCI device of the node into `folder`: for each a folder with its address as name,
/// in it `config` (all bytes), small attribute files, and `iommu_group`, `driver` and `parent` as text.
///
/// # Errors
/// When the node does not give them or `folder` cannot be written.
pub fn capture(node: &Node, folder: &Path) -> Result<()> {
    let script = format!(
        "cd /sys/bus/pci/devices; for device in *; do
             to=/host/capture/$device; mkdir -p $to; cat $device/config > $to/config
             for name in {ATTRIBUTES}; do
                 [ ! -e $device/$name ] || cat $device/$name > $to/$name 2> /dev/null || rm -f $to/$name
             done
             for link in iommu_group driver; do
                 [ ! -e $device/$link ] || basename $(readlink $device/$link) > $to/$link
             done
             basename $(readlink -f $device/..) > $to/parent
         done"
    );
    node.check("copy the PCI devices", &script)?;
    let failed = || io(format!("write {}", folder.display()));
    fs::create_dir_all(folder).map_err(failed())?;
    let mut copy = std::process::Command::new("cp");
    copy.arg("-R")
        .arg(node.share().join("capture/."))
        .arg(folder);
    crate::command::check(
        "copy the captured devices",
        &mut copy,
        std::time::Duration::from_secs(60),
    )
    .map(drop)
}

/// Boots the zoo and writes the config spaces that are fixtures into `folder`, one `.hex` file for
/// each kind of device, in the format of `lspci -xxxx` (offset in hexadecimal, then 16 bytes).
///
/// # Errors
/// When the node does not boot or `folder` cannot be written.
pub fn refresh_fixtures(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(io(format!("create {}", folder.display())))?;
    let node = Node::boot(&topologies::zoo())?;
    node.check(
        "enable two VFs",
        "cd /sys/class/net/pf0/device; echo 0 > sriov_drivers_autoprobe; echo 2 > sriov_numvfs",
    )?;
    for (name, device) in FIXTURES {
        let bytes = node.check(
            "read a config space",
            &format!("od -An -v -tx1 -w16 {device}/config"),
        )?;
        let lines = bytes.lines().enumerate();
        let text: String = lines
            .map(|(number, line)| format!("{:02x}:{line}\n", number * 16))
            .collect();
        let path = folder.join(format!("{name}.hex"));
        fs::write(&path, text).map_err(io(format!("write {}", path.display())))?;
    }
    Ok(())
}
