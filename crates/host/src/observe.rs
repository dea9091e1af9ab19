//! Looks at a node, whole or in part, and changes nothing.
//!
//! What cannot be read becomes unknown with its reason where it belongs, and never hides
//! anything else.

mod adapter;
mod cpu;
mod devices;
mod namespaces;
mod placed;
mod platform;
mod processes;
mod unreadable;
mod users;

use std::time::Duration;

use accelnet_libvirt::{LibvirtError, Reading};
use accelnet_model::adapter::Identity;
use accelnet_model::node::{Node, Unreadable};
use accelnet_model::{Adapter, Domain, Observed, PciAddress};
use accelnet_netlink::NetlinkError;
use accelnet_pci::{PciAdapter, PciVf};

use crate::Host;

use placed::Placed;

/// How long libvirt is waited for: a daemon that its socket starts can take long for its
/// first answer.
pub const LIBVIRT_PATIENCE: Duration = Duration::from_secs(30);

/// What is looked at once and needed by several.
struct Scene {
    links: Result<Placed, NetlinkError>,
    domains: Observed<Vec<Domain>>,
    /// Ask the kernel no more than a change needs.
    brief: bool,
}

/// The whole node.
pub fn node(host: &Host<'_>) -> Node {
    let reading = host.hypervisor.look(LIBVIRT_PATIENCE);
    let mut unreadable = Vec::new();
    let scene = Scene {
        links: links(host),
        domains: domains(&reading, &mut unreadable),
        brief: false,
    };
    if let Err(error) = &scene.links {
        unreadable.push(Unreadable {
            what: "network links".to_owned(),
            reason: error.to_string(),
        });
    }
    let adapters = Observed::from(accelnet_pci::adapters(host.root, host.knobs));
    let mut node = Node {
        name: Observed::from(host.root.text("/proc/sys/kernel/hostname")),
        observed_at: host.clock.now(),
        platform: platform::look(host, &reading),
        adapters: adapters.map(|all| {
            let crowd = users::Crowd::of(host);
            all.into_iter()
                .map(|pci| adapter::merge(host, &scene, &crowd, pci))
                .collect()
        }),
        domains: scene.domains,
        unreadable: Vec::new(),
    };
    unreadable.extend(unreadable::all(&node));
    node.unreadable = unreadable;
    node
}

/// The same node a moment later, of which only what a change of VMs rests on is looked at: the
/// VMs, SMT, and the adapters at `addresses`. All else is as it was seen, and so is the time.
pub fn again(host: &Host<'_>, before: &Node, addresses: &[PciAddress]) -> Node {
    let mut unreadable = Vec::new();
    let reading = host.hypervisor.look(LIBVIRT_PATIENCE);
    let scene = Scene {
        links: links(host),
        domains: domains(&reading, &mut unreadable),
        brief: false,
    };
    let crowd = users::Crowd::beside_domains(host);
    let mut node = before.clone();
    node.platform.smt = cpu::smt(host.root);
    if let Observed::Known(adapters) = &mut node.adapters {
        for adapter in adapters {
            if !addresses.contains(&adapter.address) {
                continue;
            }
            // One that is gone is told by the next whole look.
            if let Some(pci) = accelnet_pci::adapter(host.root, adapter.address, host.knobs) {
                *adapter = adapter::merge(host, &scene, &crowd, pci);
            }
        }
    }
    node.domains = scene.domains;
    unreadable.extend(unreadable::all(&node));
    node.unreadable = unreadable;
    node
}

/// The links of this namespace, each in its place.
fn links(host: &Host<'_>) -> Result<Placed, NetlinkError> {
    let links = host.links.links()?;
    Ok(Placed::new(host.root, links))
}

/// The adapter with a netdev of exactly this name in this namespace, where names are unique; none
/// when another kind of name is meant, or a representor's. Nothing else is looked at.
pub fn named(host: &Host<'_>, name: &str) -> Option<PciAddress> {
    let address = accelnet_pci::netdevs::function_of(host.root, name)?;
    let own = !adapter::is_representor(host, name);
    (own && accelnet_pci::is_adapter(host.root, address)).then_some(address)
}

/// What every adapter is called, without looking further.
///
/// # Errors
///
/// The PCI functions or the links could not be listed; as a fragment that says why.
pub fn identities(host: &Host<'_>) -> Result<Vec<Identity>, String> {
    let addresses = accelnet_pci::addresses(host.root).map_err(|error| error.to_string())?;
    let links = links(host).map_err(|error| error.to_string())?;
    Ok(addresses
        .into_iter()
        .map(|address| Identity {
            address,
            links: adapter::own_links(host, &links, address),
        })
        .collect())
}

/// One adapter with its VFs and who uses them; none when it is not there.
pub fn adapter(host: &Host<'_>, address: PciAddress) -> Option<Adapter> {
    let pci = accelnet_pci::adapter(host.root, address, host.knobs)?;
    // Nobody uses VFs that are not there: then nobody is asked.
    let domains = match pci.vfs.as_slice() {
        [] => Observed::Known(Vec::new()),
        _ => domains(&host.hypervisor.look(LIBVIRT_PATIENCE), &mut Vec::new()),
    };
    let scene = Scene {
        links: links(host),
        domains,
        brief: false,
    };
    Some(alone(host, &scene, pci))
}

/// One adapter with nothing beside it.
fn alone(host: &Host<'_>, scene: &Scene, pci: PciAdapter) -> Adapter {
    let crowd = users::Crowd::of(host);
    adapter::merge(host, scene, &crowd, pci)
}

/// The same during a change under the adapter's lock, and as much as a change needs: it is
/// looked at before and after, and neither is to take longer than the change. Where VFs are
/// `fresh`, VMs are asked about only if a driver has one by now. Links are always read anew: a
/// driver may take the link down while it makes VFs.
pub fn adapter_in_change(host: &Host<'_>, address: PciAddress, fresh: bool) -> Option<Adapter> {
    let pci = accelnet_pci::brief(host.root, address)?;
    let told = |pci: &PciAdapter| match &pci.sriov {
        Observed::Known(sriov) => sriov
            .as_ref()
            .is_none_or(|sriov| sriov.num_vfs.known().is_some()),
        Observed::Unknown(_) => false,
    };
    // An ordinary user may read attributes, and not the capability.
    if !told(&pci) {
        return adapter(host, address);
    }
    let unused = |vf: &PciVf| fresh && vf.driver == Observed::Known(None);
    let domains = match pci.vfs.iter().all(unused) {
        true => Observed::Known(Vec::new()),
        false => domains(&host.hypervisor.look(LIBVIRT_PATIENCE), &mut Vec::new()),
    };
    let scene = Scene {
        links: links(host),
        domains,
        brief: true,
    };
    Some(alone(host, &scene, pci))
}

/// The domains of a reading; those that could not be read go to `unreadable`.
fn domains(
    reading: &Result<Reading, LibvirtError>,
    unreadable: &mut Vec<Unreadable>,
) -> Observed<Vec<Domain>> {
    let read = match reading {
        Err(LibvirtError::NotInstalled { .. }) => return Observed::Known(Vec::new()),
        Err(error) => Err(error),
        Ok(reading) => reading.domains.as_ref(),
    };
    match read {
        Err(error) => Observed::unknown(error.to_string()),
        Ok(domains) => {
            unreadable.extend(domains.unreadable.iter().map(|domain| Unreadable {
                what: format!("VM {}", domain.name),
                reason: domain.reason.clone(),
            }));
            let mut read = domains.read.clone();
            read.sort_by(|a, b| a.name.cmp(&b.name));
            Observed::Known(read)
        }
    }
}
