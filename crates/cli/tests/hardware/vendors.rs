//! Adapters of further vendors: what each can do, and who sets it up.

use accelnet_sim::{AdapterSpec, NetdevSpec, Port, Tree};

use crate::{Copy, Row, adapter, at, behind_a_port, netdev, port};

/// The network controller of a ThunderX processor has no netdev; its driver creates VFs when it probes
/// (cavium/thunder/nic_main.c, nic_sriov_init). Ids by cavium/thunder/nic.h.
#[test]
fn thunder_nic_creates_vfs_at_load_only() {
    let thunder = AdapterSpec {
        address: at("0002:01:00.0"),
        ..adapter((0x177d, 0xa01e), "thunder-nic", "", 128)
    };
    let thunder = thunder.sriov(|sriov| sriov.vf_device = 0xa034);
    let tree = Tree::new().adapter(thunder).platform(|machine| {
        machine.architecture = "aarch64".to_owned();
        machine.modules = vec!["vfio_pci".to_owned()];
    });
    Copy::of(tree)
        .stands_out(
            &[],
            &[(
                "driver",
                "0002:01:00.0",
                "failed",
                "Sriov_support_MissingPfDriver",
                "creates VFs only when it is loaded. Use another adapter",
            )],
        )
        .refuses("0002:01:00.0", "Sriov_support_MissingPfDriver");
}

/// Drivers without `sriov_configure` (amd/xgbe/xgbe-pci.c, qlogic/netxen/netxen_nic_main.c,
/// myricom/myri10ge/myri10ge.c).
#[test]
fn drivers_without_code_for_vfs_never_create_vfs() {
    for (ids, driver) in [
        ((0x1022, 0x1458), "amd-xgbe"),
        ((0x4040, 0x0100), "netxen_nic"),
        ((0x14c1, 0x0008), "myri10ge"),
    ] {
        let rows: [Row; 2] = [
            (
                "driver",
                "ens1",
                "failed",
                "Sriov_support_MissingPfDriver",
                "creates no VFs",
            ),
            ("model", "ens1", "warning", "adapter_model_unknown", driver),
        ];
        Copy::of(behind_a_port(adapter(ids, driver, "ens1", 8)))
            .stands_out(&[], &rows)
            .refuses("ens1", "Sriov_support_MissingPfDriver");
    }
}

/// Good adapters with TotalVFs, First VF Offset, VF Stride and device id of VFs as public lspci dumps show them:
/// BCM57810, Agilio CX, Hi1822, Kunpeng 920, LS1028A, E810, X710, 82599.
#[test]
fn adapters_of_public_dumps_pass_with_all_their_vfs() {
    let adapters = [
        ((0x14e4, 0x168e), "bnx2x", 64, (8, 1, 0x16ad)),
        ((0x19ee, 0x4000), "nfp", 64, (64, 1, 0x6003)),
        ((0x19e5, 0x1822), "hinic", 120, (1, 1, 0x375e)),
        ((0x19e5, 0xa221), "hns3", 127, (8, 1, 0xa22f)),
        ((0x1957, 0xe100), "fsl_enetc", 2, (8, 1, 0xef00)),
        ((0x8086, 0x1593), "ice", 64, (8, 1, 0x1889)),
        ((0x8086, 0x1572), "i40e", 64, (16, 1, 0x154c)),
        ((0x8086, 0x10fb), "ixgbe", 63, (128, 2, 0x10ed)),
    ];
    for (ids, driver, vfs, (offset, stride, vf_device)) in adapters {
        let pf = adapter(ids, driver, "ens1", vfs).sriov(|sriov| {
            sriov.offset = offset;
            sriov.stride = stride;
            sriov.vf_device = vf_device;
        });
        Copy::of(behind_a_port(pf))
            .stands_out(&[], &[])
            .would_create("ens1", vfs.into());
    }
}

/// Good adapters by the id tables of their drivers, which set `sriov_configure`, with the most VFs that Linux 6.12
/// names. An adapter may have fewer.
#[test]
fn adapters_of_the_drivers_tables_pass_with_the_most_vfs_of_the_source() {
    for (ids, driver, vfs) in [
        // BE3: MAX_VFS of emulex/benet/be.h.
        ((0x19a2, 0x0710), "be2net", 30),
        // AH: MAX_NUM_VFS_K2 of include/linux/qed/common_hsi.h.
        ((0x1077, 0x8070), "qede", 192),
        // CN23XX_MAX_VFS_PER_PF of cavium/liquidio/octeon_config.h.
        ((0x177d, 0x9702), "liquidio", 63),
        // The pools of fm10k_iov_assign_resources_pf in intel/fm10k/fm10k_pf.c.
        ((0x8086, 0x15a4), "fm10k", 64),
        // OCTEP_MAX_VF of marvell/octeon_ep/octep_main.h.
        ((0x177d, 0xb900), "octeon_ep", 64),
    ] {
        Copy::of(behind_a_port(adapter(ids, driver, "ens1", vfs)))
            .stands_out(&[], &[])
            .would_create("ens1", vfs.into());
    }
}

/// The same of drivers whose sources name no number of VFs, without a public dump: the figure 24 is invented.
#[test]
fn adapters_of_the_drivers_tables_pass() {
    for (ids, driver) in [
        ((0x1077, 0x8030), "qlcnic"),
        ((0x177d, 0xa063), "rvu_nicpf"),
        ((0x1dd8, 0x1002), "ionic"),
        ((0x8086, 0x1452), "idpf"),
        ((0x1dad, 0x0101), "funeth"),
        ((0x1425, 0x6001), "cxgb4"),
        ((0x1d0f, 0x0ec2), "ena"),
        ((0x10ee, 0x0100), "sfc"),
        ((0x1924, 0x0803), "sfc_siena"),
    ] {
        Copy::of(behind_a_port(adapter(ids, driver, "ens1", 24)))
            .stands_out(&[], &[])
            .would_create("ens1", 24);
    }
}

/// Each of those without a driver: the module that fits is named (the id tables in models.txt).
#[test]
fn the_module_of_an_adapter_for_arm_is_named() {
    for (ids, module) in [
        ((0x177d, 0xa063), "rvu_nicpf"),
        ((0x177d, 0xb200), "octeon_ep"),
        ((0x1957, 0xe100), "fsl_enetc"),
        ((0x1dad, 0x0181), "funeth"),
        ((0x8086, 0x15d0), "fm10k"),
    ] {
        let tree = behind_a_port(adapter(ids, module, "ens1", 8).unbound());
        let tree = tree.platform(|machine| machine.architecture = "aarch64".to_owned());
        let words = format!("Run 'modprobe {module}'");
        let copy = Copy::of(tree);
        let (rows, _) = copy.prereq(&[]);
        assert_eq!(rows[0]["name"], "driver", "{rows:#?}");
        let how = rows[0]["resolution"].as_str().expect("text");
        assert!(how.starts_with(&words), "{how}");
        copy.refuses("0000:01:00.0", "Sriov_support_MissingPfDriver");
    }
}

/// Firmware without VFs: NetXtreme II has Broadcom's ids and no tool of Broadcom's; hns3 is part of a Kunpeng
/// processor; ppc64le and s390x have no UEFI setup.
#[test]
fn the_tool_for_firmware_fits_driver_and_architecture() {
    for (ids, driver, architecture, words, not) in [
        ((0x14e4, 0x168e), "bnx2x", "x86_64", "HII", "niccli"),
        ((0x14e4, 0x16d7), "bnxt_en", "aarch64", "niccli", "HII"),
        (
            (0x19e5, 0xa222),
            "hns3",
            "aarch64",
            "the machine's firmware",
            "hinicadm",
        ),
        ((0x8086, 0x1572), "i40e", "ppc64le", "vendor's tool", "UEFI"),
        ((0x1077, 0x1656), "qede", "ppc64le", "vendor's tool", "HII"),
        ((0x1dd8, 0x1002), "ionic", "s390x", "vendor's tool", "UEFI"),
        (
            (0x15b3, 0x1019),
            "mlx5_core",
            "ppc64le",
            "mlxconfig",
            "UEFI",
        ),
    ] {
        let tree = behind_a_port(adapter(ids, driver, "ens1", 0));
        let tree = tree.platform(|machine| machine.architecture = architecture.to_owned());
        let copy = Copy::of(tree);
        copy.stands_out(
            &[],
            &[("sriov", "ens1", "failed", "firmware_caps_vfs", words)],
        )
        .refuses("ens1", "firmware_caps_vfs");
        let (rows, _) = copy.prereq(&[]);
        assert!(!format!("{rows:?}").contains(not), "{not}: {rows:#?}");
    }
}

/// An adapter without SR-IOV on machines that have no BIOS.
#[test]
fn an_arm_or_power_machine_gets_no_hint_for_a_bios() {
    for architecture in ["aarch64", "ppc64le", "s390x"] {
        let tigon = AdapterSpec {
            sriov: None,
            ..adapter((0x14e4, 0x1657), "tg3", "eno1", 0)
        };
        let tree = behind_a_port(tigon);
        let tree = tree.platform(|machine| machine.architecture = architecture.to_owned());
        let copy = Copy::of(tree);
        copy.refuses("eno1", "Sriov_support_Unknown");
        let (rows, _) = copy.prereq(&[]);
        assert!(!format!("{rows:?}").contains("BIOS"), "{rows:#?}");
    }
}

/// A plan is refused in the words of the prerequisite, which knows the architecture.
#[test]
fn memory_that_is_missing_on_arm_is_refused_with_advice_for_arm() {
    let thor = adapter((0x14e4, 0x1750), "bnxt_en", "enP2p1s0f0np0", 64);
    let thor = thor.sriov(|sriov| sriov.bars_assigned = false);
    let tree = behind_a_port(thor).platform(|machine| machine.architecture = "aarch64".to_owned());
    Copy::of(tree)
        .stands_out(
            &[],
            &[(
                "vf-memory",
                "enP2p1s0f0np0",
                "failed",
                "vf_memory_not_assigned",
                "64-bit memory window",
            )],
        )
        .refuses("enP2p1s0f0np0", "vf_memory_not_assigned");
}

/// A ConnectX-3 in InfiniBand mode has both faults; the second port of a ConnectX-5 has the tool's second name.
#[test]
fn infiniband_is_named_beside_vfs_at_load() {
    let connectx3 = AdapterSpec {
        link_type: 32,
        ..adapter((0x15b3, 0x1007), "mlx4_core", "ibp1s0", 8)
    };
    Copy::of(behind_a_port(connectx3)).stands_out(
        &[],
        &[
            (
                "driver",
                "ibp1s0",
                "failed",
                "Sriov_support_MissingPfDriver",
                "num_vfs=N",
            ),
            (
                "link-type",
                "ibp1s0",
                "failed",
                "adapter_not_ethernet",
                "LINK_TYPE_P1=2",
            ),
        ],
    );
}

/// Omni-Path's hfi1 (id 24f0 of its table) is a fabric controller (class 0208) with netdevs of type 32.
#[test]
fn omni_path_cannot_carry_a_vnic_and_has_no_tool_for_it() {
    let omni_path = AdapterSpec {
        class: 0x02_0800,
        link_type: 32,
        sriov: None,
        ..adapter((0x8086, 0x24f0), "hfi1", "ibs1", 0)
    };
    Copy::of(behind_a_port(omni_path))
        .stands_out(
            &[],
            &[("sriov", "ibs1", "failed", "Sriov_support_Unknown", "")],
        )
        .refuses("ibs1", "Sriov_support_Unknown");
}

/// Representors by the names of bnxt_en, nfp, liquidio, sfc (EF100) and a BlueField with two hosts
/// (`ndo_get_phys_port_name` of bnxt_vfr.c, nfp_port.c, lio_vf_rep.c, ef100_rep.c; `c1pf0sf88` of devlink).
#[test]
fn representors_of_every_vendor_are_no_adapters() {
    for (ids, driver, own, representors) in [
        ((0x14e4, 0x16d7), "bnxt_en", "p0", vec!["pf0vf0", "pf0vf1"]),
        ((0x19ee, 0x4000), "nfp", "p0", vec!["pf0", "pf0vf3"]),
        ((0x177d, 0x9702), "liquidio", "p0", vec!["pf0vf7"]),
        ((0x10ee, 0x0100), "sfc", "p0", vec!["p0pf0vf1", "p0if1pf0"]),
        (
            (0x15b3, 0xa2dc),
            "mlx5_core",
            "p0",
            vec!["c1pf0", "c1pf0vf3", "c1pf0sf88"],
        ),
    ] {
        let names: Vec<String> = (0..representors.len()).map(|n| format!("rep{n}")).collect();
        let netdevs = names
            .iter()
            .zip(&representors)
            .map(|(name, port)| NetdevSpec {
                port_name: Some((*port).to_owned()),
                ..netdev(name)
            });
        let pf = AdapterSpec {
            port_name: Some(own.to_owned()),
            netdevs: netdevs.collect(),
            ..adapter(ids, driver, "ens1", 16)
        };
        let copy = Copy::of(behind_a_port(pf));
        copy.stands_out(&[], &[]).would_create("ens1", 16);
        for name in &names {
            copy.refuses(name, "adapter_not_found");
        }
    }
}

/// Split ports of an nfp (`p0s0`, `p0s1` of nfp_port.c) are ports of the adapter, each with a link of its own.
#[test]
fn split_ports_are_ports() {
    let split = AdapterSpec {
        port_name: Some("p0s0".to_owned()),
        netdevs: vec![NetdevSpec {
            port_name: Some("p0s1".to_owned()),
            speed: None,
            ..netdev("ens1np0s1")
        }],
        ..adapter((0x19ee, 0x4000), "nfp", "ens1np0s0", 48)
    };
    Copy::of(behind_a_port(split))
        .stands_out(
            &[],
            &[("link", "ens1np0s1", "warning", "adapter_down", "no carrier")],
        )
        .passes("link", "ens1np0s0", "Up, with carrier.");
}

/// Chelsio T6: 16 VFs on each of functions 0 to 3, two ports on function 4 (ids by t4_pci_id_tbl.h).
#[test]
fn the_ports_of_a_t6_name_all_four_functions() {
    let manager = |function: u8| AdapterSpec {
        address: at(&format!("0000:01:00.{function}")),
        up: false,
        ..adapter(
            (0x1425, 0x6401),
            "cxgb4",
            &format!("mgmtpf0,{function}"),
            16,
        )
    };
    let ports = AdapterSpec {
        address: at("0000:01:00.4"),
        netdevs: vec![netdev("enp1s0f4d1")],
        sriov: None,
        ..adapter((0x1425, 0x6401), "cxgb4", "enp1s0f4", 0)
    };
    let card = (0..4).fold(port(), |port, function| port.adapter(manager(function)));
    Copy::of(Tree::new().port(card.adapter(ports)))
        .stands_out(
            &["--adapter", "enp1s0f4d1"],
            &[(
                "sriov",
                "enp1s0f4",
                "failed",
                "Sriov_support_Unknown",
                "0000:01:00.3 (mgmtpf0,3) for VFs",
            )],
        )
        .refuses("enp1s0f4", "Sriov_support_Unknown")
        .would_create("mgmtpf0,2", 16);
}

/// A PF on each driver that passes a device to user space; the vendor's driver is named by the ids.
#[test]
fn a_pf_that_is_passed_to_user_space_is_given_back_to_its_own_driver() {
    for (ids, driver, module) in [
        ((0x1077, 0x8070), "uio_pci_generic", "qede"),
        ((0x15b3, 0x101d), "xen-pciback", "mlx5_core"),
        ((0x19e5, 0x1822), "pci-stub", "hinic"),
        ((0x177d, 0xa063), "vfio-pci", "rvu_nicpf"),
        ((0x1d0f, 0x0ec2), "vfio-pci", "ena"),
    ] {
        let pf = AdapterSpec {
            netdev: String::new(),
            ..adapter(ids, driver, "", 16)
        };
        let words = format!(
            "'modprobe {module}', 'echo 0000:01:00.0 > /sys/bus/pci/drivers/{driver}/unbind'"
        );
        let copy = Copy::of(behind_a_port(pf));
        let (rows, _) = copy.prereq(&[]);
        assert_eq!(rows.len(), 1, "{rows:#?}");
        let how = rows[0]["resolution"].as_str().expect("text");
        assert!(how.contains(&words), "{how}");
        copy.refuses("0000:01:00.0", "Sriov_support_MissingPfDriver");
    }
}

/// A model that no driver on record is for, on vfio-pci: no module is named.
#[test]
fn a_pf_of_an_unknown_model_is_given_back_without_a_guess() {
    let pf = AdapterSpec {
        netdev: String::new(),
        ..adapter((0x1ea0, 0x1000), "vfio-pci", "", 16)
    };
    let copy = Copy::of(behind_a_port(pf));
    let (rows, _) = copy.prereq(&[]);
    let said = format!("{rows:?}");
    assert!(said.contains("driver_override"), "{said}");
    assert!(!said.contains("modprobe"), "{said}");
}

/// An NVMe disk with VFs of its own (Samsung's a824 by a public lspci dump: 32 VFs from offset 2) and a GPU (Intel's
/// 56c0, i915) are no adapters.
#[test]
fn vfs_of_other_classes_are_not_adapters() {
    let other = |address: &str, ids, class, driver: &str| AdapterSpec {
        address: at(address),
        class,
        ..adapter(ids, driver, "", 31)
    };
    let nvme = other("0000:03:00.0", (0x144d, 0xa824), 0x01_0802, "nvme").vfs(4);
    let nvme = nvme.sriov(|sriov| (sriov.hardware_vfs, sriov.offset) = (32, 2));
    let bare = |pf: AdapterSpec| pf.sriov(|sriov| sriov.vf_driver = None);
    let gpu = other("0000:05:00.0", (0x8086, 0x56c0), 0x03_8000, "i915").vfs(2);
    let tree = Tree::new()
        .port(port().adapter(adapter((0x8086, 0x159b), "ice", "ens1", 64)))
        .port(Port::root(at("0000:00:02.0"), 3, 4).adapter(bare(nvme)))
        .port(Port::root(at("0000:00:03.0"), 5, 6).adapter(bare(gpu)));
    let copy = Copy::of(tree);
    copy.stands_out(&[], &[]).would_create("ens1", 64);
    for address in ["0000:03:00.0", "0000:05:00.0"] {
        copy.refuses(address, "adapter_not_found");
    }
}
