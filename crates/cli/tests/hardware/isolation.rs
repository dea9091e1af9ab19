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
