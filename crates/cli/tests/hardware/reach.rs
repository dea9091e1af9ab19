//! How many VFs bus numbers reach.

use accelnet_sim::{AdapterSpec, Port, Tree};

use crate::{Copy, adapter, at, behind_a_port};

/// Two ports of an E810 on one bus number: the second port's last VFs lie beyond it.
#[test]
fn all_vfs_are_those_that_can_be_reached() {
    let first = adapter((0x8086, 0x1592), "ice", "ens785f0np0", 128);
    let second = AdapterSpec {
        address: at("0000:01:00.1"),
        netdev: "ens785f1np1".to_owned(),
        ..first.clone()
    }
    .sriov(|sriov| sriov.offset = 135);
    let one_bus = Port::root(at("0000:00:02.0"), 1, 1);
    let copy = Copy::of(Tree::new().port(one_bus.adapter(first).adapter(second)));
    copy.stands_out(
        &[],
        &[(
            "bus-numbers",
            "ens785f1np1",
            "warning",
            "vfs_out_of_reach",
            "120 VFs can be used.",
        )],
    )
    .would_create("ens785f0np0", 128)
    .would_create("ens785f1np1", 120);
    let (answer, _) = copy.ask(&[
        "adapter",
        "enable",
        "ens785f1np1",
        "--vfs",
        "121",
        "--dry-run",
    ]);
    assert_eq!(answer["error"]["code"], "vf_count_too_high", "{answer:#}");
    assert_eq!(answer["error"]["needed"], "A number from 1 to 120.");
}

/// None can be reached: fewer VFs do not help.
#[test]
fn without_a_vf_in_reach_the_remedy_is_not_fewer_vfs() {
    let far = adapter((0x8086, 0x10fb), "ixgbe", "ens1", 63).sriov(|sriov| sriov.offset = 512);
    let copy = Copy::of(behind_a_port(far));
    copy.stands_out(
        &[],
        &[(
            "bus-numbers",
            "ens1",
            "failed",
            "Sriov_support_NoBusResources",
            "0 VFs can be used.",
        )],
    )
    .refuses("ens1", "Sriov_support_NoBusResources");
    let (rows, _) = copy.prereq(&[]);
    assert!(!format!("{rows:?}").contains("fewer VFs"), "{rows:#?}");
}

/// An LPAR of IBM Z: each function on a root bus of its own, 256 VFs. Report: sriov-network-operator 1015.
#[test]
fn a_root_bus_limits_nothing() {
    let connectx6 = AdapterSpec {
        address: at("0102:00:00.0"),
        ..AdapterSpec::mlx5(at("0102:00:00.0"), "eno258np0")
    }
    .sriov(|sriov| {
        sriov.offset = 2;
        sriov.stride = 1;
    });
    let tree = Tree::new().adapter(connectx6).platform(|machine| {
        machine.architecture = "s390x".to_owned();
        machine.iommus = vec!["s390-iommu.00000100".to_owned()];
        machine.modules = ["kvm", "vfio", "vfio_pci"].map(String::from).into();
    });
    Copy::of(tree)
        .stands_out(&[], &[])
        .passes("bus-numbers", "eno258np0", "The adapter is on a root bus")
        .would_create("eno258np0", 256);
}

/// First VF Offset may be 0 until NumVFs is set (PCI Express section 9.3.3.9).
#[test]
fn an_offset_of_zero_is_no_failure_before_vfs_exist() {
    let late = adapter((0x15b3, 0x101f), "mlx5_core", "eno257np0", 127).sriov(|sriov| {
        sriov.offset = 0;
        sriov.stride = 0;
    });
    Copy::of(behind_a_port(late))
        .stands_out(&[], &[])
        .passes("bus-numbers", "eno257np0", "when the VFs exist")
        .would_create("eno257np0", 127);
}

/// So may VF Stride (section 9.3.3.10).
#[test]
fn a_stride_of_zero_is_no_failure_before_vfs_exist() {
    let late = adapter((0x15b3, 0x101f), "mlx5_core", "ens1np0", 127).sriov(|sriov| {
        sriov.stride = 0;
    });
    Copy::of(behind_a_port(late))
        .stands_out(&[], &[])
        .passes("bus-numbers", "ens1np0", "when the VFs exist")
        .would_create("ens1np0", 127);
}

/// 64 VFs of an ixgbe with its usual offset and stride, behind a port that leads to one more bus
/// (intel/ixgbe: offset 128, stride 2).
#[test]
fn vfs_on_the_next_bus_are_reached() {
    let x520 = adapter((0x8086, 0x10fb), "ixgbe", "ens1", 63).sriov(|sriov| {
        sriov.offset = 384;
        sriov.stride = 2;
    });
    Copy::of(behind_a_port(x520))
        .stands_out(&[], &[])
        .passes("bus-numbers", "ens1", "The VFs use buses up to 02")
        .would_create("ens1", 63);
}

/// A boundary: the last VF that a bus number reaches (First VF Offset 1, one bus: routing ids 01:00.1 to 01:1f.7).
#[test]
fn the_last_routing_id_of_a_bus_is_reached() {
    let one_bus = |vfs: u16| {
        let pf = adapter((0x15b3, 0x101d), "mlx5_core", "ens1np0", vfs);
        let pf = pf.sriov(|sriov| {
            sriov.offset = 1;
            sriov.stride = 1;
        });
        Copy::of(Tree::new().port(Port::root(at("0000:00:01.0"), 1, 1).adapter(pf)))
    };
    one_bus(255)
        .stands_out(&[], &[])
        .would_create("ens1np0", 255);
    one_bus(256)
        .stands_out(
            &[],
            &[(
                "bus-numbers",
                "ens1np0",
                "warning",
                "vfs_out_of_reach",
                "255 VFs can be used.",
            )],
        )
        .would_create("ens1np0", 255);
}

/// I350 and 82599 below a port without ARI put their VFs on the next bus (First VF Offset 384, by public lspci
/// dumps): a port with one bus number reaches none, one with two reaches all.
#[test]
fn vfs_on_the_next_bus_need_a_bus_number() {
    for (ids, driver, vfs, stride) in [
        ((0x8086, 0x1521), "igb", 7, 4),
        ((0x8086, 0x10fb), "ixgbe", 63, 2),
    ] {
        let below = |last: u8| {
            let pf = adapter(ids, driver, "ens1", vfs).sriov(|sriov| {
                sriov.offset = 384;
                sriov.stride = stride;
            });
            Copy::of(Tree::new().port(Port::root(at("0000:00:01.0"), 1, last).adapter(pf)))
        };
        below(1)
            .stands_out(
                &[],
                &[(
                    "bus-numbers",
                    "ens1",
                    "failed",
                    "Sriov_support_NoBusResources",
                    "0 VFs can be used.",
                )],
            )
            .refuses("ens1", "Sriov_support_NoBusResources");
        below(2)
            .stands_out(&[], &[])
            .would_create("ens1", vfs.into());
    }
}

/// A stride of 2 behind a port with one bus number: every other routing id counts. The numbers are this tree's own.
#[test]
fn a_stride_of_two_halves_what_a_bus_reaches() {
    let qede = adapter((0x1077, 0x8070), "qede", "ens1", 192).sriov(|sriov| {
        sriov.offset = 16;
        sriov.stride = 2;
    });
    let copy = Copy::of(Tree::new().port(Port::root(at("0000:00:01.0"), 1, 1).adapter(qede)));
    copy.stands_out(
        &[],
        &[(
            "bus-numbers",
            "ens1",
            "warning",
            "vfs_out_of_reach",
            "120 VFs can be used.",
        )],
    )
    .would_create("ens1", 120);
    let (answer, _) = copy.ask(&["adapter", "enable", "ens1", "--dry-run"]);
    let warning = answer["warnings"][0].as_str().expect("a warning");
    assert!(warning.contains("reach 120 of the 192 VFs"), "{warning}");
}

/// A domain with five digits, as VMD makes them (drivers/pci/controller/vmd.c).
#[test]
fn a_domain_of_five_digits_is_an_address() {
    let far = AdapterSpec {
        address: at("10000:01:00.0"),
        ..adapter((0x8086, 0x1593), "ice", "ens1", 8)
    };
    let tree = Tree::new().port(Port::root(at("10000:00:01.0"), 1, 2).adapter(far));
    Copy::of(tree)
        .stands_out(&[], &[])
        .would_create("10000:01:00.0", 8);
}
