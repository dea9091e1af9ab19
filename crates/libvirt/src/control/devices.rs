//! Devices of domains, added, taken away and changed.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::deadline::Deadline;
use super::{Control, domain, live, text};
use crate::event::{DomainChange, VmEvent};
use crate::ffi::DomainHandle;
use crate::xml::{Device, DomainXml};
use crate::{LibvirtError, Side};

/// QEMU's words for a device that it has been asked to take away before.
const UNDER_WAY: &str = "already in the process of unplug";

impl Control {
    /// Adds a device; one that is there already is left as it is.
    pub fn attach(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError> {
        let wanted = known(device)?;
        let (uuid, device) = (uuid.to_owned(), device.to_owned());
        self.call(move |connection| {
            let domain = domain(connection, &uuid)?;
            let is_there = || has(&domain, &wanted, side);
            // libvirt takes no second device with a user's alias: such a one need not be looked for
            // first.
            if wanted.alias().is_none() && is_there()? {
                return Ok(());
            }
            match domain.attach(&device, side) {
                Err(_) if wanted.alias().is_some() && is_there()? => Ok(()),
                attached => attached.map_err(|failure| failure.doing("attach the device")),
            }
        })
    }

    /// Changes a device to its XML.
    pub fn update(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError> {
        let (uuid, device) = (uuid.to_owned(), device.to_owned());
        self.call(move |connection| {
            let updated = domain(connection, &uuid)?.update(&device, side);
            updated.map_err(|failure| failure.doing("update the device"))
        })
    }

    /// Takes a device away; one that is not there is no error. From a running domain, waits
    /// until the guest gave it up, for no longer than `within`.
    pub fn detach(
        &self,
        uuid: &str,
        device: &str,
        side: Side,
        within: Duration,
    ) -> Result<(), LibvirtError> {
        let wanted = known(device)?;
        let deadline = Deadline::after(within);
        // Before it is asked to go, so that no event is missed.
        let (number, events) = self.watchers.add();
        let gone = self.ask_to_go(uuid, device, &wanted, side);
        let gone = match gone {
            Ok(false) => self.await_gone(uuid, &wanted, &events, deadline, within),
            Ok(true) => Ok(()),
            Err(error) => Err(error),
        };
        self.watchers.remove(number);
        gone
    }

    /// Asks the guest to give the device up; whether it is gone already.
    fn ask_to_go(
        &self,
        uuid: &str,
        device: &str,
        wanted: &Device,
        side: Side,
    ) -> Result<bool, LibvirtError> {
        let (uuid, device, wanted) = (uuid.to_owned(), device.to_owned(), wanted.clone());
        self.call(move |connection| {
            let domain = domain(connection, &uuid)?;
            if is_gone(&domain, &wanted, side)? {
                return Ok(true);
            }
            match domain.detach(&device, side) {
                Ok(()) => is_gone(&domain, &wanted, side),
                Err(failure) if failure.words.contains(UNDER_WAY) => Ok(false),
                Err(failure) => Err(failure.doing("detach the device")),
            }
        })
    }

    fn await_gone(
        &self,
        uuid: &str,
        wanted: &Device,
        events: &Receiver<VmEvent>,
        deadline: Deadline,
        within: Duration,
    ) -> Result<(), LibvirtError> {
        loop {
            let event = events.recv_timeout(deadline.left());
            match &event {
                Ok(event) if !is_about(event, uuid) => continue,
                Ok(VmEvent::DeviceRemovalFailed { alias, .. })
                    if wanted.alias().is_none_or(|wanted| wanted == alias) =>
                {
                    return Err(LibvirtError::NotGivenUp {
                        words: format!("it refused to detach {alias}"),
                    });
                }
                _ => {}
            }
            let (asked, wanted) = (uuid.to_owned(), wanted.clone());
            let gone = self.call(move |connection| {
                is_gone(&*domain(connection, &asked)?, &wanted, Side::Live)
            })?;
            if gone {
                return Ok(());
            }
            if event.is_err() {
                return Err(LibvirtError::NotGivenUp {
                    words: format!("it still has it after {} s", within.as_secs_f32()),
                });
            }
        }
    }
}

fn known(device: &str) -> Result<Device, LibvirtError> {
    Device::parse(device).map_err(|error| LibvirtError::Failed {
        doing: "read the XML of the device",
        words: error.to_string(),
    })
}

fn has(domain: &DomainHandle, wanted: &Device, side: Side) -> Result<bool, LibvirtError> {
    let text = text(domain, side)?;
    let xml = match side {
        Side::Live => Some(live(&text)?),
        Side::Config => DomainXml::parse(&text).ok(),
    };
    Ok(xml.is_some_and(|xml| xml.find(wanted).is_some()))
}

/// Whether that side of the domain lacks the device; one that does not run has none.
fn is_gone(domain: &DomainHandle, wanted: &Device, side: Side) -> Result<bool, LibvirtError> {
    match has(domain, wanted, side) {
        Err(LibvirtError::DomainNotRunning { .. }) => Ok(true),
        has => has.map(|has| !has),
    }
}

/// Whether the device may be gone, or stay, after that event.
fn is_about(event: &VmEvent, wanted: &str) -> bool {
    match event {
        VmEvent::DeviceRemoved { uuid, .. } | VmEvent::DeviceRemovalFailed { uuid, .. } => {
            uuid == wanted
        }
        VmEvent::Domain { uuid, change, .. } => {
            uuid == wanted && matches!(change, DomainChange::Stopped | DomainChange::Crashed)
        }
        VmEvent::Reconnected => true,
        _ => false,
    }
}
