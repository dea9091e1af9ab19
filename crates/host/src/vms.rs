//! VMs and virtual networks, changed through libvirt.

use std::time::Duration;

use accelnet_libvirt::{Control, Domains, LibvirtError, Reading};
use accelnet_model::platform::Version;

use crate::hypervisor::{DomainsAnswer, Hypervisor, LocalHypervisor};

pub use accelnet_libvirt::{
    DomainChange, GuestAnswer, MigrationChange, NetworkChange, SavedState, Side, VirtualNetwork,
    VmEvent, WatchHandle,
};

/// Changes VMs. Every call is safe to repeat and ends within a deadline.
///
/// A device is named by its XML. One that is there is known by its alias where that is a
/// user's (`ua-...`), else by its host's PCI function, else by its MAC and part in a teaming
/// pair.
pub trait Vms: Send + Sync {
    /// The XML of a domain: what runs, or its definition with everything that is secret, so
    /// that defining it again loses nothing.
    ///
    /// # Errors
    ///
    /// [`LibvirtError::DomainNotRunning`] where `side` is live and it does not run;
    /// [`LibvirtError::NoDomain`]; others as libvirt reports.
    fn xml(&self, uuid: &str, side: Side) -> Result<String, LibvirtError>;

    /// The XML of a domain that runs as it would start elsewhere: its vNICs are as they were asked
    /// for, where what runs shows how libvirt connected them.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn migratable_xml(&self, uuid: &str) -> Result<String, LibvirtError>;

    /// Defines a domain, or restores its definition exactly.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn define(&self, xml: &str) -> Result<(), LibvirtError>;

    /// Adds a device; one that is there already is left as it is.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn attach(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError>;

    /// Takes a device away; one that is not there is no error. From a running domain, waits
    /// until the guest gave it up, for no longer than `within`.
    ///
    /// # Errors
    ///
    /// [`LibvirtError::NotGivenUp`] when the guest did not; others as libvirt reports.
    fn detach(
        &self,
        uuid: &str,
        device: &str,
        side: Side,
        within: Duration,
    ) -> Result<(), LibvirtError>;

    /// Changes a device to its XML.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn update(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError>;

    /// Starts a domain; one that runs is left as it is.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn start(&self, uuid: &str) -> Result<(), LibvirtError>;

    /// The virtual networks, by name.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn networks(&self) -> Result<Vec<VirtualNetwork>, LibvirtError>;

    /// The XML of a virtual network: of an active one what runs.
    ///
    /// # Errors
    ///
    /// [`LibvirtError::NoNetwork`]; others as libvirt reports.
    fn network_xml(&self, name: &str) -> Result<String, LibvirtError>;

    /// Defines a network, or changes its definition, and sets whether it starts with libvirt.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn define_network(&self, xml: &str, autostart: bool) -> Result<(), LibvirtError>;

    /// Starts a network; one that runs is left as it is.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn start_network(&self, name: &str) -> Result<(), LibvirtError>;

    /// Stops a network; one that does not run or exist is no error.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn stop_network(&self, name: &str) -> Result<(), LibvirtError>;

    /// Removes the definition of a network; one that does not exist is no error.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn remove_network(&self, name: &str) -> Result<(), LibvirtError>;

    /// Asks the guest agent of a running domain a command, as JSON. The agent is given `within`
    /// to answer, in whole seconds; the answer is waited for by who wants it.
    fn ask_guest(&self, uuid: &str, command: &str, within: Duration) -> GuestAnswer;

    /// What is saved of a domain.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn saved_state(&self, uuid: &str) -> Result<SavedState, LibvirtError>;

    /// Whether libvirt is at work on a running domain as a whole: a live migration to elsewhere, a
    /// saved image. Until it is done, what the domain has of the node is libvirt's affair.
    ///
    /// # Errors
    ///
    /// The error of libvirt.
    fn is_busy(&self, uuid: &str) -> Result<bool, LibvirtError>;

    /// Hands events to `on`, from a thread of its own, until the handle is stopped or
    /// dropped. When libvirt restarts it goes on by itself, and reports the restart.
    ///
    /// # Errors
    ///
    /// libvirt is not there or does not answer.
    fn watch(&self, on: Box<dyn Fn(VmEvent) + Send>) -> Result<WatchHandle, LibvirtError>;
}

/// The VMs of this machine's libvirt: one connection, opened by the first call and again when
/// it died.
pub struct LibvirtVms {
    control: Control,
}

impl LibvirtVms {
    /// Of this machine. Nothing is opened yet.
    pub fn new() -> Self {
        LibvirtVms::at(accelnet_libvirt::SYSTEM, Duration::from_secs(60))
    }

    /// Of the daemon at `uri`; a call waits for it no longer than `deadline`.
    pub fn at(uri: &str, deadline: Duration) -> Self {
        LibvirtVms {
            control: Control::new(uri, deadline),
        }
    }
}

impl Default for LibvirtVms {
    fn default() -> Self {
        LibvirtVms::new()
    }
}

impl Vms for LibvirtVms {
    fn xml(&self, uuid: &str, side: Side) -> Result<String, LibvirtError> {
        self.control.xml(uuid, side)
    }

    fn migratable_xml(&self, uuid: &str) -> Result<String, LibvirtError> {
        self.control.migratable_xml(uuid)
    }

    fn define(&self, xml: &str) -> Result<(), LibvirtError> {
        self.control.define(xml)
    }

    fn attach(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError> {
        self.control.attach(uuid, device, side)
    }

    fn detach(
        &self,
        uuid: &str,
        device: &str,
        side: Side,
        within: Duration,
    ) -> Result<(), LibvirtError> {
        self.control.detach(uuid, device, side, within)
    }

    fn update(&self, uuid: &str, device: &str, side: Side) -> Result<(), LibvirtError> {
        self.control.update(uuid, device, side)
    }

    fn start(&self, uuid: &str) -> Result<(), LibvirtError> {
        self.control.start(uuid)
    }

    fn networks(&self) -> Result<Vec<VirtualNetwork>, LibvirtError> {
        self.control.networks()
    }

    fn network_xml(&self, name: &str) -> Result<String, LibvirtError> {
        self.control.network_xml(name)
    }

    fn define_network(&self, xml: &str, autostart: bool) -> Result<(), LibvirtError> {
        self.control.define_network(xml, autostart)
    }

    fn start_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.control.start_network(name)
    }

    fn stop_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.control.stop_network(name)
    }

    fn remove_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.control.remove_network(name)
    }

    fn ask_guest(&self, uuid: &str, command: &str, within: Duration) -> GuestAnswer {
        self.control.ask_guest(uuid, command, within)
    }

    fn saved_state(&self, uuid: &str) -> Result<SavedState, LibvirtError> {
        self.control.saved_state(uuid)
    }

    fn is_busy(&self, uuid: &str) -> Result<bool, LibvirtError> {
        self.control.is_busy(uuid)
    }

    fn watch(&self, on: Box<dyn Fn(VmEvent) + Send>) -> Result<WatchHandle, LibvirtError> {
        self.control.watch(on)
    }
}

/// The same connection lists the VMs.
impl Hypervisor for LibvirtVms {
    fn read_domains(&self, within: Duration) -> Result<Reading, LibvirtError> {
        self.control.read(within)
    }

    fn domains(&self, of: Option<&[String]>, within: Duration) -> Result<Domains, LibvirtError> {
        self.control.ask_domains(of, within)()
    }

    fn ask(&self, of: Option<&[String]>, within: Duration) -> DomainsAnswer {
        Box::new(self.control.ask_domains(of, within))
    }

    fn qemu_version(&self) -> Result<Option<Version>, String> {
        LocalHypervisor.qemu_version()
    }
}
