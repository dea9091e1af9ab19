//! A node and an adapter that pass every check, for tests to spoil.

use accelnet_model::adapter::{
    Acs, Bridge, BridgeKind, BusNumbers, Driver, IommuGroup, PciId, Sriov, VfBar, VfFeatures,
};
use accelnet_model::firewall::{BridgeFilter, Calls, Firewall};
use accelnet_model::link::{Channels, DriverInfo, Interface, Link, LinkType};
use accelnet_model::platform::{
    Architecture, Cpu, HookAccess, Iommu, Kernel, Kvm, Libvirt, Lockdown, Platform, Smt, Version,
    Vfio,
};
use accelnet_model::vf::Vf;
use accelnet_model::{Adapter, Node, Observed, PciAddress};

/// An address of which the test knows that it is one.
pub fn at(address: &str) -> PciAddress {
    address.parse().expect("an address")
}

/// Node n1 with one adapter, ens1.
pub fn node() -> Node {
    Node {
        name: Observed::Known("n1".to_owned()),
        observed_at: "2026-01-02T03:04:05Z".to_owned(),
        is_copy: false,
        platform: Platform {
            architecture: Architecture::Intel,
            kernel_parameters: Vec::new(),
            kernel: Observed::Known(Kernel {
                release: "6.12.48".to_owned(),
                version: Version::new(6, 12, 48),
            }),
            lockdown: Observed::Known(Some(Lockdown::None)),
            cpu: Observed::Known(Cpu {
                model: "a CPU".to_owned(),
                sockets: 1,
                cores: 4,
                threads: 8,
            }),
            smt: Observed::Known(Smt::On),
            iommu: Observed::Known(Iommu {
                units: vec!["dmar0".to_owned()],
                groups: 12,
                unsafe_groups: 0,
            }),
            kvm: Observed::Known(Kvm::Usable { module: None }),
            vfio: Observed::Known(Vfio::Loaded),
            libvirt: Observed::Known(Libvirt::Running {
                version: Version::new(11, 3, 0),
            }),
            qemu: Observed::Known(Some(Version::new(10, 0, 3))),
            bridge_filter: Observed::Known(BridgeFilter {
                calls: Calls::default(),
                bridges: Vec::new(),
                links: vec!["ens1".to_owned()],
                firewall: Observed::Known(Firewall::default()),
            }),
            hook: Observed::Known(HookAccess::default()),
        },
        adapters: Observed::Known(vec![adapter()]),
        domains: Observed::Known(Vec::new()),
        unreadable: Vec::new(),
    }
}

/// ens1: an igb at 0000:01:00.0 behind a root port with ACS, with 7 VFs to give.
pub fn adapter() -> Adapter {
    let address = at("0000:01:00.0");
    Adapter {
        address,
        interfaces: vec![interface(address)],
        vendor: PciId {
            id: Observed::Known(0x8086),
            name: Observed::Known(Some("Intel Corporation".to_owned())),
        },
        device: PciId {
            id: Observed::Known(0x10c9),
            name: Observed::Known(Some("82576".to_owned())),
        },
        responds: Observed::Known(true),
        driver: Observed::Known(Some(Driver {
            name: "igb".to_owned(),
            version: None,
        })),
        firmware: Observed::Known(None),
        numa_node: Observed::Known(None),
        pcie_link: Observed::Known(None),
        iommu_group: Observed::Known(Some(IommuGroup {
            id: 1,
            members: vec![address],
        })),
        bridges: Observed::Known(vec![bridge("0000:00:01.0", BridgeKind::RootPort)]),
        sriov: Observed::Known(Some(sriov())),
        features: VfFeatures::unknown("not tested yet"),
        vfs: Vec::new(),
    }
}

fn interface(address: PciAddress) -> Interface {
    Interface {
        link: Link {
            index: 2,
            name: "ens1".to_owned(),
            link_type: LinkType::Ether,
            alt_names: Vec::new(),
            mac: None,
            permanent_mac: None,
            mtu: 1500,
            up: true,
            carrier: true,
            master: None,
            kind: None,
            parent: Some(address),
            vf_count: None,
            bond: None,
        },
        speed_mbps: Observed::Known(Some(1000)),
        driver_info: Observed::Known(DriverInfo::default()),
        channels: Observed::Known(Some(Channels::default())),
    }
}

fn sriov() -> Sriov {
    Sriov {
        total_vfs: Observed::Known(7),
        num_vfs: Observed::Known(0),
        current_vfs: 0,
        hardware_vfs: Observed::Known(8),
        initial_vfs: Observed::Known(8),
        offset: Observed::Known(128),
        stride: Observed::Known(2),
        vf_device: Observed::Known(0x10ca),
        bars: Observed::Known(vec![VfBar {
            index: 0,
            size: Some(0x4000),
            is_64bit: true,
            prefetchable: true,
            assigned: true,
        }]),
        drivers_autoprobe: Observed::Known(true),
        vf_total_msix: Observed::Known(None),
        bus_numbers: Observed::Known(BusNumbers {
            needed: 1,
            available: 2,
            reachable_vfs: 8,
        }),
    }
}

/// A bridge whose ACS is on.
pub fn bridge(address: &str, kind: BridgeKind) -> Bridge {
    Bridge {
        address: at(address),
        kind: Observed::Known(kind),
        multifunction: Observed::Known(false),
        acs: Observed::Known(Some(Acs {
            capable: Acs::ISOLATION,
            enabled: Acs::ISOLATION,
        })),
        secondary_bus: 1,
        subordinate_bus: 2,
        ari_forwarding: Observed::Known(true),
    }
}

/// VF `index`: no driver, no user, a group of its own.
pub fn vf(index: u32) -> Vf {
    let first = at("0000:01:10.0");
    let offset = u16::try_from(index * 2).expect("a small number");
    Vf {
        index,
        address: first.with_routing_id(first.routing_id() + offset),
        driver: Observed::Known(None),
        iommu_group: Observed::Known(Some(100 + index)),
        netdevs: Vec::new(),
        msix_vectors: Observed::Known(Some(3)),
        settings: Observed::unknown("not of interest"),
        users: Observed::Known(Vec::new()),
    }
}

/// ens1 with so many VFs.
pub fn adapter_with(vfs: u32) -> Adapter {
    let mut adapter = adapter();
    adapter.vfs = (0..vfs).map(vf).collect();
    change_sriov(&mut adapter, |sriov| {
        sriov.current_vfs = vfs;
        sriov.num_vfs = Observed::Known(vfs);
    });
    adapter
}

/// Changes the SR-IOV of an adapter that has some.
pub fn change_sriov(adapter: &mut Adapter, change: impl FnOnce(&mut Sriov)) {
    match &mut adapter.sriov {
        Observed::Known(Some(sriov)) => change(sriov),
        other => panic!("{other:?}"),
    }
}
