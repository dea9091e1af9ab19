//! Domains and networks, changed; what happens, handed on.

mod deadline;
mod devices;
mod networks;
mod watchers;
mod worker;

use std::rc::Rc;
use std::time::Duration;

use crate::event::{VmEvent, WatchHandle};
use crate::ffi::{self, Connection, DomainHandle};
use crate::xml::DomainXml;
use crate::{Domains, LibvirtError, Reading, SavedState, Side, libvirt};
use watchers::Watchers;
use worker::Worker;

/// A libvirt daemon, to change what it has. One connection is opened by the first call, and
/// again when it died; calls queue for it. Guest agents are asked on another, because they
/// may take long.
pub struct Control {
    worker: Worker,
    guests: Worker,
    watchers: Watchers,
    deadline: Duration,
}

/// What a guest agent was asked, and may not have answered yet.
pub struct GuestAnswer(Box<dyn FnOnce() -> Result<String, LibvirtError> + Send>);

impl GuestAnswer {
    /// One that `wait` waits for.
    pub fn later(wait: impl FnOnce() -> Result<String, LibvirtError> + Send + 'static) -> Self {
        GuestAnswer(Box::new(wait))
    }

    /// Waits for the answer, as JSON.
    ///
    /// # Errors
    ///
    /// [`LibvirtError::NoAgent`] where the domain has none configured,
    /// [`LibvirtError::AgentSilent`] where it does not answer.
    pub fn wait(self) -> Result<String, LibvirtError> {
        (self.0)()
    }
}

impl Control {
    /// Of the daemon at `uri` (usually [`crate::SYSTEM`]). A call waits for it no longer than
    /// `deadline`; when it hangs, further calls are refused at once until it comes back.
    pub fn new(uri: &str, deadline: Duration) -> Self {
        let watchers = Watchers::default();
        Control {
            worker: Worker::new(uri, Some(watchers.clone())),
            guests: Worker::new(uri, None),
            watchers,
            deadline,
        }
    }

    /// Versions and domains, as [`crate::read`] shows them, on the connection that is open.
    pub fn read(&self, within: Duration) -> Result<Reading, LibvirtError> {
        self.worker.call(within, |connection| {
            Ok(Reading {
                versions: libvirt::versions(connection)?,
                domains: libvirt::domains(connection),
            })
        })
    }

    /// Domains alone: all of them, or those with these UUIDs. They are requested at once; the answer is
    /// waited for, no longer than `within`, by who calls it.
    pub fn ask_domains(
        &self,
        of: Option<&[String]>,
        within: Duration,
    ) -> impl FnOnce() -> Result<Domains, LibvirtError> + use<> {
        let of = of.map(<[String]>::to_vec);
        let asked = self.worker.begin(move |connection| match &of {
            None => libvirt::domains(connection),
            Some(uuids) => libvirt::these(connection, uuids),
        });
        move || asked?.wait(within)
    }

    /// The XML of a domain: what runs, or its definition with its secrets. A transient domain starts
    /// with what runs, once.
    pub fn xml(&self, uuid: &str, side: Side) -> Result<String, LibvirtError> {
        let uuid = uuid.to_owned();
        self.call(move |connection| xml(&*domain(connection, &uuid)?, side))
    }

    /// The XML of a domain that runs as it would start elsewhere, with its secrets: its vNICs are as
    /// they were requested, where what runs shows how libvirt connected them.
    pub fn migratable_xml(&self, uuid: &str) -> Result<String, LibvirtError> {
        let uuid = uuid.to_owned();
        self.call(move |connection| {
            let xml = domain(connection, &uuid)?.migratable_xml();
            xml.map_err(|failure| failure.doing("report whether the VM can migrate"))
        })
    }

    /// Defines a domain.
    pub fn define(&self, xml: &str) -> Result<(), LibvirtError> {
        let xml = xml.to_owned();
        self.call(move |connection| {
            let defined = connection.define(&xml);
            defined.map_err(|failure| failure.doing("define the VM"))
        })
    }

    /// Starts a domain; one that runs is left as it is.
    pub fn start(&self, uuid: &str) -> Result<(), LibvirtError> {
        let uuid = uuid.to_owned();
        self.call(move |connection| {
            let domain = domain(connection, &uuid)?;
            match domain.is_active() {
                Ok(true) => Ok(()),
                Ok(false) => domain
                    .create()
                    .map_err(|failure| failure.doing("start the VM")),
                Err(failure) => Err(failure.doing("report the state of the VM")),
            }
        })
    }

    /// What is saved of a domain.
    pub fn saved_state(&self, uuid: &str) -> Result<SavedState, LibvirtError> {
        let uuid = uuid.to_owned();
        self.call(move |connection| {
            let domain = domain(connection, &uuid)?;
            let saved = || {
                Ok(SavedState {
                    managed_save: domain.has_managed_save()?,
                    snapshots: domain.snapshots()?,
                })
            };
            saved()
                .map_err(|failure: ffi::Failure| failure.doing("report the saved state of the VM"))
        })
    }

    /// Whether libvirt is at work on a running domain as a whole: a live migration, a dump, a saved
    /// image. Changes of devices are no such work.
    pub fn is_busy(&self, uuid: &str) -> Result<bool, LibvirtError> {
        let uuid = uuid.to_owned();
        self.call(move |connection| {
            let busy = domain(connection, &uuid)?.has_job();
            busy.map_err(|failure| failure.doing("report the running job of the VM"))
        })
    }

    /// Asks a domain's guest agent, which is given `within`, in whole seconds. The answer is
    /// waited for by who wants it.
    pub fn ask_guest(&self, uuid: &str, command: &str, within: Duration) -> GuestAnswer {
        let (uuid, command) = (uuid.to_owned(), command.to_owned());
        let seconds = within.as_secs().clamp(1, 3600) as i32;
        let patience = within + self.deadline;
        let asked = self.guests.begin(move |connection| {
            let ask = ffi::qemu_table()?.ask_agent;
            let answer = domain(connection, &uuid)?.ask_agent(ask, &command, seconds);
            answer.map_err(ffi::Failure::asking_guest)
        });
        GuestAnswer::later(move || asked?.wait(patience))
    }

    /// Hands events to `on`, from a thread of its own, until the handle is dropped. When the
    /// daemon restarts it goes on by itself, and reports the restart.
    pub fn watch(&self, on: Box<dyn Fn(VmEvent) + Send>) -> Result<WatchHandle, LibvirtError> {
        let (number, events) = self.watchers.add();
        let stop = {
            let watchers = self.watchers.clone();
            move || watchers.remove(number)
        };
        let started = std::thread::Builder::new()
            .name("libvirt-watch".to_owned())
            .spawn(move || {
                while let Ok(event) = events.recv() {
                    on(event);
                }
            });
        let handle = WatchHandle::new(stop);
        started.map_err(|error| LibvirtError::NoThread {
            words: error.to_string(),
        })?;
        // The connection is there, and with it the events, once anything is done on it.
        self.call(|_| Ok(()))?;
        Ok(handle)
    }

    fn call<T: Send + 'static>(
        &self,
        ask: impl FnMut(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, LibvirtError> {
        self.worker.call(self.deadline, ask)
    }
}

fn domain(connection: &Connection, uuid: &str) -> Result<Rc<DomainHandle>, LibvirtError> {
    let domain = connection.domain(uuid);
    domain.map_err(|failure| failure.doing("find the VM"))
}

fn xml(domain: &DomainHandle, side: Side) -> Result<String, LibvirtError> {
    let xml = text(domain, side)?;
    if matches!(side, Side::Live) {
        live(&xml)?;
    }
    Ok(xml)
}

fn text(domain: &DomainHandle, side: Side) -> Result<String, LibvirtError> {
    let xml = match side {
        Side::Live => domain.xml(),
        Side::Config => domain.config_xml(),
    };
    xml.map_err(|failure| failure.doing("get the definition of the VM"))
}

fn live(xml: &str) -> Result<DomainXml<'_>, LibvirtError> {
    let parsed = DomainXml::parse(xml).ok();
    parsed
        .filter(DomainXml::is_live)
        .ok_or_else(|| LibvirtError::DomainNotRunning {
            words: "it has no live definition".to_owned(),
        })
}

#[cfg(test)]
mod tests;
