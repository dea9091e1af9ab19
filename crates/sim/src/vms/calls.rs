//! What accelnet asks of libvirt.

use std::sync::mpsc::channel;
use std::time::Duration;

use accelnet_host::Vms;
use accelnet_libvirt::xml::Device;
use accelnet_libvirt::{
    GuestAnswer, LibvirtError, SavedState, Side, VirtualNetwork, VmEvent, WatchHandle,
};

use super::fragment::{tap, vnic};
use super::life::key;
use super::normal::{self, Shows};
use super::state::{State, away, failed};
use super::{SimVms, text};
use crate::mutex::held;

const ATTACH: &str = "attach the device";
const DETACH: &str = "detach the device";
const UPDATE: &str = "update the device";

impl Vms for SimVms {
    fn xml(&self, uuid: &str, side: Side) -> Result<String, LibvirtError> {
        let mut state = self.open()?;
        let xml = shown(&mut state, uuid, side)?;
        Ok(match side {
            Side::Live => state.public(&xml),
            Side::Config => xml,
        })
    }

    fn migratable_xml(&self, uuid: &str) -> Result<String, LibvirtError> {
        shown(&mut *self.open()?, uuid, Side::Live)
    }

    fn define(&self, xml: &str) -> Result<(), LibvirtError> {
        self.put_domain(xml)
    }

    fn attach(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError> {
        let wanted = known(device)?;
        let mut state = self.open()?;
        if text::find(&shown(&mut state, uuid, side)?, &wanted).is_some() {
            return Ok(());
        }
        drop(state);
        let call = format!("attach {} {device}", word(side));
        let mut state = self.change(ATTACH, call.clone())?;
        let mut before = shown(&mut state, uuid, side)?;
        let mut device = device.to_owned();
        if text::is_interface(&device) {
            device = normal::interface(&device, Shows::Definition);
            if text::has_child(&device, "address") {
                text::is_free(&before, &device).map_err(|words| failed(ATTACH, words))?;
            } else {
                if side == Side::Config {
                    before = text::with_free_port(&before);
                }
                let place = text::place(&before).map_err(|words| failed(ATTACH, words))?;
                device = place.map_or(device.clone(), |place| text::with_child(&device, &place));
            }
        }
        if side == Side::Live {
            partner(&before, &device).map_err(|words| failed(ATTACH, words))?;
            device = self
                .plug(&mut state, uuid, &device)
                .map_err(|words| failed(ATTACH, words))?;
            if !self.lock_memory(&mut state, uuid) {
                self.take_down(&mut state, uuid);
                let words = "Unable to read from monitor: Connection reset by peer";
                return Err(failed(ATTACH, words));
            }
        } else if text::is_interface(&device) {
            device = normal::interface(&device, Shows::Definition);
        }
        store(&mut state, uuid, side, text::insert(&before, &device))?;
        if side == Side::Live {
            self.guest_finds_devices(&mut state, uuid);
            let alias = vnic(&device).and_then(|vnic| vnic.alias);
            state.notify(VmEvent::DeviceAdded {
                uuid: uuid.to_owned(),
                alias: alias.unwrap_or_default(),
            });
        }
        match state.leaves(&call, true) {
            true => Err(away()),
            false => Ok(()),
        }
    }

    fn detach(
        &self,
        uuid: &str,
        device: &str,
        side: Side,
        within: Duration,
    ) -> Result<(), LibvirtError> {
        let wanted = known(device)?;
        let mut state = self.open()?;
        let before = match shown(&mut state, uuid, side) {
            Err(LibvirtError::DomainNotRunning { .. }) => return Ok(()),
            before => before?,
        };
        let Some(range) = text::find(&before, &wanted) else {
            return Ok(());
        };
        drop(state);
        let mut state = self.change(DETACH, format!("detach {} {device}", word(side)))?;
        let fragment = &before[range.clone()];
        if side == Side::Live {
            let keeps = state.domain(uuid)?.guest.keeps_devices;
            if keeps {
                self.kernel.advance(within);
                return Err(LibvirtError::NotGivenUp {
                    words: format!("it still has it after {} s", within.as_secs_f32()),
                });
            }
            match (tap(fragment), key(fragment)) {
                (Some(tap), _) => self.unplug_tap(&mut state, uuid, &tap),
                (None, Some((mac, vf))) => self.unplug(&mut state, uuid, mac, vf),
                (None, None) => {}
            }
        }
        let alias = vnic(fragment).and_then(|vnic| vnic.alias);
        store(&mut state, uuid, side, text::remove(&before, range))?;
        if side == Side::Live {
            state.notify(VmEvent::DeviceRemoved {
                uuid: uuid.to_owned(),
                alias: alias.unwrap_or_default(),
            });
        }
        Ok(())
    }

    fn update(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError> {
        let mut state = self.change(UPDATE, format!("update {} {device}", word(side)))?;
        let before = shown(&mut state, uuid, side)?;
        let mac = vnic(device).and_then(|vnic| vnic.mac);
        let mac = mac.map(|mac| mac.to_string()).unwrap_or_default();
        let place = text::child_text(device, "address");
        let mut found = text::with_mac(&before, &mac);
        if let Some(place) = &place
            && found.len() > 1
        {
            found.retain(|range| {
                text::child_text(&before[range.clone()], "address").as_ref() == Some(place)
            });
        }
        match found.as_slice() {
            [range] => {
                let shows = match side {
                    Side::Live => Shows::Running,
                    Side::Config => Shows::Definition,
                };
                let device = normal::interface(device, shows);
                let after = text::replace(&before, range.clone(), &device);
                store(&mut state, uuid, side, after)
            }
            [] => {
                let words = format!("device not found: no device matching MAC address {mac} found");
                Err(failed(UPDATE, words))
            }
            _ => {
                let words =
                    format!("operation failed: multiple devices matching MAC address {mac} found");
                Err(failed(UPDATE, words))
            }
        }
    }

    fn start(&self, uuid: &str) -> Result<(), LibvirtError> {
        self.start_domain(uuid)
    }

    fn networks(&self) -> Result<Vec<VirtualNetwork>, LibvirtError> {
        self.list_networks()
    }

    fn network_xml(&self, name: &str) -> Result<String, LibvirtError> {
        let mut networks = self.list_networks()?.into_iter();
        let network = networks.find(|network| network.name == name);
        let network = network.ok_or_else(|| LibvirtError::NoNetwork {
            words: format!("no network with matching name '{name}'"),
        })?;
        Ok(network.xml)
    }

    fn define_network(&self, xml: &str, autostart: bool) -> Result<(), LibvirtError> {
        self.put_network(xml, autostart)
    }

    fn start_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.run_network(name)
    }

    fn stop_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.end_network(name)
    }

    fn remove_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.drop_network(name)
    }

    fn ask_guest(&self, uuid: &str, command: &str, _within: Duration) -> GuestAnswer {
        let answer = self.open().and_then(|mut state| {
            let domain = state.domain(uuid)?;
            let (negotiated, drives) = (domain.negotiated, domain.drives());
            let live = domain.live.as_deref();
            domain.guest.answer(command, live, negotiated, drives)
        });
        GuestAnswer::later(move || answer)
    }

    fn saved_state(&self, uuid: &str) -> Result<SavedState, LibvirtError> {
        let mut state = self.open()?;
        let domain = state.domain(uuid)?;
        Ok(SavedState {
            managed_save: domain.managed_save,
            snapshots: domain.snapshots,
        })
    }

    fn is_busy(&self, uuid: &str) -> Result<bool, LibvirtError> {
        let mut state = self.open()?;
        Ok(state.domain(uuid)?.leaving)
    }

    fn watch(&self, on: Box<dyn Fn(VmEvent) + Send>) -> Result<WatchHandle, LibvirtError> {
        let mut state = self.open()?;
        let number = state.number();
        let (sender, events) = channel();
        state.watchers.push((number, sender));
        drop(state);
        let started = std::thread::Builder::new()
            .name("libvirt-watch".to_owned())
            .spawn(move || {
                while let Ok(event) = events.recv() {
                    on(event);
                }
            });
        started.map_err(|error| LibvirtError::NoThread {
            words: error.to_string(),
        })?;
        let all = self.state.clone();
        Ok(WatchHandle::new(move || {
            held(&all).watchers.retain(|(one, _)| *one != number);
        }))
    }
}

fn word(side: Side) -> &'static str {
    match side {
        Side::Live => "live",
        Side::Config => "config",
    }
}

fn known(device: &str) -> Result<Device, LibvirtError> {
    Device::parse(device).map_err(|error| failed("read the XML of the device", error.to_string()))
}

fn shown(state: &mut State, uuid: &str, side: Side) -> Result<String, LibvirtError> {
    let doing = "get the definition of the VM";
    let domain = state.domain(uuid)?;
    match side {
        Side::Live => domain
            .live
            .clone()
            .ok_or_else(|| LibvirtError::DomainNotRunning {
                words: "it has no live definition".to_owned(),
            }),
        Side::Config => domain
            .config
            .clone()
            .ok_or_else(|| failed(doing, "the VM is transient: it ends with its definition")),
    }
}

fn store(state: &mut State, uuid: &str, side: Side, xml: String) -> Result<(), LibvirtError> {
    let domain = state.domain(uuid)?;
    match side {
        Side::Live => domain.live = Some(xml),
        Side::Config => domain.config = Some(xml),
    }
    Ok(())
}

/// QEMU takes the VF of a pair only beside a vNIC with the failover feature.
fn partner(live: &str, device: &str) -> Result<(), String> {
    use accelnet_model::domain::Teaming;
    let Some(Teaming::Transient { persistent }) = vnic(device).and_then(|vnic| vnic.teaming) else {
        return Ok(());
    };
    let ranges = text::interface_ranges(live);
    let found = ranges.into_iter().filter_map(|range| vnic(&live[range]));
    let able = found.into_iter().any(|one| {
        one.alias.as_ref() == Some(&persistent) && one.teaming == Some(Teaming::Persistent)
    });
    match able {
        true => Ok(()),
        false => Err(format!(
            "internal error: unable to execute QEMU command 'device_add': no standby device {persistent} with failover=on"
        )),
    }
}
