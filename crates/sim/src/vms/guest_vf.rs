//! What a guest does with its VF, and what QEMU lets it: a VF of a teaming pair is hidden from a guest that
//! takes no part in failover.

use accelnet_libvirt::{LibvirtError, VmEvent};
use accelnet_model::PciAddress;
use accelnet_model::domain::Teaming;

use super::SimVms;
use super::state::{PlugKind, State, failed};
use crate::mutex::held;

impl SimVms {
    /// The guest of `name` reboots by itself, or is reset.
    ///
    /// # Errors
    ///
    /// No such domain, or it does not run.
    pub fn guest_reboots(&self, name: &str) -> Result<(), LibvirtError> {
        let uuid = self.running(name)?;
        let mut state = held(&self.state);
        state.domain(&uuid)?.negotiated = false;
        state.domain(&uuid)?.unbound = true;
        self.update_guest_vf(&mut state, &uuid);
        state.notify(VmEvent::Rebooted { uuid: uuid.clone() });
        self.guest_boots(&mut state, &uuid);
        Ok(())
    }

    /// The driver of the guest works its VF.
    ///
    /// # Errors
    ///
    /// No such domain, or it does not run.
    pub fn guest_binds(&self, name: &str) -> Result<(), LibvirtError> {
        self.bind(name, false)
    }

    /// A process in the guest takes the driver from its VF: there is no event.
    ///
    /// # Errors
    ///
    /// No such domain, or it does not run.
    pub fn guest_unbinds(&self, name: &str) -> Result<(), LibvirtError> {
        self.bind(name, true)
    }

    fn bind(&self, name: &str, unbound: bool) -> Result<(), LibvirtError> {
        let uuid = self.running(name)?;
        let mut state = held(&self.state);
        state.domain(&uuid)?.unbound = unbound;
        self.update_guest_vf(&mut state, &uuid);
        Ok(())
    }

    fn running(&self, name: &str) -> Result<String, LibvirtError> {
        let words = format!("domain '{name}' is not running");
        let uuid = self
            .uuid(name)
            .ok_or_else(|| failed("find the VM", words.clone()))?;
        match held(&self.state).domain(&uuid)?.live {
            Some(_) => Ok(uuid),
            None => Err(failed("find the VM", words)),
        }
    }

    /// Whether the guest of `name` has a VF that its driver works.
    pub fn guest_drives_vf(&self, name: &str) -> bool {
        let state = held(&self.state);
        let mut all = state.domains.values();
        all.find(|domain| domain.name == name)
            .is_some_and(|domain| domain.drives())
    }

    /// The guest of a running domain boots.
    pub(super) fn guest_boots(&self, state: &mut State, uuid: &str) {
        if let Ok(domain) = state.domain(uuid) {
            domain.negotiated = false;
        }
        self.guest_finds_devices(state, uuid);
    }

    /// The guest of a running domain finds what is plugged in.
    pub(super) fn guest_finds_devices(&self, state: &mut State, uuid: &str) {
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        let before = domain.negotiated;
        let vnics = accelnet_libvirt::xml::Definition::parse(domain.shown());
        let vnics = vnics.unwrap_or_default().vnics;
        let failover = vnics
            .into_iter()
            .find(|vnic| vnic.teaming == Some(Teaming::Persistent));
        domain.negotiated = domain.guest.standby && failover.is_some();
        domain.unbound = domain.guest.slow;
        let negotiated = domain.negotiated && !before && !domain.leaving;
        if let (true, Some(vnic)) = (negotiated, failover) {
            state.notify(VmEvent::FailoverNegotiated {
                uuid: uuid.to_owned(),
                alias: vnic.alias.unwrap_or_default(),
            });
        }
        self.update_guest_vf(state, uuid);
    }

    /// Brings what the host shows of the domain's VFs to what QEMU and the guest do with them.
    pub(super) fn update_guest_vf(&self, state: &mut State, uuid: &str) {
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        let (negotiated, leaving) = (domain.negotiated, domain.leaving);
        let mut shown = Vec::new();
        for plug in &mut domain.plugs {
            let PlugKind::Vf {
                vf,
                transient,
                plugged,
                ..
            } = &mut plug.kind
            else {
                continue;
            };
            *plugged = match (*transient, leaving) {
                (false, _) => true,
                // A guest gives it up for a live migration.
                (true, true) => false,
                // Once plugged it stays through a reboot.
                (true, false) => *plugged || negotiated,
            };
            shown.push((*vf, *plugged));
        }
        let drives = domain.drives();
        for (vf, plugged) in shown {
            self.show_vf(state, uuid, vf, plugged, plugged && drives);
        }
    }

    /// What the host shows of a VF: whether QEMU has it open, and whether a driver works it.
    pub(super) fn show_vf(
        &self,
        state: &mut State,
        uuid: &str,
        vf: PciAddress,
        open: bool,
        driven: bool,
    ) {
        let Some((pf, index)) = self.kernel.node().vf_at(vf) else {
            return;
        };
        if let Some(group) = self.kernel.node().vf_group(pf, index) {
            let file = format!("/dev/vfio/{group}");
            self.open_file(state, uuid, &file, open);
            match open {
                true => held(&self.kernel.open).insert(file),
                false => held(&self.kernel.open).remove(&file),
            };
        }
        // A tree that cannot be written shows in what is read of it.
        drop(self.kernel.node().set_bus_master(pf, index, driven));
    }
}

impl super::state::SimDomain {
    /// Whether the guest's driver works a VF that QEMU has plugged.
    pub(super) fn drives(&self) -> bool {
        let plugged = self
            .plugs
            .iter()
            .any(|plug| matches!(plug.kind, PlugKind::Vf { plugged: true, .. }));
        plugged && self.guest.vf_driver && !self.unbound && self.live.is_some()
    }
}
