//! What an adapter of a tree is like.

use accelnet_model::PciAddress;

/// An adapter. The fields are the whole description; [`AdapterSpec::igb`] and its siblings fill them
/// with what such a device shows, and the methods change what tests often change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterSpec {
    /// PCI address.
    pub address: PciAddress,
    /// Vendor and device id.
    pub ids: (u16, u16),
    /// Name of its netdev, which it has while a driver is bound.
    pub netdev: String,
    /// Bound driver.
    pub driver: Option<String>,
    /// Version of the driver's module.
    pub driver_version: Option<String>,
    /// `numa_node`; -1 for none.
    pub numa_node: i32,
    /// PCIe link at most and now, as sysfs writes them: speed and width.
    pub pcie: Option<[(&'static str, u8); 2]>,
    /// Speed of its netdev in Mb/s; none without carrier.
    pub speed: Option<u32>,
    /// Whether its netdev is up.
    pub up: bool,
    /// Vectors in its MSI-X table.
    pub msix_vectors: u16,
    /// SR-IOV, if it has any.
    pub sriov: Option<SriovSpec>,
    /// Class code.
    pub class: u32,
    /// `type` of its netdevs: the `ARPHRD_*` number, 1 for Ethernet.
    pub link_type: u16,
    /// `phys_port_name` of its netdev, where the driver gives one.
    pub port_name: Option<String>,
    /// Its further netdevs.
    pub netdevs: Vec<NetdevSpec>,
    /// Whether it left the bus: its configuration space reads as all ones.
    pub left_the_bus: bool,
}

/// A further netdev of an adapter: another port of the function, a representor, a subfunction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetdevSpec {
    /// Its name.
    pub name: String,
    /// `phys_port_name`, where the driver gives one.
    pub port_name: Option<String>,
    /// The device between the function and it, such as `mlx5_core.sf.2`.
    pub device: Option<String>,
    /// Speed in Mb/s; none without carrier.
    pub speed: Option<u32>,
}

/// SR-IOV of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SriovSpec {
    /// TotalVFs of the capability.
    pub hardware_vfs: u16,
    /// `sriov_totalvfs`: what the driver allows.
    pub total_vfs: u16,
    /// VFs that exist when the tree is made.
    pub vfs: u16,
    /// First VF offset.
    pub offset: u16,
    /// VF stride.
    pub stride: u16,
    /// Device id of the VFs.
    pub vf_device: u16,
    /// BARs of a VF, 64-bit and prefetchable: number and bytes.
    pub bars: Vec<(u8, u64)>,
    /// Whether there was memory space for the BARs.
    pub bars_assigned: bool,
    /// Driver that takes the VFs while drivers are probed for them.
    pub vf_driver: Option<String>,
    /// `sriov_drivers_autoprobe`.
    pub drivers_autoprobe: bool,
    /// Vectors in a VF's MSI-X table.
    pub vf_msix_vectors: u16,
    /// `sriov_vf_total_msix`, if the driver has it.
    pub vf_total_msix: Option<u32>,
    /// Whether the kernel shows SR-IOV in sysfs (CONFIG_PCI_IOV).
    pub in_sysfs: bool,
    /// Whether the driver can limit the transmit rate of a VF.
    pub limits_rate: bool,
    /// Whether the driver takes trust of a VF.
    pub trusts: bool,
}

impl AdapterSpec {
    /// An Intel 82576 as QEMU makes it: 8 VFs, of which the driver allows 7.
    pub fn igb(address: PciAddress, netdev: &str) -> Self {
        AdapterSpec {
            address,
            ids: (0x8086, 0x10c9),
            netdev: netdev.to_owned(),
            driver: Some("igb".to_owned()),
            driver_version: None,
            numa_node: -1,
            pcie: Some([("2.5 GT/s PCIe", 4), ("2.5 GT/s PCIe", 4)]),
            speed: Some(1_000),
            up: true,
            msix_vectors: 10,
            class: 0x02_0000,
            link_type: 1,
            port_name: None,
            netdevs: Vec::new(),
            left_the_bus: false,
            sriov: Some(SriovSpec {
                hardware_vfs: 8,
                total_vfs: 7,
                vfs: 0,
                offset: 128,
                stride: 2,
                vf_device: 0x10ca,
                bars: vec![(0, 0x4000), (3, 0x4000)],
                bars_assigned: true,
                vf_driver: Some("igbvf".to_owned()),
                drivers_autoprobe: true,
                vf_msix_vectors: 3,
                vf_total_msix: None,
                in_sysfs: true,
                limits_rate: true,
                trusts: true,
            }),
        }
    }

    /// A Mellanox ConnectX-6 Dx with 256 VFs and vectors that are set per VF.
    pub fn mlx5(address: PciAddress, netdev: &str) -> Self {
        let igb = AdapterSpec::igb(address, netdev);
        AdapterSpec {
            ids: (0x15b3, 0x101d),
            driver: Some("mlx5_core".to_owned()),
            driver_version: Some("24.10-0.7.0".to_owned()),
            numa_node: 0,
            pcie: Some([("16.0 GT/s PCIe", 16), ("8.0 GT/s PCIe", 16)]),
            speed: Some(100_000),
            msix_vectors: 64,
            sriov: igb.sriov.map(|sriov| SriovSpec {
                hardware_vfs: 256,
                total_vfs: 256,
                vf_device: 0x101e,
                bars: vec![(0, 0x10_0000)],
                vf_driver: Some("mlx5_core".to_owned()),
                vf_msix_vectors: 12,
                vf_total_msix: Some(2_048),
                ..sriov
            }),
            ..igb
        }
    }

    /// An Intel 82574L, which has no SR-IOV.
    pub fn e1000e(address: PciAddress, netdev: &str) -> Self {
        AdapterSpec {
            ids: (0x8086, 0x10d3),
            driver: Some("e1000e".to_owned()),
            pcie: Some([("2.5 GT/s PCIe", 1), ("2.5 GT/s PCIe", 1)]),
            msix_vectors: 5,
            sriov: None,
            ..AdapterSpec::igb(address, netdev)
        }
    }

    /// With `vfs` VFs when the tree is made.
    #[must_use]
    pub fn vfs(self, vfs: u16) -> Self {
        self.sriov(|sriov| sriov.vfs = vfs)
    }

    /// With VFs that have so many queue pairs each, as the device makes them.
    #[must_use]
    pub fn queue_pairs(self, pairs: u16) -> Self {
        self.sriov(|sriov| {
            sriov.vf_msix_vectors = pairs + 1;
            sriov.vf_total_msix = None;
        })
    }

    /// With no driver bound: no netdev, and the hardware's number of VFs.
    #[must_use]
    pub fn unbound(mut self) -> Self {
        self.driver = None;
        self.sriov(|sriov| sriov.total_vfs = sriov.hardware_vfs)
    }

    /// With other SR-IOV, where it has any.
    #[must_use]
    pub fn sriov(mut self, change: impl FnOnce(&mut SriovSpec)) -> Self {
        if let Some(sriov) = &mut self.sriov {
            change(sriov);
        }
        self
    }
}
