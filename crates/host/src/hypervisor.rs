//! The VMs of a node, asked of libvirt.

use std::collections::HashSet;
use std::time::Duration;

use accelnet_libvirt::{Domains, LibvirtError, Reading};
use accelnet_model::platform::Version;

/// Domains that were requested, waited for by who calls it.
pub type DomainsAnswer = Box<dyn FnOnce() -> Result<Domains, LibvirtError>>;

/// Reports which VMs there are.
pub trait Hypervisor {
    /// Versions and domains, waited for no longer than `within`.
    ///
    /// # Errors
    ///
    /// libvirt is not there, does not answer, or refuses.
    fn read_domains(&self, within: Duration) -> Result<Reading, LibvirtError>;

    /// Domains alone: all of them, or those with the UUIDs in `of`. Waited for no longer than
    /// `within`.
    ///
    /// # Errors
    ///
    /// As for [`Hypervisor::read_domains`].
    fn domains(&self, of: Option<&[String]>, within: Duration) -> Result<Domains, LibvirtError> {
        let mut domains = self.read_domains(within)?.domains?;
        if let Some(of) = of {
            let of: HashSet<&str> = of.iter().map(String::as_str).collect();
            let domains = &mut domains;
            domains
                .read
                .retain(|domain| of.contains(domain.uuid.as_str()));
            domains.unreadable.retain(|domain| {
                let uuid = domain.uuid.as_deref();
                uuid.is_some_and(|uuid| of.contains(uuid))
            });
        }
        Ok(domains)
    }

    /// The same, asked now and answered when it is waited for.
    fn ask(&self, of: Option<&[String]>, within: Duration) -> DomainsAnswer {
        let answer = self.domains(of, within);
        Box::new(move || answer)
    }

    /// QEMU's version without libvirt; none when QEMU is not installed.
    ///
    /// # Errors
    ///
    /// An emulator exists without a readable version.
    fn qemu_version(&self) -> Result<Option<Version>, String>;
}

/// libvirt and QEMU of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalHypervisor;

impl Hypervisor for LocalHypervisor {
    fn read_domains(&self, within: Duration) -> Result<Reading, LibvirtError> {
        accelnet_libvirt::read(accelnet_libvirt::SYSTEM, within)
    }

    fn qemu_version(&self) -> Result<Option<Version>, String> {
        accelnet_libvirt::qemu_version(std::path::Path::new("/")).map_err(|error| error.to_string())
    }
}

/// The hypervisor of a copy of a node: there is none to ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHypervisor;

impl Hypervisor for NoHypervisor {
    fn read_domains(&self, _within: Duration) -> Result<Reading, LibvirtError> {
        Err(LibvirtError::Failed {
            doing: "be asked",
            words: "this is a copy of a node".to_owned(),
        })
    }

    fn qemu_version(&self) -> Result<Option<Version>, String> {
        Err("this is a copy of a node".to_owned())
    }
}
