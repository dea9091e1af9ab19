//! How network drivers create VFs, by Linux 6.12.

use accelnet_model::{Adapter, Code, Problem};

/// Drivers that pass a whole device to user space or reserve it: bound to an adapter they create no VFs of use
/// to VMs.
pub const NOT_NETWORK_DRIVERS: [&str; 5] = [
    "vfio-pci",
    "pci-stub",
    "uio_pci_generic",
    "igb_uio",
    "xen-pciback",
];

/// How a driver creates VFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vfs {
    /// When `sriov_numvfs` is written (`sriov_configure` of its `struct pci_driver`).
    OnRequest,
    /// Only when it is loaded.
    AtLoad {
        /// What to do for another number.
        how: &'static str,
    },
    /// Never.
    Never,
}

/// A driver.
#[derive(Debug)]
pub struct Driver {
    /// Its name, as below `/sys/bus/pci/drivers`.
    pub name: &'static str,
    /// How it creates VFs.
    pub vfs: Vfs,
    /// The file below `drivers/net/ethernet` of Linux 6.12.117 that shows it.
    pub source: &'static str,
}

const fn on_request(name: &'static str, source: &'static str) -> Driver {
    Driver {
        name,
        vfs: Vfs::OnRequest,
        source,
    }
}

const fn never(name: &'static str, source: &'static str) -> Driver {
    Driver {
        name,
        vfs: Vfs::Never,
        source,
    }
}

/// Drivers below `drivers/net/ethernet` of Linux 6.12.117. Those that create VFs on request set
/// `sriov_configure`; those that never do, have adapters that are common in servers.
pub const DRIVERS: &[Driver] = &[
    on_request("be2net", "emulex/benet/be_main.c"),
    on_request("bnx2x", "broadcom/bnx2x/bnx2x_main.c"),
    on_request("bnxt_en", "broadcom/bnxt/bnxt.c"),
    on_request("cxgb4", "chelsio/cxgb4/cxgb4_main.c"),
    on_request("ena", "amazon/ena/ena_netdev.c"),
    on_request("fm10k", "intel/fm10k/fm10k_pci.c"),
    on_request("fsl_enetc", "freescale/enetc/enetc_pf.c"),
    on_request("funeth", "fungible/funeth/funeth_main.c"),
    on_request("hinic", "huawei/hinic/hinic_main.c"),
    on_request("hns3", "hisilicon/hns3/hns3_enet.c"),
    on_request("i40e", "intel/i40e/i40e_main.c"),
    on_request("ice", "intel/ice/ice_main.c"),
    on_request("idpf", "intel/idpf/idpf_main.c"),
    on_request("igb", "intel/igb/igb_main.c"),
    on_request("ionic", "pensando/ionic/ionic_bus_pci.c"),
    on_request("ixgbe", "intel/ixgbe/ixgbe_main.c"),
    on_request("liquidio", "cavium/liquidio/lio_main.c"),
    on_request("mlx5_core", "mellanox/mlx5/core/main.c"),
    on_request("nfp", "netronome/nfp/nfp_main.c"),
    on_request("octeon_ep", "marvell/octeon_ep/octep_main.c"),
    on_request("pds_core", "amd/pds_core/main.c"),
    on_request("qede", "qlogic/qede/qede_main.c"),
    on_request("qlcnic", "qlogic/qlcnic/qlcnic_main.c"),
    on_request("rvu_nicpf", "marvell/octeontx2/nic/otx2_pf.c"),
    on_request("sfc", "sfc/efx.c, sfc/ef100.c"),
    on_request("sfc_siena", "sfc/siena/efx.c"),
    Driver {
        name: "enic",
        vfs: Vfs::AtLoad {
            how: "Set the number of VFs in the vNIC's policy in Cisco UCS (dynamic vNIC connection policy), and reboot.",
        },
        source: "cisco/enic/enic_main.c: enic_probe",
    },
    Driver {
        name: "mlx4_core",
        vfs: Vfs::AtLoad {
            how: "Write 'options mlx4_core num_vfs=N probe_vf=0' into a file in /etc/modprobe.d, rebuild the initramfs ('update-initramfs -u' on Debian), and reboot.",
        },
        source: "mellanox/mlx4/main.c: num_vfs, mlx4_enable_sriov",
    },
    Driver {
        name: "thunder-nic",
        vfs: Vfs::AtLoad {
            how: "Use another adapter: thunder-nic creates a VF for each port of the processor, and the host itself uses them.",
        },
        source: "cavium/thunder/nic_main.c: nic_sriov_init",
    },
    never("amd-xgbe", "amd/xgbe/xgbe-pci.c"),
    never("atlantic", "aquantia/atlantic/aq_pci_func.c"),
    never("bna", "brocade/bna/bnad.c"),
    never("bnx2", "broadcom/bnx2.c"),
    never("cxgb3", "chelsio/cxgb3/cxgb3_main.c"),
    never("e1000", "intel/e1000/e1000_main.c"),
    never("e1000e", "intel/e1000e/netdev.c"),
    never("gve", "google/gve/gve_main.c"),
    never("igc", "intel/igc/igc_main.c"),
    never("mana", "microsoft/mana/gdma_main.c"),
    never("myri10ge", "myricom/myri10ge/myri10ge.c"),
    never("netxen_nic", "qlogic/netxen/netxen_nic_main.c"),
    never("r8169", "realtek/r8169_main.c"),
    never("tg3", "broadcom/tg3.c"),
];

/// The driver with that name; none of one that Linux 6.12 does not have.
pub fn find(name: &str) -> Option<&'static Driver> {
    DRIVERS.iter().find(|driver| driver.name == name)
}

/// Whether the driver of `adapter` can change the number of VFs while it runs.
///
/// # Errors
///
/// It makes VFs at load only, or never.
pub fn can_change(adapter: &Adapter) -> Result<(), Problem> {
    let Some(driver) = adapter.driver.present() else {
        return Ok(());
    };
    let name = adapter.name();
    let address = adapter.address.to_string();
    let problem =
        |found: String| Problem::new(Code::SriovMissingPfDriver, &[&name, &address], found);
    match find(&driver.name).map(|known| known.vfs) {
        None | Some(Vfs::OnRequest) => Ok(()),
        Some(Vfs::AtLoad { how }) => Err(problem(format!(
            "Driver {} creates VFs only when it is loaded.",
            driver.name
        ))
        .needed("A driver that creates VFs on request, or that was loaded with a number of VFs.")
        .resolution(how)),
        Some(Vfs::Never) => Err(problem(format!("Driver {} creates no VFs.", driver.name))
            .needed("An adapter whose driver creates VFs.")
            .resolution(
                "Use another adapter: 'accelnet adapter list' shows the adapters whose VFs can be assigned to VMs.",
            )),
    }
}
