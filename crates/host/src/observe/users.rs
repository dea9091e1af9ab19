//! Who uses a VF.
//!
//! The driver decides where to search: a VF with none is free; one with vfio or uio is held by a
//! process, or by none; one with a network driver has a netdev somewhere. Where something
//! could not be read, the answer is unknown, not "nobody".

use std::cell::OnceCell;

use accelnet_model::vf::VfUser;
use accelnet_model::{Domain, Observed, PciAddress};
use accelnet_netlink::NetlinkError;
use accelnet_pci::PciVf;

use super::devices;
use super::namespaces::{self, Namespace};
use super::placed::Placed;
use super::processes::{self, Holder};
use crate::Host;

/// Drivers under which no process can use a VF.
const IDLE_DRIVERS: [&str; 2] = ["pci-stub", "xen-pciback"];

/// Drivers that hand a VF to user space.
const USER_SPACE_DRIVERS: [&str; 4] = ["vfio-pci", "uio_pci_generic", "igb_uio", "vfio_pci"];

/// All who might use VFs, read once and only if some VF calls for it.
pub struct Crowd<'a> {
    host: Host<'a>,
    holders: OnceCell<Observed<Vec<Holder>>>,
    namespaces: OnceCell<Observed<Vec<Namespace>>>,
    /// A VF that a running domain has belongs to no other process: the kernel lets one process at a time
    /// have it through vfio.
    libvirt_is_enough: bool,
}

impl<'a> Crowd<'a> {
    /// The crowd of a host.
    pub fn of(host: &Host<'a>) -> Self {
        Crowd {
            host: *host,
            holders: OnceCell::new(),
            namespaces: OnceCell::new(),
            libvirt_is_enough: false,
        }
    }

    /// The same, without a search for processes beside a running domain: all processes of a node take a
    /// while to look through.
    pub fn beside_domains(host: &Host<'a>) -> Self {
        Crowd {
            libvirt_is_enough: true,
            ..Crowd::of(host)
        }
    }

    /// Who uses `vf`.
    pub fn users_of(
        &self,
        vf: &PciVf,
        domains: &Observed<Vec<Domain>>,
        links: &Result<Placed, NetlinkError>,
    ) -> Observed<Vec<VfUser>> {
        let mut users = running(domains, vf.address);
        let driver = match &vf.driver {
            Observed::Known(None) => return Observed::Known(users),
            Observed::Known(Some(driver)) => driver.as_str(),
            Observed::Unknown(reason) => return or_unknown(users, reason),
        };
        if IDLE_DRIVERS.contains(&driver) {
            return Observed::Known(users);
        }
        let vfio = driver == "vfio-pci" || driver.ends_with("vfio_pci");
        if self.libvirt_is_enough && vfio && !users.is_empty() {
            return Observed::Known(users);
        }
        match self.holding(vf, &users) {
            Ok(more) => users.extend(more),
            Err(reason) => return or_unknown(users, &reason),
        }
        if USER_SPACE_DRIVERS.contains(&driver) || driver.ends_with("vfio_pci") {
            return Observed::Known(users);
        }
        match self.netdevs(vf, driver, links) {
            Ok(more) => users.extend(more),
            Err(reason) => return or_unknown(users, &reason),
        }
        Observed::Known(users)
    }

    /// Processes that hold a device file of `vf` and are not QEMU of one of `known`.
    fn holding(&self, vf: &PciVf, known: &[VfUser]) -> Result<Vec<VfUser>, String> {
        let files = devices::of(self.host.root, vf);
        let holders = self
            .holders
            .get_or_init(|| processes::holders(self.host.root));
        let holders = match holders {
            Observed::Known(holders) => holders,
            Observed::Unknown(reason) => return Err(reason.clone()),
        };
        let is_known = |holder: &Holder| {
            known.iter().any(|user| match user {
                VfUser::Domain { name } => holder.name.ends_with(&format!(", guest {name}")),
                _ => false,
            })
        };
        Ok(holders
            .iter()
            .filter(|holder| files.contains(&holder.device) && !is_known(holder))
            .map(|holder| VfUser::Process {
                pid: holder.pid,
                name: holder.name.clone(),
                device: holder.device.clone(),
            })
            .collect())
    }

    /// Netdevs of `vf` that are in use, here or in another namespace.
    fn netdevs(
        &self,
        vf: &PciVf,
        driver: &str,
        links: &Result<Placed, NetlinkError>,
    ) -> Result<Vec<VfUser>, String> {
        let links = links.as_ref().map_err(ToString::to_string)?;
        let here = links.of(vf.address);
        if !here.is_empty() {
            return Ok(here
                .iter()
                .filter(|link| link.up || link.master.is_some())
                .map(|link| VfUser::Netdev {
                    netdev: link.name.clone(),
                    master: link.master.clone(),
                })
                .collect());
        }
        let elsewhere = self
            .namespaces
            .get_or_init(|| namespaces::others(&self.host));
        let elsewhere = match elsewhere {
            Observed::Known(namespaces) => namespaces,
            Observed::Unknown(reason) => return Err(reason.clone()),
        };
        let users: Vec<VfUser> = elsewhere
            .iter()
            .flat_map(|namespace| {
                let own = namespace.links.iter();
                own.filter(|link| link.parent == Some(vf.address))
                    .map(|link| VfUser::Namespace {
                        namespace: namespace.name.clone(),
                        netdev: link.name.clone(),
                    })
            })
            .collect();
        Ok(match users.as_slice() {
            [] => vec![VfUser::Unnamed {
                evidence: format!("driver {driver} is bound, and no netdev of it can be found"),
            }],
            _ => users,
        })
    }
}

/// Running domains that have the function at `address`.
fn running(domains: &Observed<Vec<Domain>>, address: PciAddress) -> Vec<VfUser> {
    let domains = domains.known().map_or(&[][..], Vec::as_slice);
    domains
        .iter()
        .filter(|domain| domain.state.holds_devices() && domain.host_devices.contains(&address))
        .map(|domain| VfUser::Domain {
            name: domain.name.clone(),
        })
        .collect()
}

/// The known users, or the reason why none is.
fn or_unknown(users: Vec<VfUser>, reason: &str) -> Observed<Vec<VfUser>> {
    match users.as_slice() {
        [] => Observed::unknown(reason),
        _ => Observed::Known(users),
    }
}
