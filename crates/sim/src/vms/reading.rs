//! What libvirt shows of its domains.

use std::time::Duration;

use accelnet_host::Hypervisor;
use accelnet_libvirt::xml::Definition;
use accelnet_libvirt::{Domains, LibvirtError, Reading, UnreadableDomain, Versions};
use accelnet_model::Domain;
use accelnet_model::platform::Version;

use super::SimVms;
use super::state::{SimDomain, State};
use crate::mutex::held;

impl Hypervisor for SimVms {
    fn read_domains(&self, _within: Duration) -> Result<Reading, LibvirtError> {
        let state = self.open()?;
        let mut domains = Domains::default();
        for domain in state.domains.values() {
            match read(&state, domain) {
                Ok(read) => domains.read.push(read),
                Err(reason) => domains.unreadable.push(UnreadableDomain {
                    name: domain.name.clone(),
                    uuid: Some(domain.uuid.clone()),
                    state: domain.state(),
                    reason,
                }),
            }
        }
        domains.read.sort_by(|a, b| a.name.cmp(&b.name));
        let (libvirt, qemu) = state.versions;
        Ok(Reading {
            versions: Versions { libvirt, qemu },
            domains: Ok(domains),
        })
    }

    fn qemu_version(&self) -> Result<Option<Version>, String> {
        Ok(held(&self.state).versions.1)
    }
}

fn read(state: &State, domain: &SimDomain) -> Result<Domain, String> {
    let shown = match &domain.live {
        Some(live) => state.public(live),
        None => domain.config.clone().unwrap_or_default(),
    };
    let definition = Definition::parse(&shown).map_err(|error| error.to_string())?;
    Ok(Domain {
        name: domain.name.clone(),
        uuid: domain
            .uuid
            .parse()
            .map_err(|error: accelnet_model::id::NotAnId| error.to_string())?,
        state: domain.state(),
        persistent: domain.config.is_some(),
        vcpus: definition.vcpus.unwrap_or(1),
        memory_mib: definition.memory_mib.unwrap_or(0),
        vnics: definition.vnics,
        host_devices: definition.host_devices,
        settings: definition.settings,
    })
}
