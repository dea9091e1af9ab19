//! An adapter put together: PCI, its links, its VFs, what it can do.

use std::io;
use std::time::Duration;

use accelnet_model::adapter::{Driver, Sriov, Support, VfFeatures};
use accelnet_model::link::{Interface, Link, LinkType};
use accelnet_model::vf::{Vf, VfSettings, VfUser};
use accelnet_model::{Adapter, Domain, Observed, PciAddress};
use accelnet_netlink as netlink;
use accelnet_netlink::NetlinkError;
use accelnet_pci::{PciAdapter, PciVf, VfsNow};

use super::placed::{Placed, links};
use super::snapshot::Snapshot;
use super::users::Crowd;
use crate::{Host, features};

/// Why something is unknown that a change does not need.
const NOT_ASKED: &str = "not asked during a change";

/// How often, and how far apart, VFs are read again while a driver seems to be trying one:
/// the kernel shows a driver before it has taken a device, and also when it then is not let.
const RETRIES: u32 = 10;
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Puts together what sysfs, netlink, ethtool, devlink and libvirt report about one adapter.
pub fn merge(host: &Host<'_>, snapshot: &Snapshot, crowd: &Crowd<'_>, pci: PciAdapter) -> Adapter {
    let interfaces = interfaces(host, snapshot, pci.address);
    let info = interfaces.first().map(|interface| &interface.driver_info);
    let firmware = match info {
        None => Observed::unknown("no netdev to ask: no driver is bound, or it is elsewhere"),
        Some(info) => info.as_ref().map(|info| info.firmware.clone()),
    };
    let mut driver = pci.driver;
    if let (Observed::Known(Some(driver)), Some(Observed::Known(info))) = (&mut driver, info)
        && driver.version.is_none()
    {
        driver.version = info.version.clone();
    }
    let settings = match snapshot.brief {
        true => Observed::unknown(NOT_ASKED),
        false => settings(host, &interfaces, pci.vfs.len()),
    };
    let features = match snapshot.brief {
        true => VfFeatures::unknown(NOT_ASKED),
        false => features(host, &interfaces, &settings, &pci.sriov, pci.address),
    };
    let vfs = stable_vfs(host, snapshot, crowd, pci.address, pci.vfs, &settings);
    Adapter {
        address: pci.address,
        interfaces,
        vendor: pci.vendor,
        device: pci.device,
        responds: pci.responds,
        driver,
        firmware,
        numa_node: pci.numa_node,
        pcie_link: pci.pcie_link,
        iommu_group: pci.iommu_group,
        bridges: pci.bridges,
        sriov: pci.sriov,
        features,
        vfs,
    }
}

/// `before` with the driver and the VFs that it has now.
pub fn renew(host: &Host<'_>, snapshot: &Snapshot, before: &Adapter, now: VfsNow) -> Adapter {
    let mut adapter = before.clone();
    let driver = before.driver.present();
    adapter.driver = now.driver.map(|name| {
        name.map(|name| Driver {
            version: driver
                .filter(|driver| driver.name == name)
                .and_then(|driver| driver.version.clone()),
            name,
        })
    });
    if let Observed::Known(Some(sriov)) = &mut adapter.sriov {
        sriov.num_vfs = now.num_vfs.map(Option::unwrap_or_default);
        sriov.current_vfs = u32::try_from(now.vfs.len()).unwrap_or(u32::MAX);
    }
    let settings = Observed::unknown(NOT_ASKED);
    let crowd = Crowd::of(host);
    adapter.vfs = stable_vfs(host, snapshot, &crowd, before.address, now.vfs, &settings);
    adapter
}

/// The VFs, once no driver seems to be trying one any more.
fn stable_vfs(
    host: &Host<'_>,
    snapshot: &Snapshot,
    crowd: &Crowd<'_>,
    adapter: PciAddress,
    seen: Vec<PciVf>,
    settings: &Observed<Vec<VfSettings>>,
) -> Vec<Vf> {
    let mut all = vfs(seen, &snapshot.domains, crowd, &snapshot.links, settings);
    for _ in 0..RETRIES {
        if !all.iter().any(is_being_tried) {
            break;
        }
        host.clock.sleep(RETRY_INTERVAL);
        let Some(now) = accelnet_pci::vfs_now(host.root, adapter) else {
            break;
        };
        let crowd = Crowd::of(host);
        all = vfs(now.vfs, &snapshot.domains, &crowd, &links(host), settings);
    }
    all
}

/// A driver is shown and has made no netdev.
fn is_being_tried(vf: &Vf) -> bool {
    let unnamed = |user: &VfUser| matches!(user, VfUser::Unnamed { .. });
    vf.users
        .known()
        .is_some_and(|users| users.iter().any(unnamed))
}

fn vfs(
    seen: Vec<PciVf>,
    domains: &Observed<Vec<Domain>>,
    crowd: &Crowd<'_>,
    links: &Result<Placed, NetlinkError>,
    settings: &Observed<Vec<VfSettings>>,
) -> Vec<Vf> {
    seen.into_iter()
        .map(|vf| Vf {
            users: crowd.users_of(&vf, domains, links),
            settings: match settings {
                Observed::Unknown(reason) => Observed::unknown(reason.clone()),
                Observed::Known(all) => match all.iter().find(|one| one.index == vf.index) {
                    Some(one) => Observed::Known(one.clone()),
                    None => Observed::unknown("the driver reports nothing for this VF"),
                },
            },
            index: vf.index,
            address: vf.address,
            driver: vf.driver,
            iommu_group: vf.iommu_group,
            netdevs: vf.netdevs,
            msix_vectors: vf.msix_vectors,
        })
        .collect()
}

fn interfaces(host: &Host<'_>, snapshot: &Snapshot, adapter: PciAddress) -> Vec<Interface> {
    let links = snapshot.links.as_ref();
    links
        .map_or(Vec::new(), |links| own_links(host, links, adapter))
        .into_iter()
        .map(|link| interface(host, snapshot, link))
        .collect()
}

/// The links of the function at `address` itself: representors of VFs hang below it, too,
/// and report it in their port name.
pub fn own_links(host: &Host<'_>, links: &Placed, address: PciAddress) -> Vec<Link> {
    let mut own: Vec<Link> = links
        .of(address)
        .iter()
        .filter(|link| !is_representor(host, &link.name))
        .cloned()
        .collect();
    own.sort_by_key(|link| link.index);
    own
}

/// Whether the netdev called `name` stands for a function behind the embedded switch (a host's PF, a VF, a
/// subfunction), by its port name: `pf0`, `pf0vf1`, `c1pf0sf88`; a port of the adapter is `p0`
/// (`devlink_port_get_phys_port_name`).
pub fn is_representor(host: &Host<'_>, name: &str) -> bool {
    let port = host
        .root
        .text(&format!("/sys/class/net/{name}/phys_port_name"));
    port.is_ok_and(|port| ["pf", "vf", "sf"].iter().any(|kind| port.contains(kind)))
}

fn interface(host: &Host<'_>, snapshot: &Snapshot, link: Link) -> Interface {
    let plain = |error: io::Error| {
        let text = error.to_string();
        text.split(" (os error").next().unwrap_or(&text).to_owned()
    };
    Interface {
        speed_mbps: speed(host, &link),
        driver_info: host.links.driver_info(&link.name).map_err(plain).into(),
        channels: match snapshot.brief {
            true => Observed::unknown(NOT_ASKED),
            false => host.links.channels(&link.name).map_err(plain).into(),
        },
        link,
    }
}

/// Mb/s; the kernel answers -1 or EINVAL while there is no link.
fn speed(host: &Host<'_>, link: &Link) -> Observed<Option<u32>> {
    if !link.up || !link.carrier {
        return Observed::Known(None);
    }
    let speed = host
        .root
        .number::<i32>(&format!("/sys/class/net/{}/speed", link.name));
    Observed::from(speed).map(|speed| u32::try_from(speed).ok())
}

/// The settings of all VFs, asked of the first interface.
fn settings(host: &Host<'_>, interfaces: &[Interface], vfs: usize) -> Observed<Vec<VfSettings>> {
    if vfs == 0 {
        return Observed::Known(Vec::new());
    }
    match interfaces.first() {
        None => Observed::unknown("the adapter has no netdev here to ask"),
        // What netlink has in the place of a MAC is not one (IFLA_VF_MAC of 32 bytes).
        Some(interface) if interface.link.link_type == LinkType::Infiniband => {
            let name = &interface.link.name;
            Observed::unknown(format!("{name} carries InfiniBand, whose VFs have no MAC"))
        }
        Some(interface) => {
            let answer = host.links.vf_settings(&interface.link);
            Observed::from(answer.map_err(|error| format!("failed to {error}")))
        }
    }
}

/// What is on record from asking, or else what can be determined without.
fn features(
    host: &Host<'_>,
    interfaces: &[Interface],
    settings: &Observed<Vec<VfSettings>>,
    sriov: &Observed<Option<Sriov>>,
    address: PciAddress,
) -> VfFeatures {
    let mut features = match (features::on_record(host, address, interfaces), settings) {
        (Some(recorded), _) => recorded,
        (None, Observed::Known(told)) => netlink::reported(told),
        (None, Observed::Unknown(reason)) => VfFeatures::unknown(reason),
    };
    features.msix_per_vf = match sriov {
        Observed::Unknown(reason) => Observed::unknown(reason.clone()),
        Observed::Known(sriov) => match sriov.as_ref().map(|sriov| &sriov.vf_total_msix) {
            Some(Observed::Known(Some(_))) => Observed::Known(Support::Yes),
            Some(Observed::Unknown(reason)) => Observed::unknown(reason.clone()),
            Some(Observed::Known(None)) | None => Observed::Known(Support::No {
                reason:
                    "the driver does not distribute MSI-X vectors (sriov_vf_total_msix is missing or 0)"
                        .to_owned(),
            }),
        },
    };
    features.eswitch = Observed::from(host.links.eswitch_mode(address));
    features
}
