//! The kernel's events for udev (`lib/kobject_uevent.c`): those that concern
//! adapters and VFs.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use accelnet_model::PciAddress;

use crate::NetlinkError;
use crate::listen::{BUFFER, Listener, Received};

#[cfg(test)]
mod tests;

/// The multicast group of the kernel; udev's own is the other one.
const KERNEL: u32 = 1;

/// What happened to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UeventAction {
    /// It came.
    Add,
    /// It is gone.
    Remove,
    /// A driver took it.
    Bind,
    /// A driver let go of it.
    Unbind,
    /// Something of it changed.
    Change,
    /// It has another name or another parent.
    Move,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subsystem {
    /// A network device.
    Net,
    /// A PCI function.
    Pci,
    /// A vfio group or device.
    Vfio,
}

/// An event of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uevent {
    /// What happened.
    pub action: UeventAction,
    /// What it is.
    pub subsystem: Subsystem,
    /// Path below `/sys`, as in `/devices/pci0000:00/0000:00:01.0/net/eth0`.
    pub path: String,
    /// The PCI function that it is (`PCI_SLOT_NAME`).
    pub address: Option<PciAddress>,
    /// Name of a network device (`INTERFACE`).
    pub interface: Option<String>,
    /// The driver (`DRIVER`), where the kernel names one.
    pub driver: Option<String>,
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UeventKind {
    /// An event.
    Event(Uevent),
    /// Events were lost: read everything.
    Lost,
}

/// Listens for events of network devices, PCI functions and vfio. Those of network devices
/// come from one network namespace, the others only in the first one.
pub struct Uevents {
    listener: Listener,
}

impl Uevents {
    /// Listens from now on, in the network namespace of the calling thread. Needs no rights.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    pub fn open() -> Result<Self, NetlinkError> {
        let protocol = netlink_sys::constants::NETLINK_KOBJECT_UEVENT;
        Ok(Uevents {
            listener: Listener::open("listen for events of devices", protocol, &[KERNEL], BUFFER)?,
        })
    }

    /// What is received next; none when nothing at all came for `within`, or a signal.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]. Lost events are no error, but [`UeventKind::Lost`].
    pub fn next(&mut self, within: Duration) -> Result<Option<UeventKind>, NetlinkError> {
        loop {
            match self.listener.receive(within)? {
                Received::Nothing => return Ok(None),
                Received::Lost => return Ok(Some(UeventKind::Lost)),
                Received::Datagram(datagram) => {
                    if let Some(event) = parse(&datagram) {
                        return Ok(Some(UeventKind::Event(event)));
                    }
                }
            }
        }
    }
}

impl AsFd for Uevents {
    /// For waiting on several at once. It may be readable and have nothing.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Reads `ACTION@PATH`, then `KEY=VALUE`s, each with a NUL behind it; none for what does not
/// concern us.
fn parse(datagram: &[u8]) -> Option<Uevent> {
    let mut texts = datagram
        .split(|byte| *byte == 0)
        .map(String::from_utf8_lossy);
    let head = texts.next()?;
    let (action, path) = head.split_once('@')?;
    let action = match action {
        "add" => UeventAction::Add,
        "remove" => UeventAction::Remove,
        "bind" => UeventAction::Bind,
        "unbind" => UeventAction::Unbind,
        "change" => UeventAction::Change,
        "move" => UeventAction::Move,
        _ => return None,
    };
    let (mut subsystem, mut address, mut interface, mut driver) = (None, None, None, None);
    for text in texts {
        let Some((key, value)) = text.split_once('=') else {
            continue;
        };
        match key {
            "SUBSYSTEM" => {
                subsystem = match value {
                    "net" => Some(Subsystem::Net),
                    "pci" => Some(Subsystem::Pci),
                    "vfio" | "vfio-dev" => Some(Subsystem::Vfio),
                    _ => return None,
                };
            }
            "PCI_SLOT_NAME" => address = value.parse().ok(),
            "INTERFACE" => interface = Some(value.to_owned()),
            "DRIVER" => driver = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(Uevent {
        action,
        subsystem: subsystem?,
        path: path.to_owned(),
        address,
        interface,
        driver,
    })
}
