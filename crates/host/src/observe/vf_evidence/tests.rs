use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use accelnet_model::Observed;
use accelnet_model::vf_evidence::Holding;
use accelnet_pci::Root;

use super::{qemu_process, vf_evidence};

const VF: &str = "0000:01:10.2";

/// A running VM with process 7, and a VF in group 12 beside `others`, whose command register is `command`.
fn tree(command: u16, others: &[&str], open: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |path: &str| folder.path().join(path);
    let make = |path: &str| fs::create_dir_all(at(path)).expect("a folder");
    let device = format!("sys/bus/pci/devices/{VF}");
    make(&device);
    make("run/libvirt/qemu");
    make("proc/7/fd");
    make("sys/kernel/iommu_groups/12/devices");
    for other in others.iter().chain([&VF]) {
        make(&format!("sys/kernel/iommu_groups/12/devices/{other}"));
    }
    let mut config = vec![0_u8; 64];
    config[4..6].copy_from_slice(&command.to_le_bytes());
    fs::write(at(&format!("{device}/config")), config).expect("written");
    symlink(
        "../../../../kernel/iommu_groups/12",
        at(&format!("{device}/iommu_group")),
    )
    .expect("a link");
    fs::write(at("run/libvirt/qemu/web.pid"), "7\n").expect("written");
    for (number, file) in open.iter().enumerate() {
        symlink(file, at(&format!("proc/7/fd/{number}"))).expect("a link");
    }
    folder
}

fn evidence(folder: &Path, thorough: bool) -> accelnet_model::VfEvidence {
    let vf = VF.parse().expect("an address");
    let root = Root::new(folder);
    vf_evidence(&root, &qemu_process(&root, "web"), vf, thorough)
}

#[test]
fn a_vf_at_work_is_held_and_masters_the_bus() {
    let tree = tree(
        0x0406,
        &[],
        &["/dev/null", "/dev/vfio/vfio", "/dev/vfio/12"],
    );
    let seen = evidence(tree.path(), true);
    assert_eq!(
        seen.held,
        Observed::Known(Holding::Held("/dev/vfio/12".to_owned()))
    );
    assert_eq!(seen.bus_master, Observed::Known(true));
    assert!(
        evidence(tree.path(), false).held.known().is_none(),
        "its files are not read again"
    );
}

#[test]
fn a_hidden_vf_is_not_held() {
    let tree = tree(0x0002, &[], &["/dev/vfio/vfio", "/dev/vfio/13"]);
    let seen = evidence(tree.path(), false);
    assert_eq!(seen.held, Observed::Known(Holding::NotHeld));
    assert_eq!(seen.bus_master, Observed::Known(false));
}

#[test]
fn a_group_that_several_share_proves_nothing() {
    let tree = tree(0x0002, &["0000:01:10.4"], &["/dev/vfio/12"]);
    let seen = evidence(tree.path(), true);
    let reason = seen.held.reason().expect("unknown");
    assert!(reason.contains("2 devices share"), "{reason}");
    // Through iommufd the VF has a file of its own.
    let device = tree
        .path()
        .join(format!("sys/bus/pci/devices/{VF}/vfio-dev/vfio3"));
    fs::create_dir_all(device).expect("a folder");
    symlink("/dev/vfio/devices/vfio3", tree.path().join("proc/7/fd/9")).expect("a link");
    let seen = evidence(tree.path(), true);
    let file = "/dev/vfio/devices/vfio3".to_owned();
    assert_eq!(seen.held, Observed::Known(Holding::Held(file)));
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let tree = tree(0xffff, &[], &[]);
    let seen = evidence(tree.path(), true);
    assert!(
        seen.bus_master.known().is_none(),
        "a device that does not answer"
    );
    fs::remove_file(tree.path().join("run/libvirt/qemu/web.pid")).expect("removed");
    let seen = evidence(tree.path(), true);
    let reason = seen.held.reason().expect("unknown");
    assert!(reason.contains("web.pid"), "{reason}");
}
