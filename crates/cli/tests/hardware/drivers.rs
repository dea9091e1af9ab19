//! What the driver that is bound makes of SR-IOV.

use accelnet_sim::AdapterSpec;

use crate::{Copy, Row, adapter, at, behind_a_port, netdev};

/// mlx4_core has no `sriov_configure` (mellanox/mlx4/main.c). Report: k8s-rdma-shared-dev-plugin 19, lxd 10710.
#[test]
fn mlx4_creates_vfs_at_load_only_and_each_port_is_judged_by_name() {
    let connectx3 = AdapterSpec {
        netdevs: vec![netdev("ens1d1")],
        speed: None,
        class: 0x02_8000,
        ..adapter((0x15b3, 0x1003), "mlx4_core", "ens1", 8)
    };
    let rows: [Row; 2] = [
        (
            "driver",
            "ens1",
            "failed",
            "Sriov_support_MissingPfDriver",
            "options mlx4_core num_vfs=N probe_vf=0",
        ),
        ("link", "ens1", "warning", "adapter_down", "Up, no carrier."),
    ];
    Copy::of(behind_a_port(connectx3))
        .stands_out(&[], &rows)
        .stands_out(&["--adapter", "ens1d1"], &rows)
        .passes("link", "ens1d1", "Up, with carrier.")
        .refuses("ens1", "Sriov_support_MissingPfDriver");
}

/// The same with VFs that were created at load: they can be used, and their number cannot be changed.
/// Report: sriov-network-device-plugin 58.
#[test]
fn vfs_that_mlx4_created_at_load_are_used() {
    // As with probe_vf=0: no host driver is bound to the VFs.
    let connectx3 = adapter((0x15b3, 0x1003), "mlx4_core", "enp3s0", 8)
        .vfs(2)
        .sriov(|sriov| sriov.vf_driver = None);
    let copy = Copy::of(behind_a_port(connectx3));
    copy.stands_out(&[], &[]).passes(
        "driver",
        "enp3s0",
        "Its VFs were created when it was loaded.",
    );
    let (answer, status) = copy.ask(&["adapter", "enable", "enp3s0", "--dry-run"]);
    assert_eq!((status, &answer["plan"]["to"]), (0, &2.into()), "{answer}");
    let changes: [&[&str]; 2] = [&["enable", "enp3s0", "--vfs", "4"], &["disable", "enp3s0"]];
    for words in changes {
        let (answer, status) = copy.ask(&[&["adapter"], words, &["--dry-run"]].concat());
        let code = &answer["error"]["code"];
        assert_eq!(
            (status, code),
            (16, &"Sriov_support_MissingPfDriver".into()),
            "{words:?}"
        );
    }
}

/// enic enables the VFs that the vNIC's policy provides when it probes (cisco/enic/enic_main.c, enic_probe).
#[test]
fn enic_takes_its_number_from_cisco_ucs() {
    let vic = adapter((0x1137, 0x0043), "enic", "eno5", 16);
    Copy::of(behind_a_port(vic))
        .stands_out(
            &[],
            &[(
                "driver",
                "eno5",
                "failed",
                "Sriov_support_MissingPfDriver",
                "Cisco UCS",
            )],
        )
        .refuses("eno5", "Sriov_support_MissingPfDriver");
}

/// BCM5719 shows the SR-IOV capability, and tg3 has no code for VFs (broadcom/tg3.c).
#[test]
fn tg3_never_creates_vfs() {
    let tigon = adapter((0x14e4, 0x1657), "tg3", "eno1", 16);
    Copy::of(behind_a_port(tigon))
        .stands_out(
            &[],
            &[
                (
                    "driver",
                    "eno1",
                    "failed",
                    "Sriov_support_MissingPfDriver",
                    "Driver tg3 creates no VFs.",
                ),
                ("model", "eno1", "warning", "adapter_model_unknown", "tg3"),
            ],
        )
        .refuses("eno1", "Sriov_support_MissingPfDriver");
}

/// A PF that DPDK was given. Report: sriov-network-device-plugin 153.
#[test]
fn a_pf_on_vfio_pci_is_named_by_its_model_and_given_back() {
    let x540 = AdapterSpec {
        netdev: String::new(),
        ..adapter((0x8086, 0x1528), "vfio-pci", "", 64).vfs(2)
    };
    Copy::of(behind_a_port(x540))
        .stands_out(
            &[],
            &[(
                "driver",
                "0000:01:00.0",
                "failed",
                "Sriov_support_MissingPfDriver",
                "'modprobe ixgbe', 'echo 0000:01:00.0 > /sys/bus/pci/drivers/vfio-pci/unbind', 'echo > /sys/bus/pci/devices/0000:01:00.0/driver_override'",
            )],
        )
        .refuses("0000:01:00.0", "Sriov_support_MissingPfDriver");
}

/// The same with DPDK's own igb_uio, of a Broadcom adapter (bnxt_en's id table).
#[test]
fn a_pf_on_igb_uio_is_given_back_to_bnxt_en() {
    let thor = AdapterSpec {
        netdev: String::new(),
        ..adapter((0x14e4, 0x1750), "igb_uio", "", 64)
    };
    Copy::of(behind_a_port(thor))
        .stands_out(
            &[],
            &[(
                "driver",
                "0000:01:00.0",
                "failed",
                "Sriov_support_MissingPfDriver",
                "'modprobe bnxt_en'",
            )],
        )
        .refuses("0000:01:00.0", "Sriov_support_MissingPfDriver");
}

/// An E810 whose driver is not loaded: the module that fits is named (ice's id table).
#[test]
fn an_adapter_without_a_driver_names_the_module_that_fits() {
    let e810 = adapter((0x8086, 0x1592), "ice", "ens1", 64).unbound();
    Copy::of(behind_a_port(e810))
        .stands_out(
            &[],
            &[(
                "driver",
                "0000:01:00.0",
                "failed",
                "Sriov_support_MissingPfDriver",
                "Run 'modprobe ice'",
            )],
        )
        .refuses("0000:01:00.0", "Sriov_support_MissingPfDriver");
}

/// A driver off record is asked, not refused: of txgbe, later kernels than 6.12 may create VFs.
#[test]
fn a_driver_off_record_is_a_warning() {
    let new = adapter((0x8088, 0x1001), "txgbe", "ens1", 63);
    Copy::of(behind_a_port(new))
        .stands_out(
            &[],
            &[("model", "ens1", "warning", "adapter_model_unknown", "txgbe")],
        )
        .would_create("ens1", 63);
}

/// SR-IOV that the firmware switched off: the vendor's own tool is named. Report: Solarflare, `sfboot vf-count`.
#[test]
fn firmware_without_vfs_names_the_vendors_tool() {
    for (ids, driver, tool) in [
        ((0x1924, 0x0a03), "sfc", "sfboot --adapter=ens1"),
        (
            (0x15b3, 0x101d),
            "mlx5_core",
            "mlxconfig -d 0000:01:00.0 set SRIOV_EN=1",
        ),
        ((0x14e4, 0x16d7), "bnxt_en", "niccli"),
        ((0x8086, 0x1572), "i40e", "HII"),
        ((0x1077, 0x1656), "qede", "UEFI setup"),
        ((0x19e5, 0x1822), "hinic", "hinicadm"),
        ((0x1dd8, 0x1002), "ionic", "the vendor's tool"),
    ] {
        let capped = adapter(ids, driver, "ens1", 0);
        Copy::of(behind_a_port(capped))
            .stands_out(
                &[],
                &[("sriov", "ens1", "failed", "firmware_caps_vfs", tool)],
            )
            .refuses("ens1", "firmware_caps_vfs");
    }
}

/// A card that left the bus reads as all ones (`pci_channel_offline`, PCI Express section 2.3.2). Its sysfs
/// attributes are those that the kernel read before.
#[test]
fn a_card_that_left_the_bus_fails_everywhere() {
    let lost = AdapterSpec {
        left_the_bus: true,
        speed: None,
        ..adapter((0x15b3, 0x101d), "mlx5_core", "ens1f0np0", 16).vfs(2)
    };
    Copy::of(behind_a_port(lost))
        .stands_out(
            &[],
            &[(
                "sriov",
                "ens1f0np0",
                "failed",
                "adapter_lost",
                "no longer answers on the bus",
            )],
        )
        .refuses("ens1f0np0", "adapter_lost");
}

/// The same of an adapter that has no VFs yet.
#[test]
fn an_igb_that_left_the_bus_fails() {
    let lost = AdapterSpec {
        left_the_bus: true,
        ..AdapterSpec::igb(at("0000:01:00.0"), "ens1")
    };
    Copy::of(behind_a_port(lost))
        .stands_out(
            &[],
            &[("sriov", "ens1", "failed", "adapter_lost", "all ones")],
        )
        .refuses("ens1", "adapter_lost");
}
