//! vNICs whose guests did not release them in time, when they were re-plugged. QEMU does not withdraw the request: a
//! guest may release its vNIC later, which is then attached again.

use std::collections::BTreeMap;

use accelnet_api::types::EventKind;
use accelnet_host::Vms;
use accelnet_host::vms::Side;
use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::{DomainXml, InterfaceXml, Part};
use accelnet_model::{Mac, Uuid, VmSetting};

use crate::context::Context;
use crate::observed::Snapshot;

struct Unplugged {
    mac: Mac,
    /// The vNIC, as it can be plugged in again.
    nic: String,
    /// An event says that it cannot be attached.
    recorded: bool,
}

/// By UUID of the VM.
#[derive(Default)]
pub(crate) struct UnpluggedNics(BTreeMap<Uuid, Unplugged>);

impl UnpluggedNics {
    /// Keeps the vNIC of a failed re-plug: it may still be there, and go later, or could not be attached again.
    pub fn keep(&mut self, ctx: &Context, setting: &VmSetting) {
        let vms = ctx.edge.vms();
        let nic_of = |xml: Result<String, LibvirtError>| {
            let xml = xml.ok()?;
            let nic = DomainXml::parse(&xml).ok()?;
            let nic = nic.interface(setting.mac, Part::Persistent)?;
            Some(nic.without_generated())
        };
        let defined = || nic_of(vms.xml(&setting.uuid, Side::Config));
        if let Some(nic) = nic_of(vms.migratable_xml(&setting.uuid)).or_else(defined) {
            let unplugged = Unplugged {
                mac: setting.mac,
                nic,
                recorded: false,
            };
            self.0.insert(setting.uuid.clone(), unplugged);
        }
    }

    /// A VM was changed again.
    pub fn forget(&mut self, uuid: &Uuid) {
        self.0.remove(uuid);
    }

    /// Attaches vNICs that guests released after the time limit; whether anything was done.
    pub fn reconcile(&mut self, ctx: &Context, snapshot: &Snapshot) -> bool {
        let mut acted = false;
        self.0.retain(|uuid, one| {
            let Some(domain) = snapshot.running(uuid) else {
                return false;
            };
            if domain.vnics.iter().any(|vnic| vnic.mac == Some(one.mac)) {
                return true;
            }
            acted = true;
            let (name, mac) = (&domain.name, one.mac);
            match plug_somewhere(ctx.edge.vms(), uuid, &one.nic) {
                Ok(()) => {
                    let message = format!(
                        "The guest of VM {name} released vNIC {mac} after the time limit; the vNIC is attached again."
                    );
                    ctx.record(EventKind::Repaired, name, message);
                    false
                }
                Err(error) => {
                    if !std::mem::replace(&mut one.recorded, true) {
                        let message = format!(
                            "The guest of VM {name} released vNIC {mac} after the time limit, and attaching it again failed: {error}"
                        );
                        ctx.record(EventKind::Failed, name, message);
                    }
                    true
                }
            }
        });
        acted
    }
}

/// Attaches a vNIC that its VM must not lose: at its old PCI address, so that its guest keeps its name, or at any
/// address if that fails.
pub(crate) fn plug_somewhere(vms: &dyn Vms, uuid: &str, nic: &str) -> Result<(), LibvirtError> {
    vms.attach(uuid, nic, Side::Live).or_else(|error| {
        let anywhere = InterfaceXml::parse(nic)?.without_place();
        match anywhere == nic {
            true => Err(error),
            false => vms.attach(uuid, &anywhere, Side::Live).map_err(|_| error),
        }
    })
}
