//! The life of a domain: defined, started, stopped.

use accelnet_libvirt::{DomainChange, LibvirtError};
use accelnet_model::Mac;

use super::fragment::{is_vf, vnic};
use super::state::{SimDomain, State, failed};
use super::{Guest, SimVms, normal, text};

impl SimVms {
    pub(super) fn put_domain(&self, xml: &str) -> Result<(), LibvirtError> {
        let doing = "define the VM";
        let wrong = |what: &str| failed(doing, format!("XML error: {what}"));
        let name = text::value(xml, "name").ok_or_else(|| wrong("no name"))?;
        let uuid = text::value(xml, "uuid").ok_or_else(|| wrong("no uuid"))?;
        let mut state = self.change(doing, format!("define {name}"))?;
        let other = state.domains.values().find(|one| one.name == name);
        if let Some(other) = other.filter(|one| one.uuid != uuid) {
            let words = format!(
                "operation failed: domain '{name}' already exists with uuid {}",
                other.uuid
            );
            return Err(failed(doing, words));
        }
        let xml = normal::domain(xml);
        match state.domains.get_mut(&uuid) {
            Some(domain) => domain.config = Some(xml),
            None => {
                let domain = SimDomain {
                    name,
                    uuid: uuid.clone(),
                    config: Some(xml),
                    live: None,
                    paused: false,
                    leaving: false,
                    autostart: false,
                    managed_save: false,
                    snapshots: 0,
                    guest: Guest::default(),
                    negotiated: false,
                    unbound: false,
                    plugs: Vec::new(),
                    process: None,
                    resident_mib: 0,
                };
                state.domains.insert(uuid.clone(), domain);
            }
        }
        state.notify_domain(&uuid, DomainChange::Defined);
        Ok(())
    }

    pub(super) fn start_domain(&self, uuid: &str) -> Result<(), LibvirtError> {
        let mut state = self.change("start the VM", format!("start {uuid}"))?;
        if state.domain(uuid)?.live.is_some() {
            return Ok(());
        }
        self.bring_up(&mut state, uuid)
            .map_err(|words| failed("start the VM", words))
    }

    /// Plugs in all that the definition names, or nothing.
    pub(super) fn bring_up(&self, state: &mut State, uuid: &str) -> Result<(), String> {
        let domain = state.domain(uuid).map_err(|error| error.to_string())?;
        let mut live = domain.config.clone().unwrap_or_default();
        // From the end, so that the places before stay where they are.
        for range in text::interface_ranges(&live).into_iter().rev() {
            match self.plug(state, uuid, &live[range.clone()]) {
                Ok(shown) => live = text::replace(&live, range, &shown),
                Err(words) => {
                    self.unplug_all(state, uuid);
                    return Err(words);
                }
            }
        }
        let domain = state.domain(uuid).map_err(|error| error.to_string())?;
        domain.live = Some(live);
        domain.managed_save = false;
        domain.paused = false;
        self.begin_process(state, uuid);
        if !self.begin_memory(state, uuid) {
            self.take_down(state, uuid);
            return Err("internal error: process exited while connecting to monitor".to_owned());
        }
        state.notify_domain(uuid, DomainChange::Started);
        self.guest_boots(state, uuid);
        Ok(())
    }

    /// The domain ends; one without a definition is gone.
    pub(super) fn take_down(&self, state: &mut State, uuid: &str) {
        self.unplug_all(state, uuid);
        self.end_memory(state, uuid);
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        let ran = domain.live.take().is_some();
        let gone = domain.config.is_none();
        self.end_process(state, uuid);
        if ran {
            state.notify_domain(uuid, DomainChange::Stopped);
        }
        if gone {
            state.domains.remove(uuid);
        }
    }

    fn unplug_all(&self, state: &mut State, uuid: &str) {
        let plugs = state.domain(uuid).map(|domain| domain.plugs.clone());
        for plug in plugs.unwrap_or_default() {
            for vf in [true, false] {
                self.unplug(state, uuid, plug.mac, vf);
            }
        }
    }
}

/// What distinguishes the two interfaces of a pair.
pub(super) fn key(fragment: &str) -> Option<(Mac, bool)> {
    let vnic = vnic(fragment)?;
    Some((vnic.mac?, is_vf(&vnic)))
}
