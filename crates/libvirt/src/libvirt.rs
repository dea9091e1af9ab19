//! A libvirt daemon, asked directly; see [`crate::read`] for asking with a deadline.

use std::collections::BTreeSet;

use accelnet_model::Domain;
use accelnet_model::domain::DomainState;
use accelnet_model::platform::Version;

use crate::LibvirtError;
use crate::ffi::{Connection, DomainHandle, Failure, WhichDomains};
use crate::xml;

/// The daemon of this machine's own VMs.
pub const SYSTEM: &str = "qemu:///system";

/// A read-only connection to a libvirt daemon. Every call waits for as long as the daemon
/// takes.
pub struct Libvirt {
    connection: Connection,
}

/// Versions that libvirt reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The daemon (`virConnectGetLibVersion`).
    pub libvirt: Version,
    /// The hypervisor (`virConnectGetVersion`); none where libvirt has found no emulator.
    pub qemu: Option<Version>,
}

/// The domains of a daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domains {
    /// Those that were read whole, by name.
    pub read: Vec<Domain>,
    /// Those that exist and could not be read: they may hold any device.
    pub unreadable: Vec<UnreadableDomain>,
}

/// A domain that exists and could not be read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableDomain {
    /// Its name, or a word for a domain without one.
    pub name: String,
    /// Its UUID, where libvirt gave it.
    pub uuid: Option<String>,
    /// What it is doing.
    pub state: DomainState,
    /// Why it could not be read.
    pub reason: String,
}

impl Libvirt {
    /// Connects to this machine's own daemon.
    pub fn open() -> Result<Self, LibvirtError> {
        Libvirt::open_uri(SYSTEM)
    }

    /// Connects to the daemon at `uri`.
    pub fn open_uri(uri: &str) -> Result<Self, LibvirtError> {
        let connection = Connection::open_read_only(uri)?;
        Ok(Libvirt { connection })
    }

    /// What runs there.
    pub fn versions(&self) -> Result<Versions, LibvirtError> {
        versions(&self.connection)
    }

    /// Every domain, each read for itself. One that disappears meanwhile is left out.
    pub fn domains(&self) -> Result<Domains, LibvirtError> {
        domains(&self.connection)
    }
}

pub(crate) fn versions(connection: &Connection) -> Result<Versions, LibvirtError> {
    let libvirt = connection.library_version();
    let libvirt = libvirt.map_err(|failure| failure.doing("get its version"))?;
    // A failure here is an emulator that libvirt has not found; 0 is "cannot determine".
    let qemu = connection.hypervisor_version().ok();
    Ok(Versions {
        libvirt: Version::from_libvirt(libvirt),
        qemu: qemu.filter(|&number| number > 0).map(Version::from_libvirt),
    })
}

pub(crate) fn domains(connection: &Connection) -> Result<Domains, LibvirtError> {
    let say = |failure: Failure| failure.doing("list its domains");
    let handles = connection.all_domains().map_err(say)?;
    let persistent = uuids(connection, WhichDomains::Persistent).map_err(say)?;
    let shut_off = uuids(connection, WhichDomains::ShutOff).map_err(say)?;
    let mut domains = Domains::default();
    for (uuid, handle) in &handles {
        let persistent = persistent.contains(uuid);
        let read = read_domain(handle, uuid, persistent, shut_off.contains(uuid));
        domains.add(uuid, handle, read);
    }
    domains.read.sort_by(|a, b| a.name.cmp(&b.name));
    domains.unreadable.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(domains)
}

/// Of the domains with these UUIDs those that there are.
pub(crate) fn these(connection: &Connection, uuids: &[String]) -> Result<Domains, LibvirtError> {
    let mut domains = Domains::default();
    for uuid in uuids {
        let handle = match connection.domain(uuid) {
            Ok(handle) => handle,
            Err(failure) if failure.is_gone() => continue,
            Err(failure) => return Err(failure.doing("find the VM")),
        };
        let read = match handle.is_persistent() {
            Ok(persistent) => read_domain(&handle, uuid, persistent, false),
            Err(failure) => Err(failure.into()),
        };
        domains.add(uuid, &handle, read);
    }
    Ok(domains)
}

impl Domains {
    fn add(&mut self, uuid: &str, handle: &DomainHandle, read: Result<Domain, NotRead>) {
        match read {
            Ok(domain) => self.read.push(domain),
            Err(NotRead::Gone) => {}
            Err(NotRead::Because(reason)) => self.unreadable.push(UnreadableDomain {
                name: handle.name().unwrap_or_else(|_| "a domain".to_owned()),
                uuid: Some(uuid.to_owned()),
                state: handle
                    .info()
                    .map_or(DomainState::Unknown, |info| state(info.state)),
                reason,
            }),
        }
    }
}

/// Why there is no domain to show.
enum NotRead {
    /// It was listed and has disappeared since.
    Gone,
    /// It is there.
    Because(String),
}

impl From<Failure> for NotRead {
    fn from(failure: Failure) -> Self {
        match failure.is_gone() {
            true => NotRead::Gone,
            false => NotRead::Because(failure.words),
        }
    }
}

fn uuids(connection: &Connection, which: WhichDomains) -> Result<BTreeSet<String>, Failure> {
    let domains = connection.domains(which)?;
    domains.iter().map(DomainHandle::uuid).collect()
}

/// Reads a domain; what is known to be shut off is not asked what it does.
fn read_domain(
    handle: &DomainHandle,
    uuid: &str,
    persistent: bool,
    shut_off: bool,
) -> Result<Domain, NotRead> {
    let definition = xml::Definition::parse(&handle.xml()?)
        .map_err(|error| NotRead::Because(error.to_string()))?;
    let sizes = definition.vcpus.zip(definition.memory_mib);
    let (state, (vcpus, memory_mib)) = match sizes.filter(|_| shut_off) {
        Some(sizes) => (DomainState::ShutOff, sizes),
        None => {
            let info = handle.info()?;
            let told = (info.vcpus.into(), info.max_memory_kib.div_ceil(1024));
            (state(info.state), sizes.unwrap_or(told))
        }
    };
    Ok(Domain {
        name: handle.name()?,
        state,
        persistent,
        uuid: uuid
            .parse()
            .map_err(|error: accelnet_model::id::NotAnId| NotRead::Because(error.to_string()))?,
        vcpus,
        memory_mib,
        vnics: definition.vnics,
        host_devices: definition.host_devices,
        settings: definition.settings,
    })
}

/// From `virDomainState`.
fn state(number: u8) -> DomainState {
    match number {
        1 | 2 | 4 => DomainState::Running,
        3 => DomainState::Paused,
        5 => DomainState::ShutOff,
        6 => DomainState::Crashed,
        7 => DomainState::Suspended,
        _ => DomainState::Unknown,
    }
}

#[cfg(test)]
mod tests;
