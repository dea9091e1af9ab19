//! The re-plug of a running vNIC, which adds the failover feature and keeps everything else.

use accelnet_api::types::EventKind;
use accelnet_host::Vms;
use accelnet_host::vms::Side;
use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::{self, DomainXml, InterfaceXml, Part};
use accelnet_model::{Mac, VmSetting};

use super::{Bench, Core, GIVE_UP, Seen};

/// A vNIC that its guest did not release in time. The request stands: the guest may release it later.
pub(crate) struct AskedOut {
    mac: Mac,
    /// The vNIC, as it can be plugged in again.
    nic: String,
    /// Whether an event says that it cannot be attached.
    told: bool,
}

impl Core {
    /// Record the vNIC of a failed re-plug: it may still be there, and go later, or could not be
    /// attached again.
    pub(super) fn remember_asked_out(&mut self, setting: &VmSetting) {
        let vms = self.edge.vms();
        let nic_of = |xml: Result<String, LibvirtError>| {
            let xml = xml.ok()?;
            let nic = DomainXml::parse(&xml).ok()?;
            let nic = nic.interface(setting.mac, Part::Persistent)?;
            Some(nic.without_generated())
        };
        let defined = || nic_of(vms.xml(&setting.uuid, Side::Config));
        let nic = nic_of(vms.migratable_xml(&setting.uuid)).or_else(defined);
        if let Some(nic) = nic {
            let asked_out = AskedOut {
                mac: setting.mac,
                nic,
                told: false,
            };
            self.asked_out.insert(setting.uuid.clone(), asked_out);
        }
    }

    /// Attaches vNICs that guests released after the time limit. Whether anything was done.
    pub(crate) fn plug_in_again(&mut self, seen: &Seen) -> bool {
        let mut acted = false;
        for (uuid, asked_out) in std::mem::take(&mut self.asked_out) {
            let domain = seen.domains().iter().find(|one| one.uuid == uuid);
            let Some(domain) = domain.filter(|domain| domain.state.holds_devices()) else {
                continue;
            };
            let mut vnics = domain.vnics.iter();
            if vnics.any(|vnic| vnic.mac == Some(asked_out.mac)) {
                self.asked_out.insert(uuid, asked_out);
                continue;
            }
            match plug_somewhere(self.edge.vms(), &uuid, &asked_out.nic) {
                Ok(()) => {
                    let message = format!(
                        "The guest of VM {} released vNIC {} after the time limit; the vNIC is attached again.",
                        domain.name, asked_out.mac
                    );
                    self.tell(EventKind::Repaired, &domain.name, message);
                }
                Err(error) => {
                    if !asked_out.told {
                        let message = format!(
                            "The guest of VM {} released vNIC {} after the time limit, and attaching it again failed: {error}",
                            domain.name, asked_out.mac
                        );
                        self.tell(EventKind::Failed, &domain.name, message);
                    }
                    let asked_out = AskedOut {
                        told: true,
                        ..asked_out
                    };
                    self.asked_out.insert(uuid, asked_out);
                }
            }
            acted = true;
        }
        acted
    }
}

impl Bench<'_> {
    /// Detaches the running vNIC and attaches it again with the failover feature. A vNIC that is
    /// detached already, because an agent died in between, is attached as it is defined.
    pub(super) fn replug(&self) -> Result<(), LibvirtError> {
        let live = self.live_nic.as_deref();
        let live = live.and_then(|live| InterfaceXml::parse(live).ok());
        let alias = xml::persistent_alias(self.setting.mac);
        // Settings that only the running vNIC has stay. If the definition names another network, the
        // definition counts: that one was judged.
        let (switch, joined) = self.nic(|defined| {
            let base = match &live {
                Some(live) if live.connected_to() == defined.connected_to() => live,
                _ => defined,
            };
            (base.connected_to(), base.with_teaming(&alias))
        })?;
        let joined_alias = InterfaceXml::parse(&joined)?.user_alias();
        self.its_switch_stands(switch)?;
        if let Some(live) = &self.live_nic {
            self.vms
                .detach(&self.setting.uuid, live, Side::Live, GIVE_UP)?;
        }
        (self.passing)("plug-nic");
        match self.vms.attach(&self.setting.uuid, &joined, Side::Live) {
            Ok(()) => {
                self.live_alias.replace(joined_alias);
                Ok(())
            }
            Err(error) => {
                // The VM keeps the vNIC that it had.
                if let Some(live) = &self.live_nic {
                    plug_somewhere(self.vms, &self.setting.uuid, live)?;
                }
                Err(error)
            }
        }
    }

    /// Reverts [`Bench::replug`].
    pub(super) fn plug_back(&self) -> Result<(), LibvirtError> {
        let Some(live) = &self.live_nic else {
            return Ok(());
        };
        let xml = self.vms.xml(&self.setting.uuid, Side::Live)?;
        let joined = self.live_alias.borrow();
        let xml = DomainXml::parse(&xml)?;
        if let Some(nic) = joined
            .as_deref()
            .and_then(|alias| xml.interface_called(alias))
        {
            self.vms
                .detach(&self.setting.uuid, nic.as_str(), Side::Live, GIVE_UP)?;
        }
        plug_somewhere(self.vms, &self.setting.uuid, live)
    }

    /// Makes sure that the vNIC can be plugged in again: libvirt plugs nothing into a network that does
    /// not run, which is started, or a bridge that is gone, and the VM that gave up its vNIC would
    /// get none again.
    fn its_switch_stands(
        &self,
        switch: Option<(String, String, Option<String>)>,
    ) -> Result<(), LibvirtError> {
        let Some((kind, source, _)) = switch else {
            return Ok(());
        };
        let bridge = match kind.as_str() {
            "bridge" => Some(source),
            "network" => {
                self.vms.start_network(&source)?;
                let networks = self.vms.networks()?;
                let network = networks.iter().find(|one| one.name == source);
                network.and_then(|one| xml::network(&one.xml)?.bridge)
            }
            _ => None,
        };
        match bridge {
            Some(bridge) if !self.root.exists(&format!("/sys/class/net/{bridge}")) => {
                Err(LibvirtError::Failed {
                    doing: "re-plug the vNIC",
                    words: format!(
                        "bridge {bridge} does not exist, and the VM would lose its vNIC: try again when 'accelnet intent status' shows the intent as completed"
                    ),
                })
            }
            _ => Ok(()),
        }
    }
}

/// Attaches a vNIC that its VM must not lose: at its old PCI address, so that its guest keeps its name,
/// or at any address if that fails.
fn plug_somewhere(vms: &dyn Vms, uuid: &str, nic: &str) -> Result<(), LibvirtError> {
    vms.attach(uuid, nic, Side::Live).or_else(|error| {
        let anywhere = InterfaceXml::parse(nic)?.without_place();
        match anywhere == nic {
            true => Err(error),
            false => vms.attach(uuid, &anywhere, Side::Live).map_err(|_| error),
        }
    })
}
