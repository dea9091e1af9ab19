//! IOMMU groups: forced, shared by ports, without an IOMMU.

use accelnet_sim::{AdapterSpec, Port, Tree};

use crate::{Copy, adapter, at, behind_a_port, port};

/// Reports: eve 5969, PVE-Tools-9 98. The parameter is that of the ACS override patch.
#[test]
fn forced_groups_prove_nothing() {
    let connectx4 = adapter((0x15b3, 0x1015), "mlx5_core", "enp1s0f0np0", 8);
    let tree = behind_a_port(connectx4);
    let tree = tree.platform(|machine| {
        machine.command_line =
            "root=/dev/sda1 ro intel_iommu=on pcie_acs_override=downstream,multifunction"
                .to_owned();
    });
    Copy::of(tree)
        .stands_out(
            &[],
            &[(
                "acs",
                "enp1s0f0np0",
                "warning",
                "iommu_groups_forced",
                "pcie_acs_override=downstream,multifunction is on the kernel command line.",
            )],
        )
        .would_create("enp1s0f0np0", 8);
}

/// What is behind `--` of a command line is not the kernel's.
#[test]
fn a_parameter_of_init_forces_nothing() {
    let tree = behind_a_port(AdapterSpec::igb(at("0000:01:00.0"), "ens1"));
    let tree = tree.platform(|machine| {
        machine.command_line = "root=/dev/sda1 -- pcie_acs_override=downstream".to_owned();
    });
    Copy::of(tree).stands_out(&[], &[]);
}

/// Two ports of an X710 in one group, their VFs apart. Report: ndn-dpdk 63.
#[test]
fn ports_that_share_a_group_name_each_other() {
    // Below a port without ACS, whose group they are in; VFs come later.
    let first = adapter((0x8086, 0x1572), "i40e", "enp1s0f0", 32);
    let second = AdapterSpec {
        address: at("0000:01:00.1"),
        netdev: "enp1s0f1".to_owned(),
        ..first.clone()
    };
    let copy = Copy::of(Tree::new().port(port().adapter(first).adapter(second)));
    share(&copy, "0000:01:00.0", "0000:01:00.1");
    copy.stands_out(&[], &[])
        .passes(
            "acs",
            "enp1s0f0",
            "the adapter and 0000:01:00.1 (enp1s0f1) of the same card",
        )
        .passes(
            "acs",
            "enp1s0f1",
            "the adapter and 0000:01:00.0 (enp1s0f0) of the same card",
        );
}

/// VFs of two ports in one group: neither can be given away alone.
#[test]
fn vfs_of_two_ports_in_one_group_are_seen() {
    let first = AdapterSpec::igb(at("0000:01:00.0"), "ens1f0").vfs(1);
    let second = AdapterSpec::igb(at("0000:01:00.1"), "ens1f1").vfs(1);
    let copy = Copy::of(Tree::new().port(port().adapter(first).adapter(second)));
    share(&copy, "0000:01:10.0", "0000:01:10.1");
    let (rows, status) = copy.prereq(&[]);
    let found: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["found"].as_str())
        .collect();
    assert!(found[0].contains("VF 0 and VF 0 of ens1f1"), "{found:?}");
    assert!(found[1].contains("VF 0 and VF 0 of ens1f0"), "{found:?}");
    assert_eq!(status, 40, "iommu_group_shared");
}

/// Puts the second function into the group of the first.
fn share(copy: &Copy, first: &str, second: &str) {
    let devices = copy.root().join("sys/bus/pci/devices");
    let group = std::fs::canonicalize(devices.join(first).join("iommu_group")).expect("a group");
    let link = devices.join(second).join("iommu_group");
    let old = std::fs::canonicalize(&link).expect("a group");
    std::fs::remove_file(&link).expect("removed");
    std::os::unix::fs::symlink(&group, &link).expect("linked");
    let member = old.join("devices").join(second);
    let target = std::fs::canonicalize(&member).expect("a device");
    std::fs::remove_dir_all(&old).expect("removed");
    std::os::unix::fs::symlink(target, group.join("devices").join(second)).expect("linked");
}

/// vfio's groups for devices without an IOMMU (`vfio_noiommu`, drivers/vfio/group.c). Report: vfio 152.
#[test]
fn no_iommu_groups_of_vfio_are_no_iommu() {
    let x550 = adapter((0x8086, 0x15e4), "ixgbe", "eno1", 63);
    let tree = behind_a_port(x550).platform(|machine| {
        machine.iommus.clear();
        machine.unsafe_groups = 2;
        machine.command_line =
            "root=/dev/sda1 intel_iommu=off vfio.enable_unsafe_noiommu_mode=1".to_owned();
    });
    Copy::of(tree).stands_out(
        &[],
        &[
            (
                "iommu",
                "node1",
                "failed",
                "iommu_off",
                "2 unsafe no-IOMMU groups",
            ),
            (
                "platform",
                "node1",
                "failed",
                "Accel_net_not_supported",
                "iommu",
            ),
        ],
    );
}

/// A switch whose downstream ports have no ACS: two adapters in one group.
#[test]
fn two_cards_in_one_group_are_refused() {
    let first = AdapterSpec::igb(at("0000:03:00.0"), "ens1");
    let second = AdapterSpec::igb(at("0000:04:00.0"), "ens2");
    let switch = Port::upstream(at("0000:01:00.0"), 2, 4)
        .port(Port::downstream(at("0000:02:00.0"), 3, 3).adapter(first))
        .port(Port::downstream(at("0000:02:01.0"), 4, 4).adapter(second));
    let copy = Copy::of(Tree::new().port(Port::root(at("0000:00:01.0"), 1, 4).port(switch)));
    copy.refuses("ens1", "Sriov_support_MissingAcs")
        .refuses("ens2", "Sriov_support_MissingAcs");
}

/// A card with more than eight PFs, as bnxt_en's NPAR makes them: functions from 8 on have the next device number
/// (ARI, PCI Express section 6.13), and a group with functions of the card only is no reason to refuse.
#[test]
fn functions_beyond_the_eighth_are_of_the_same_card() {
    let pf = |address: &str, name: &str| AdapterSpec {
        address: at(address),
        ..adapter((0x14e4, 0x1750), "bnxt_en", name, 16)
    };
    let first = pf("0000:01:00.0", "ens1f0np0");
    let ninth = pf("0000:01:01.0", "ens1f8np0");
    let copy = Copy::of(Tree::new().port(port().adapter(first).adapter(ninth)));
    share(&copy, "0000:01:00.0", "0000:01:01.0");
    copy.stands_out(&[], &[])
        .passes(
            "acs",
            "ens1f0np0",
            "0000:01:01.0 (ens1f8np0) of the same card",
        )
        .would_create("ens1f8np0", 16);
}

/// On a conventional bus the next device is another card.
#[test]
fn the_next_device_on_a_root_bus_is_another_card() {
    let pf = |address: &str, name: &str| AdapterSpec::igb(at(address), name);
    let tree = Tree::new()
        .adapter(pf("0000:00:03.0", "eno1"))
        .adapter(pf("0000:00:04.0", "eno2"));
    let copy = Copy::of(tree);
    share(&copy, "0000:00:03.0", "0000:00:04.0");
    copy.refuses("eno1", "Sriov_support_MissingAcs")
        .refuses("eno2", "Sriov_support_MissingAcs");
}

/// An adapter and a disk in one group: the disk is named, and the plan refused.
#[test]
fn a_disk_in_the_group_is_a_stranger() {
    let adapter = adapter((0x8086, 0x159b), "ice", "ens1", 64);
    let disk = AdapterSpec {
        address: at("0000:04:00.0"),
        class: 0x01_0802,
        sriov: None,
        ..crate::adapter((0x144d, 0xa824), "nvme", "", 0)
    };
    let adapter = AdapterSpec {
        address: at("0000:03:00.0"),
        ..adapter
    };
    let tree = Tree::new()
        .port(Port::root(at("0000:00:01.0"), 3, 3).adapter(adapter))
        .port(Port::root(at("0000:00:02.0"), 4, 4).adapter(disk));
    let copy = Copy::of(tree);
    share(&copy, "0000:03:00.0", "0000:04:00.0");
    let (rows, _) = copy.prereq(&[]);
    assert!(format!("{rows:?}").contains("0000:04:00.0"), "{rows:#?}");
    copy.refuses("ens1", "Sriov_support_MissingAcs");
}

/// Forced groups on a machine by AMD, with one device named (the ACS override patch's `id:`).
#[test]
fn groups_that_are_forced_for_one_device_prove_nothing_either() {
    let tree = behind_a_port(adapter((0x8086, 0x1572), "i40e", "enp1s0f0", 32));
    let tree = tree.platform(|machine| {
        machine.modules = ["kvm", "kvm_amd", "vfio_pci"].map(String::from).into();
        machine.command_line = "ro iommu=pt pcie_acs_override=id:8086:1572".to_owned();
    });
    Copy::of(tree)
        .stands_out(
            &[],
            &[(
                "acs",
                "enp1s0f0",
                "warning",
                "iommu_groups_forced",
                "pcie_acs_override=id:8086:1572 is on the kernel command line.",
            )],
        )
        .would_create("enp1s0f0", 32);
}

/// vfio's groups beside those of an IOMMU, as after a device was hot-plugged without one: the IOMMU counts.
#[test]
fn an_iommu_beside_no_iommu_groups_is_on() {
    let tree = behind_a_port(adapter((0x1dd8, 0x1002), "ionic", "ens1", 16));
    let copy = Copy::of(tree);
    let group = copy.root().join("sys/kernel/iommu_groups/90");
    std::fs::create_dir_all(&group).expect("a group");
    std::fs::write(group.join("name"), "vfio-noiommu\n").expect("a name");
    copy.stands_out(&[], &[]).would_create("ens1", 16);
}

/// Without an IOMMU a plan reports that no VF can be given to a VM.
#[test]
fn a_plan_without_an_iommu_warns() {
    let tree = behind_a_port(adapter((0x1077, 0x8070), "qede", "ens1", 96));
    let copy = Copy::of(tree.platform(|machine| machine.iommus.clear()));
    let (answer, status) = copy.ask(&["adapter", "enable", "ens1", "--dry-run"]);
    assert_eq!(status, 0, "{answer:#}");
    let warning = answer["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("no VF can be given to a VM"), "{warning}");
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_accelnet"));
    let program = program.arg("--root").arg(copy.root());
    let shown = program.args(["adapter", "enable", "ens1", "--dry-run"]);
    let shown = shown.output().expect("it runs");
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains(&format!("\nwarning: {warning}\n")), "{text}");
}

/// A VF without a group beside VFs with one (an IOMMU that failed to attach it): its isolation is not known.
#[test]
fn a_vf_without_a_group_is_not_taken_for_isolated() {
    let pf = adapter((0x8086, 0x1592), "ice", "ens1", 64).vfs(2);
    let copy = Copy::of(behind_a_port(pf));
    let devices = copy.root().join("sys/bus/pci/devices");
    std::fs::remove_file(devices.join("0000:01:01.1/iommu_group")).expect("removed");
    copy.stands_out(
        &[],
        &[(
            "iommu-groups",
            "ens1",
            "unknown",
            "not_readable",
            "It has none",
        )],
    );
}

/// The same of the adapter (a unit whose scope leaves it out, drivers/iommu/intel/dmar.c): its VFs have none either.
#[test]
fn an_adapter_without_a_group_is_not_taken_for_isolated() {
    let pf = adapter((0x8086, 0x1592), "ice", "ens1", 64);
    let copy = Copy::of(behind_a_port(pf));
    let group = "sys/bus/pci/devices/0000:01:00.0/iommu_group";
    std::fs::remove_file(copy.root().join(group)).expect("removed");
    let row = (
        "acs",
        "ens1",
        "unknown",
        "not_readable",
        "the node has an IOMMU",
    );
    copy.stands_out(&[], &[row]);
}
