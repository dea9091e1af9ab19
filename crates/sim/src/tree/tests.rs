use std::path::Path;

use super::{AdapterSpec, Port, SimNode, Tree};
use accelnet_model::PciAddress;

fn at(address: &str) -> PciAddress {
    address.parse().expect("an address")
}

fn one_igb(folder: &Path, acs: bool) -> SimNode {
    let igb = AdapterSpec::igb(at("0000:01:00.0"), "ens1");
    let port = Port::root(at("0000:00:01.0"), 1, 2).acs(acs).adapter(igb);
    Tree::new().port(port).write(folder).expect("a tree")
}

fn link(node: &SimNode, path: &str) -> String {
    let target = std::fs::read_link(node.root().join(path)).expect("a link");
    target.to_str().expect("text").to_owned()
}

fn errno(result: std::io::Result<()>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

#[test]
fn links_are_relative_as_in_sysfs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = one_igb(folder.path(), true);
    node.apply_numvfs(at("0000:01:00.0"), 2).expect("two VFs");
    let device = "sys/bus/pci/devices/0000:01:00.0";
    assert_eq!(
        link(&node, device),
        "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0"
    );
    assert_eq!(link(&node, &format!("{device}/virtfn1")), "../0000:01:10.2");
    assert_eq!(
        link(&node, "sys/bus/pci/devices/0000:01:10.2/physfn"),
        "../0000:01:00.0"
    );
    assert_eq!(
        link(&node, &format!("{device}/driver")),
        "../../../../bus/pci/drivers/igb"
    );
    assert_eq!(
        link(&node, "sys/class/net/ens1"),
        "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/net/ens1"
    );
}

#[test]
fn vfs_come_and_go_without_a_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = one_igb(folder.path(), true);
    let pf = at("0000:01:00.0");
    let before = listing(folder.path());
    node.apply_numvfs(pf, 7).expect("seven VFs");
    assert!(listing(folder.path()).len() > before.len() + 7 * 10);
    let group = link(&node, "sys/bus/pci/devices/0000:01:11.4/iommu_group");
    assert!(group.ends_with("iommu_groups/8"), "{group}");
    node.apply_numvfs(pf, 0).expect("no VFs");
    let kept = ["sys/bus/pci/drivers/igbvf", "sys/module/igbvf"];
    let after: Vec<String> = listing(folder.path())
        .into_iter()
        .filter(|path| !kept.iter().any(|kept| path.starts_with(kept)))
        .collect();
    assert_eq!(after, before);
}

#[test]
fn the_kernels_refusals() {
    let folder = tempfile::tempdir().expect("a folder");
    let pf = at("0000:01:00.0");
    let mut node = one_igb(folder.path(), true);
    assert_eq!(errno(node.apply_numvfs(pf, 8)), Some(34), "ERANGE");
    node.apply_numvfs(pf, 2).expect("two VFs");
    assert_eq!(errno(node.apply_numvfs(pf, 3)), Some(16), "EBUSY");
    assert_eq!(errno(node.apply_numvfs(pf, 2)), None, "the same again");
    let elsewhere = at("0000:09:00.0");
    assert_eq!(errno(node.apply_numvfs(elsewhere, 1)), Some(19), "ENODEV");

    let other = tempfile::tempdir().expect("a folder");
    let unbound = AdapterSpec::igb(pf, "ens1").unbound();
    let port = Port::root(at("0000:00:01.0"), 1, 2).adapter(unbound);
    let mut node = Tree::new().port(port).write(other.path()).expect("a tree");
    assert_eq!(errno(node.apply_numvfs(pf, 1)), Some(2), "ENOENT");

    let other = tempfile::tempdir().expect("a folder");
    let far = AdapterSpec::igb(pf, "ens1").sriov(|sriov| sriov.offset = 256);
    let port = Port::root(at("0000:00:01.0"), 1, 1).adapter(far);
    let mut node = Tree::new().port(port).write(other.path()).expect("a tree");
    assert_eq!(errno(node.apply_numvfs(pf, 1)), Some(12), "ENOMEM");
}

#[test]
fn a_driver_that_gives_up_leaves_some_vfs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = one_igb(folder.path(), true);
    node.apply_numvfs_partly(at("0000:01:00.0"), 7, 3)
        .expect("some VFs");
    let device = node.root().join("sys/bus/pci/devices/0000:01:00.0");
    assert!(device.join("virtfn2").exists());
    assert!(!device.join("virtfn3").exists());
    let number = std::fs::read_to_string(device.join("sriov_numvfs")).expect("a number");
    assert_eq!(number, "7\n");
}

#[test]
fn without_acs_all_share_the_ports_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = one_igb(folder.path(), false);
    node.apply_numvfs(at("0000:01:00.0"), 1).expect("a VF");
    let members = std::fs::read_dir(node.root().join("sys/kernel/iommu_groups/0/devices"));
    assert_eq!(members.expect("a group").count(), 3);
}

/// Every path below `folder`, sorted.
fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = entry.path();
            let below = path.strip_prefix(folder).expect("below the root");
            found.push(below.to_str().expect("text").to_owned());
            if entry.file_type().expect("a type").is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}
