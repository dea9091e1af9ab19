//! Netdevs of adapters: several ports, link types, representors, control netdevs, VFs in a guest.

use accelnet_sim::{AdapterSpec, NetdevSpec, Port, Tree};

use crate::{Copy, adapter, at, behind_a_port, netdev, port};

/// Report: sriov-network-operator 307, sriov-cni 208.
#[test]
fn a_connectx6_in_infiniband_mode_cannot_carry_a_vnic() {
    let infiniband = AdapterSpec {
        class: 0x02_0700,
        link_type: 32,
        ..adapter((0x15b3, 0x101b), "mlx5_core", "ibp1s0", 8)
    };
    Copy::of(behind_a_port(infiniband))
        .stands_out(
            &[],
            &[(
                "link-type",
                "ibp1s0",
                "failed",
                "adapter_not_ethernet",
                "mlxconfig -d 0000:01:00.0 set LINK_TYPE_P1=2",
            )],
        )
        .refuses("ibp1s0", "adapter_not_ethernet");
}

/// The 20 bytes of an InfiniBand address hold a GUID: no MAC is cut from them, of the port or of its VFs.
#[test]
fn infiniband_has_no_macs() {
    let infiniband = AdapterSpec {
        class: 0x02_0700,
        link_type: 32,
        ..adapter((0x15b3, 0x101b), "mlx5_core", "ibp1s0", 8).vfs(2)
    };
    let copy = Copy::of(behind_a_port(infiniband));
    let (shown, _) = copy.ask(&["adapter", "show", "ibp1s0"]);
    assert_eq!(shown["vfs"].as_array().expect("VFs").len(), 2);
    for vf in shown["vfs"].as_array().expect("VFs") {
        let settings = vf["settings"].to_string();
        assert!(settings.contains("carries InfiniBand"), "{settings}");
    }
}

/// Omni-Path has netdevs of its own type (`ARPHRD_INFINIBAND` by hfi1's IPoIB); no tool is known for it.
#[test]
fn an_adapter_of_another_link_type_has_no_tool() {
    let other = AdapterSpec {
        link_type: 772,
        ..adapter((0x1234, 0x5678), "other", "oth0", 8)
    };
    Copy::of(behind_a_port(other))
        .stands_out(
            &[],
            &[
                (
                    "link-type",
                    "oth0",
                    "failed",
                    "adapter_not_ethernet",
                    "something other than Ethernet",
                ),
                ("model", "oth0", "warning", "adapter_model_unknown", ""),
            ],
        )
        .refuses("oth0", "adapter_not_ethernet");
}

/// BlueField, Arm side: uplink p0, the host's representor pf0hpf, a subfunction and its representor.
/// Reports: sriovnet 45, lshca 62.
#[test]
fn representors_and_subfunctions_of_a_smartnic_are_not_its_pf() {
    let further = |name: &str, port: &str, device: Option<&str>| NetdevSpec {
        port_name: Some(port.to_owned()),
        device: device.map(str::to_owned),
        ..netdev(name)
    };
    let bluefield = AdapterSpec {
        port_name: Some("p0".to_owned()),
        netdevs: vec![
            further("pf0hpf", "pf0", None),
            further("en3f0pf0sf0", "pf0sf0", None),
            further("enp3s0f0s0", "p0", Some("mlx5_core.sf.2")),
        ],
        ..adapter((0x15b3, 0xa2d6), "mlx5_core", "p0", 16)
    };
    let copy = Copy::of(behind_a_port(bluefield));
    copy.stands_out(&[], &[]).would_create("p0", 16);
    for name in ["pf0hpf", "en3f0pf0sf0", "enp3s0f0s0"] {
        copy.refuses(name, "adapter_not_found");
    }
}

/// An E810 in switchdev mode: VF representors beside the uplink (ice names them `pf0vf1`,
/// `devlink_port_get_phys_port_name`).
#[test]
fn vf_representors_in_switchdev_mode_are_not_adapters() {
    let e810 = AdapterSpec {
        port_name: Some("p0".to_owned()),
        netdevs: vec![NetdevSpec {
            port_name: Some("c0pf0vf1".to_owned()),
            ..netdev("ens1f0npf0vf1")
        }],
        ..adapter((0x8086, 0x1592), "ice", "ens1f0np0", 64)
    };
    Copy::of(behind_a_port(e810))
        .stands_out(&[], &[])
        .refuses("ens1f0npf0vf1", "adapter_not_found")
        .would_create("ens1f0np0", 64);
}

/// Chelsio T5: VFs on functions 0 to 3, ports on function 4 (cxgb4_main.c, cxgb4_mgmt_setup).
#[test]
fn chelsios_port_names_the_function_that_has_the_vfs() {
    let manager = AdapterSpec {
        up: false,
        ..adapter((0x1425, 0x5401), "cxgb4", "mgmtpf0,0", 16)
    };
    let ports = AdapterSpec {
        address: at("0000:01:00.4"),
        netdevs: vec![netdev("enp129s0f4d1")],
        sriov: None,
        ..adapter((0x1425, 0x5401), "cxgb4", "enp129s0f4", 16)
    };
    let tree = Tree::new().port(port().adapter(manager).adapter(ports));
    let copy = Copy::of(tree);
    copy.stands_out(
        &[],
        &[(
            "sriov",
            "enp129s0f4",
            "not-usable",
            "Sriov_support_Unknown",
            "belong to function 0000:01:00.0 (mgmtpf0,0)",
        )],
    )
    .stands_out(
        &["--adapter", "enp129s0f4"],
        &[(
            "sriov",
            "enp129s0f4",
            "failed",
            "Sriov_support_Unknown",
            "Use function 0000:01:00.0 (mgmtpf0,0) for VFs.",
        )],
    )
    .refuses("enp129s0f4", "Sriov_support_Unknown");
    // Its control netdev is no port: neither a row nor a plan asks for its link.
    let (answer, _) = copy.ask(&["adapter", "enable", "mgmtpf0,0", "--dry-run"]);
    assert_eq!(answer["warnings"], serde_json::json!([]), "{answer:#}");
}

/// The adapter of a cloud VM is a VF. Report: lisa 336; ids by mlx5_core's table.
#[test]
fn a_vf_in_a_guest_is_named_without_a_hint_for_a_bios() {
    let guest = AdapterSpec {
        sriov: None,
        ..adapter((0x15b3, 0x1016), "mlx5_core", "enP34769s1", 0)
    };
    let tree = Tree::new().adapter(guest).platform(|machine| {
        machine.kvm = false;
        machine.iommus.clear();
    });
    let copy = Copy::of(tree);
    copy.stands_out(
        &[],
        &[
            (
                "kvm",
                "node1",
                "failed",
                "kvm_unusable",
                "This machine is a VM.",
            ),
            (
                "iommu",
                "node1",
                "failed",
                "iommu_off",
                "This machine is a VM.",
            ),
            (
                "platform",
                "node1",
                "failed",
                "Accel_net_not_supported",
                "kvm, iommu",
            ),
            (
                "sriov",
                "enP34769s1",
                "failed",
                "adapter_is_vf",
                "run accelnet on its host",
            ),
        ],
    )
    .refuses("enP34769s1", "adapter_is_vf");
    let (rows, _) = copy.prereq(&[]);
    assert!(!format!("{rows:?}").contains("BIOS"), "{rows:#?}");
}

/// The same with an Intel VF (iavf's id table), as KVM and VMware hand it over.
#[test]
fn an_intel_vf_in_a_guest_is_named() {
    let guest = AdapterSpec {
        sriov: None,
        ..adapter((0x8086, 0x154c), "iavf", "ens5", 0)
    };
    Copy::of(Tree::new().adapter(guest))
        .stands_out(
            &[],
            &[("sriov", "ens5", "failed", "adapter_is_vf", "device 154c.")],
        )
        .refuses("ens5", "adapter_is_vf");
}

/// A good E810 beside a management port and Wi-Fi. Report: openshift/sriov-network-operator PR 430.
#[test]
fn adapters_that_nothing_asks_for_are_no_failure() {
    let e810 = adapter((0x8086, 0x1592), "ice", "ens785f0np0", 64);
    let wifi = AdapterSpec {
        address: at("0000:00:14.3"),
        class: 0x02_8000,
        sriov: None,
        ..adapter((0x8086, 0x7a70), "iwlwifi", "wlo1", 0)
    };
    let management = AdapterSpec {
        address: at("0000:03:00.0"),
        sriov: None,
        ..adapter((0x14e4, 0x165f), "tg3", "eno8303", 0)
    };
    let tree = Tree::new()
        .port(port().adapter(e810))
        .port(Port::root(at("0000:00:1c.0"), 3, 3).adapter(management))
        .adapter(wifi);
    let copy = Copy::of(tree);
    copy.stands_out(
        &[],
        &[
            ("sriov", "wlo1", "not-usable", "Sriov_support_Unknown", ""),
            (
                "sriov",
                "eno8303",
                "not-usable",
                "Sriov_support_Unknown",
                "",
            ),
        ],
    )
    .stands_out(
        &["--adapter", "eno8303"],
        &[("sriov", "eno8303", "failed", "Sriov_support_Unknown", "")],
    )
    .would_create("ens785f0np0", 64);
}

/// A node whose only adapter cannot: that is a failure without an intent, too.
#[test]
fn a_node_without_any_usable_adapter_fails() {
    let management = AdapterSpec {
        sriov: None,
        ..adapter((0x8086, 0x1533), "igb", "eno1", 0)
    };
    Copy::of(behind_a_port(management))
        .stands_out(
            &[],
            &[("sriov", "eno1", "failed", "Sriov_support_Unknown", "")],
        )
        .refuses("eno1", "Sriov_support_Unknown");
}
