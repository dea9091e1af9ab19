//! Reads a node, whole or in part, and changes nothing.
//!
//! What cannot be read becomes unknown with its reason where it belongs, and never hides
//! anything else.

mod adapter;
mod cpu;
mod devices;
pub mod memory;
mod namespaces;
mod placed;
mod platform;
mod processes;
mod snapshot;
mod unreadable;
mod users;
mod vf_evidence;

use std::collections::HashSet;
use std::time::Duration;

use accelnet_libvirt::{Domains, LibvirtError, Reading};
use accelnet_model::adapter::Identity;
use accelnet_model::node::{Node, Unreadable};
use accelnet_model::vf::Vf;
use accelnet_model::{Adapter, Domain, Observed, PciAddress};
use accelnet_pci::{PciAdapter, PciVf, VfsNow};

use crate::Host;

use placed::{Placed, links};
use snapshot::Snapshot;

pub use vf_evidence::{qemu_process, vf_evidence};

/// How long libvirt is waited for: a daemon that its socket starts can take long for its
/// first answer.
pub const LIBVIRT_PATIENCE: Duration = Duration::from_secs(30);

/// The subject of an unreadable VM: this, and its name.
const VM: &str = "VM ";

/// The whole node.
pub fn node(host: &Host<'_>) -> Node {
    let reading = host.hypervisor.read_domains(LIBVIRT_PATIENCE);
    let mut unreadable = Vec::new();
    let links = host.links.links();
    let platform = platform::read(host, &reading, links.as_deref());
    let snapshot = Snapshot {
        links: links.map(|links| Placed::new(host.root, links)),
        domains: domains(whole(&reading), &mut unreadable),
        brief: false,
    };
    if let Err(error) = &snapshot.links {
        unreadable.push(Unreadable {
            subject: "network links".to_owned(),
            reason: error.to_string(),
        });
    }
    let adapters = Observed::from(accelnet_pci::adapters(host.root, host.knobs));
    let mut node = Node {
        name: Observed::from(host.root.text("/proc/sys/kernel/hostname")),
        observed_at: host.clock.now(),
        is_copy: host.links.is_copy(),
        platform,
        adapters: adapters.map(|all| {
            let crowd = users::Crowd::of(host);
            all.into_iter()
                .map(|pci| adapter::merge(host, &snapshot, &crowd, pci))
                .collect()
        }),
        domains: snapshot.domains,
        unreadable: Vec::new(),
    };
    unreadable.extend(unreadable::all(&node));
    node.unreadable = unreadable;
    node
}

/// The same node a moment later, of which only what a change of VMs rests on is read: the
/// VMs, or those of `vms` (UUIDs), SMT, and the adapters at `addresses`. All else is as it was seen,
/// and so is the time.
pub fn again(
    host: &Host<'_>,
    before: &Node,
    vms: Option<&[String]>,
    addresses: &[PciAddress],
) -> Node {
    let mut unreadable = Vec::new();
    // libvirt answers while the rest is read.
    let asked = host.hypervisor.ask(vms, LIBVIRT_PATIENCE);
    let links = links(host);
    let adapters = before.adapters.known().into_iter().flatten();
    let adapters = adapters.filter(|adapter| addresses.contains(&adapter.address));
    // One that is gone is reported by the next full observation.
    let functions = adapters.filter_map(|adapter| pci_again(host, adapter));
    let functions: Vec<PciAdapter> = functions.collect();
    let read = asked();
    let mut seen = domains(read.as_ref(), &mut unreadable);
    if let (Some(vms), Observed::Known(seen)) = (vms, &mut seen) {
        let asked: HashSet<&str> = vms.iter().map(String::as_str).collect();
        let others = before.domains.known().into_iter().flatten();
        let others = others.filter(|one| !asked.contains(one.uuid.as_str()));
        seen.extend(others.cloned());
        seen.sort_by(|a, b| a.name.cmp(&b.name));
        let names: HashSet<&str> = seen.iter().map(|vm| vm.name.as_str()).collect();
        let untold = before.unreadable.iter().filter(|one| {
            let name = one.subject.strip_prefix(VM);
            name.is_some_and(|name| !names.contains(name)) && !unreadable.contains(one)
        });
        let untold: Vec<Unreadable> = untold.cloned().collect();
        unreadable.extend(untold);
    }
    let snapshot = Snapshot {
        links,
        domains: seen,
        brief: false,
    };
    let crowd = users::Crowd::beside_domains(host);
    let mut node = before.clone();
    node.platform.smt = cpu::smt(host.root);
    if let Observed::Known(adapters) = &mut node.adapters {
        for pci in functions {
            let mut adapters = adapters.iter_mut();
            if let Some(adapter) = adapters.find(|adapter| adapter.address == pci.address) {
                *adapter = adapter::merge(host, &snapshot, &crowd, pci);
            }
        }
    }
    node.domains = snapshot.domains;
    unreadable.extend(unreadable::all(&node));
    node.unreadable = unreadable;
    node
}

/// An adapter that was seen before. Its names, and what is shown under the device lock beside the
/// number of VFs, stay as they are: to read those takes a process, and a file of a megabyte. So do the
/// vectors of its VFs where no process can set them.
fn pci_again(host: &Host<'_>, before: &Adapter) -> Option<PciAdapter> {
    let sriov = before.sriov.present();
    let fixed = sriov.is_some_and(|sriov| sriov.vf_total_msix == Observed::Known(None));
    let again = |vectors: bool| accelnet_pci::again(host.root, before.address, vectors);
    let kept = fixed.then(|| with_vectors(again(false)?, &before.vfs));
    let mut pci = match kept.flatten() {
        Some(pci) => pci,
        None => again(true)?,
    };
    let same = pci.vendor.id == before.vendor.id && pci.device.id == before.device.id;
    match (&mut pci.sriov, &before.sriov) {
        (Observed::Known(Some(now)), Observed::Known(Some(before)))
            if same && now.num_vfs.known().is_some() =>
        {
            now.vf_total_msix = before.vf_total_msix.clone();
        }
        (Observed::Known(None), Observed::Known(None)) if same => {}
        // Another one is there, or not all of it can be determined without.
        _ => return accelnet_pci::adapter(host.root, before.address, host.knobs),
    }
    pci.vendor.name = before.vendor.name.clone();
    pci.device.name = before.device.name.clone();
    Some(pci)
}

/// The adapter with the vectors that its VFs had `before`; none when it has a VF that was not there.
fn with_vectors(mut now: PciAdapter, before: &[Vf]) -> Option<PciAdapter> {
    for vf in &mut now.vfs {
        let mut before = before.iter();
        let was = before.find(|was| (was.index, was.address) == (vf.index, vf.address))?;
        vf.msix_vectors = was.msix_vectors.clone();
    }
    Some(now)
}

/// The adapter with a netdev of exactly this name in this namespace, where names are unique; none
/// when another kind of name is meant, or a representor's. Nothing else is read.
pub fn named(host: &Host<'_>, name: &str) -> Option<PciAddress> {
    let address = accelnet_pci::netdevs::function_of(host.root, name)?;
    let own = !adapter::is_representor(host, name);
    (own && accelnet_pci::is_adapter(host.root, address)).then_some(address)
}

/// What every adapter is called, without looking further.
///
/// # Errors
///
/// The PCI functions or the links could not be listed; as a fragment that gives the reason.
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
    // No process uses VFs that are not there: then no process is asked.
    let domains = match pci.vfs.as_slice() {
        [] => Observed::Known(Vec::new()),
        _ => all_domains(host),
    };
    let snapshot = Snapshot {
        links: links(host),
        domains,
        brief: false,
    };
    Some(alone(host, &snapshot, pci))
}

/// One adapter with nothing beside it.
fn alone(host: &Host<'_>, snapshot: &Snapshot, pci: PciAdapter) -> Adapter {
    let crowd = users::Crowd::of(host);
    adapter::merge(host, snapshot, &crowd, pci)
}

/// The same before a change under the adapter's lock, and as much as a change needs: the look is not
/// to take longer than the change.
pub fn adapter_to_change(host: &Host<'_>, address: PciAddress) -> Option<Adapter> {
    let pci = accelnet_pci::again(host.root, address, false)?;
    let told = match &pci.sriov {
        Observed::Known(sriov) => sriov
            .as_ref()
            .is_none_or(|sriov| sriov.num_vfs.known().is_some()),
        Observed::Unknown(_) => false,
    };
    // An ordinary user may read attributes, and not the capability.
    if !told {
        return adapter(host, address);
    }
    let domains = match pci.vfs.as_slice() {
        [] => Observed::Known(Vec::new()),
        _ => all_domains(host),
    };
    let snapshot = Snapshot {
        links: links(host),
        domains,
        brief: true,
    };
    Some(alone(host, &snapshot, pci))
}

/// `before` after the number of its VFs was changed under its lock, of which `seen` is what was seen
/// then. Only its driver and its VFs are as they are now: where VFs are `fresh` and no driver has one,
/// no process is asked about anything else.
pub fn adapter_changed(
    host: &Host<'_>,
    before: &Adapter,
    fresh: bool,
    seen: Option<VfsNow>,
) -> Option<Adapter> {
    let now = match seen {
        Some(seen) => seen,
        None => accelnet_pci::vfs_now(host.root, before.address)?,
    };
    let (Observed::Known(Some(_)), Observed::Known(Some(_))) = (&now.num_vfs, &before.sriov) else {
        return adapter(host, before.address);
    };
    let unused = |vf: &PciVf| fresh && vf.driver == Observed::Known(None);
    let snapshot = match now.vfs.iter().all(unused) {
        true => Snapshot {
            links: Ok(Placed::default()),
            domains: Observed::Known(Vec::new()),
            brief: true,
        },
        false => Snapshot {
            links: links(host),
            domains: all_domains(host),
            brief: true,
        },
    };
    Some(adapter::renew(host, &snapshot, before, now))
}

fn all_domains(host: &Host<'_>) -> Observed<Vec<Domain>> {
    let read = host.hypervisor.domains(None, LIBVIRT_PATIENCE);
    domains(read.as_ref(), &mut Vec::new())
}

/// What a whole reading has of domains.
fn whole(reading: &Result<Reading, LibvirtError>) -> Result<&Domains, &LibvirtError> {
    match reading {
        Ok(reading) => reading.domains.as_ref(),
        Err(error) => Err(error),
    }
}

/// The domains that were read; those that could not be go to `unreadable`.
fn domains(
    read: Result<&Domains, &LibvirtError>,
    unreadable: &mut Vec<Unreadable>,
) -> Observed<Vec<Domain>> {
    match read {
        Err(LibvirtError::NotInstalled { .. }) => Observed::Known(Vec::new()),
        Err(error) => Observed::unknown(error.to_string()),
        Ok(domains) => {
            unreadable.extend(domains.unreadable.iter().map(|domain| Unreadable {
                subject: format!("{VM}{}", domain.name),
                reason: domain.reason.clone(),
            }));
            let mut read = domains.read.clone();
            read.sort_by(|a, b| a.name.cmp(&b.name));
            Observed::Known(read)
        }
    }
}
