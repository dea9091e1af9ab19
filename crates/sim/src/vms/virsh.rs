//! What an administrator does in a shell: `virsh`, and a reboot.

use accelnet_host::Vms;
use accelnet_libvirt::xml::{DomainXml, Part};
use accelnet_libvirt::{DomainChange, LibvirtError, Side};
use accelnet_model::domain::DomainState;
use accelnet_model::platform::Version;
use accelnet_model::{Mac, PciAddress};

use super::state::{PlugKind, failed};
use super::{DomainSpec, Guest, SimVms, normal, text};
use crate::mutex::held;

impl SimVms {
    /// `virsh define`.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn add(&self, spec: &DomainSpec) -> Result<(), LibvirtError> {
        self.define(&spec.xml())
    }

    /// The UUID of the domain called `name`.
    pub fn uuid(&self, name: &str) -> Option<String> {
        let state = held(&self.state);
        let mut all = state.domains.values();
        let found = all.find(|domain| domain.name == name)?;
        Some(found.uuid.clone())
    }

    pub(super) fn named(&self, name: &str) -> Result<String, LibvirtError> {
        self.uuid(name).ok_or_else(|| LibvirtError::NoDomain {
            words: format!("Domain not found: no domain with matching name '{name}'"),
        })
    }

    /// `virsh start`.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_start(&self, name: &str) -> Result<(), LibvirtError> {
        self.start(&self.named(name)?)
    }

    /// `virsh destroy`; or the guest shuts down.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_stop(&self, name: &str) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        self.take_down(&mut held(&self.state), &uuid);
        Ok(())
    }

    /// `virsh suspend` and `virsh resume`.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_pause(&self, name: &str, paused: bool) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        state.domain(&uuid)?.paused = paused;
        let change = match paused {
            true => DomainChange::Suspended,
            false => DomainChange::Resumed,
        };
        state.notify_domain(&uuid, change);
        Ok(())
    }

    /// `virsh domrename`, of a domain that does not run.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_rename(&self, name: &str, new: &str) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        let domain = state.domain(&uuid)?;
        if domain.live.is_some() {
            let words = "Requested operation is not valid: cannot rename active domain";
            return Err(failed("rename the VM", words));
        }
        domain.name = new.to_owned();
        let config = domain.config.take().unwrap_or_default();
        domain.config = Some(text::with_value(&config, "name", new));
        state.notify_domain(&uuid, DomainChange::Renamed);
        Ok(())
    }

    /// `virsh undefine`: one that runs ends with its next stop.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_undefine(&self, name: &str) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        let domain = state.domain(&uuid)?;
        domain.config = None;
        let gone = domain.live.is_none();
        state.notify_domain(&uuid, DomainChange::Undefined);
        if gone {
            state.domains.remove(&uuid);
        }
        Ok(())
    }

    /// `virsh edit`.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_edit(
        &self,
        name: &str,
        edit: impl FnOnce(String) -> String,
    ) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        let domain = state.domain(&uuid)?;
        domain.config = domain
            .config
            .take()
            .map(edit)
            .map(|xml| normal::domain(&xml));
        state.notify_domain(&uuid, DomainChange::Defined);
        Ok(())
    }

    /// `virsh domif-setlink`, `virsh update-device --live` and their kind: libvirt sends no event.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_update_live(
        &self,
        name: &str,
        edit: impl FnOnce(String) -> String,
    ) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        let domain = state.domain(&uuid)?;
        domain.live = domain.live.take().map(edit);
        Ok(())
    }

    /// `virsh setvcpus --config` and its kind, on both sides.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_vcpus(&self, name: &str, vcpus: u32) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        let domain = state.domain(&uuid)?;
        for xml in [&mut domain.config, &mut domain.live].into_iter().flatten() {
            *xml = text::with_value(xml, "vcpu", &vcpus.to_string());
        }
        state.notify_domain(&uuid, DomainChange::Defined);
        Ok(())
    }

    /// `virsh detach-interface` of the VF with that MAC from what runs.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_detach_vf(&self, name: &str, mac: Mac) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let live = self.xml(&uuid, Side::Live)?;
        let live = DomainXml::parse(&live).ok();
        match live.and_then(|live| live.interface(mac, Part::Transient)) {
            Some(vf) => self.detach(&uuid, vf.as_str(), Side::Live, std::time::Duration::ZERO),
            None => Ok(()),
        }
    }

    /// `virsh autostart`.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_autostart(&self, name: &str, autostart: bool) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        held(&self.state).domain(&uuid)?.autostart = autostart;
        Ok(())
    }

    /// What is saved of a domain from now on.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn virsh_save(
        &self,
        name: &str,
        managed: bool,
        snapshots: u32,
    ) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        let domain = state.domain(&uuid)?;
        domain.managed_save = managed;
        domain.snapshots = snapshots;
        Ok(())
    }

    /// Another guest runs in a domain, from its next boot; in one that runs it has just booted.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    pub fn set_guest(&self, name: &str, guest: Guest) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        let mut state = held(&self.state);
        state.domain(&uuid)?.guest = guest;
        if state.domain(&uuid)?.live.is_some() {
            self.guest_boots(&mut state, &uuid);
        }
        Ok(())
    }

    /// Another libvirt and another QEMU.
    pub fn set_versions(&self, libvirt: Version, qemu: Option<Version>) {
        held(&self.state).versions = (libvirt, qemu);
    }

    /// The names of the domains with their state.
    pub fn list(&self) -> Vec<(String, DomainState)> {
        let state = held(&self.state);
        let all = state.domains.values();
        all.map(|domain| (domain.name.clone(), domain.state()))
            .collect()
    }

    /// The VFs that running domains have, each with the UUID of the domain.
    pub fn vfs_in_use(&self) -> Vec<(PciAddress, String)> {
        let state = held(&self.state);
        let mut found = Vec::new();
        for domain in state.domains.values() {
            for plug in &domain.plugs {
                if let PlugKind::Vf { vf, .. } = &plug.kind {
                    found.push((*vf, domain.uuid.clone()));
                }
            }
        }
        found
    }

    /// The definition and what runs, as texts.
    pub fn texts(&self, name: &str) -> (Option<String>, Option<String>) {
        let state = held(&self.state);
        let mut all = state.domains.values();
        let found = all.find(|domain| domain.name == name);
        found.map_or((None, None), |domain| {
            (domain.config.clone(), domain.live.clone())
        })
    }

    /// The power fails: nothing runs, and what was not defined is gone.
    pub(crate) fn power_off(&self) {
        let mut state = held(&self.state);
        let all: Vec<String> = state.domains.keys().cloned().collect();
        for uuid in all {
            self.take_down(&mut state, &uuid);
        }
        for network in state.networks.values_mut() {
            network.live = None;
            network.taken.clear();
        }
        state.networks.retain(|_, network| network.config.is_some());
        state.away = true;
    }

    /// libvirt starts at boot, and starts what is to start with it; failures are reported.
    pub fn boot(&self) -> Vec<String> {
        let mut state = held(&self.state);
        state.away = false;
        let mut failures = Vec::new();
        let networks: Vec<String> = state.networks.keys().cloned().collect();
        for name in networks {
            if state.networks.get(&name).is_some_and(|one| one.autostart)
                && let Err(error) = state.start_network(&self.kernel, &name)
            {
                failures.push(format!("network {name}: {error}"));
            }
        }
        let domains: Vec<(String, String)> = state
            .domains
            .values()
            .filter(|domain| domain.autostart)
            .map(|domain| (domain.uuid.clone(), domain.name.clone()))
            .collect();
        for (uuid, name) in domains {
            if let Err(words) = self.bring_up(&mut state, &uuid) {
                failures.push(format!("VM {name}: {words}"));
            }
        }
        failures
    }
}
