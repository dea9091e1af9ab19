//! Events of one connection, handed to a closure.
//!
//! libvirt gives each callback back a pointer that it was registered with. Here it is only a
//! number, under which the closure is looked up: a callback that comes late finds none.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_longlong, c_uint, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failure::Failure;
use super::table::{
    Callback, CloseFunc, ConnectPtr, DomainPtr, NetworkPtr, Table, qemu_table, table,
};
use super::text;
use crate::event::{DomainChange, MigrationChange, NetworkChange, VmEvent, negotiated_by};

/// What a connection reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Something happened.
    Event(VmEvent),
    /// The daemon is no longer at the other end.
    Closed(&'static str),
}

/// What is reported. It is called on the event loop's thread, and must not call libvirt.
pub type Sink = Arc<dyn Fn(Received) + Send + Sync>;

// virDomainEventID
const LIFECYCLE: c_int = 0;
const REBOOT: c_int = 1;
const DEVICE_REMOVED: c_int = 15;
const AGENT_LIFECYCLE: c_int = 18;
const DEVICE_ADDED: c_int = 19;
const DEVICE_REMOVAL_FAILED: c_int = 22;
// virNetworkEventID
const NETWORK_LIFECYCLE: c_int = 0;

/// The closures by their numbers.
static SINKS: Mutex<(usize, BTreeMap<usize, Sink>)> = Mutex::new((0, BTreeMap::new()));

fn sinks() -> MutexGuard<'static, (usize, BTreeMap<usize, Sink>)> {
    SINKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The subscriptions of one connection, which end when this is dropped.
pub struct Subscriptions<'connection> {
    table: &'static Table,
    connection: ConnectPtr,
    number: usize,
    domain: Vec<c_int>,
    network: Option<c_int>,
    monitor: Vec<c_int>,
    close: bool,
    borrowed: PhantomData<&'connection ()>,
}

impl Subscriptions<'_> {
    /// Registers for everything. `connection` is open for as long as the answer lives.
    pub(super) fn new(
        table: &'static Table,
        connection: ConnectPtr,
        sink: Sink,
    ) -> Result<Self, Failure> {
        let number = {
            let mut sinks = sinks();
            sinks.0 += 1;
            let number = sinks.0;
            sinks.1.insert(number, sink);
            number
        };
        // From here on, dropping it takes back what was registered.
        let mut all = Subscriptions {
            table,
            connection,
            number,
            domain: Vec::new(),
            network: None,
            monitor: Vec::new(),
            close: false,
            borrowed: PhantomData,
        };
        let opaque = ptr::without_provenance_mut::<c_void>(number);
        for (event, callback) in domain_callbacks() {
            // SAFETY: the connection is open; each callback has the form that libvirt's
            // header gives for its event, and takes the pointer for a number only.
            let id = unsafe {
                (table.domain_events)(connection, ptr::null_mut(), event, callback, opaque, None)
            };
            if id < 0 {
                return Err(Failure::take(table));
            }
            all.domain.push(id);
        }
        // SAFETY: as above.
        let id = unsafe {
            let callback = std::mem::transmute::<NetworkFunc, Callback>(on_network);
            (table.network_events)(
                connection,
                ptr::null_mut(),
                NETWORK_LIFECYCLE,
                callback,
                opaque,
                None,
            )
        };
        if id < 0 {
            return Err(Failure::take(table));
        }
        all.network = Some(id);
        all.monitor = register_monitor(table, connection, opaque);
        // A driver without a daemon has no connection that could close.
        // SAFETY: the connection is open, and the callback takes the pointer for a number.
        all.close =
            unsafe { (table.on_close)(connection, on_close as CloseFunc, opaque, None) } == 0;
        if !all.close {
            drop(Failure::take(table));
        }
        Ok(all)
    }
}

impl Drop for Subscriptions<'_> {
    fn drop(&mut self) {
        sinks().1.remove(&self.number);
        // On a connection that died these fail on the wire, having done their part here.
        for &id in &self.domain {
            // SAFETY: the connection is open, and the number is one that it gave.
            unsafe { (self.table.no_domain_events)(self.connection, id) };
        }
        if let Some(id) = self.network {
            // SAFETY: as above.
            unsafe { (self.table.no_network_events)(self.connection, id) };
        }
        if let Ok(qemu) = qemu_table() {
            for &id in &self.monitor {
                // SAFETY: as above.
                unsafe { (qemu.no_monitor_events)(self.connection, id) };
            }
        }
        if self.close {
            // SAFETY: as above.
            unsafe { (self.table.not_on_close)(self.connection, on_close as CloseFunc) };
        }
        drop(Failure::take(self.table));
    }
}

/// Registers for QEMU's events about migration and failover. Without libvirt's library for QEMU they are
/// not received, and the others still are.
fn register_monitor(
    table: &'static Table,
    connection: ConnectPtr,
    opaque: *mut c_void,
) -> Vec<c_int> {
    let Ok(qemu) = qemu_table() else {
        return Vec::new();
    };
    let wanted: [(&CStr, MonitorFunc); 2] = [
        (c"MIGRATION", on_migration),
        (c"FAILOVER_NEGOTIATED", on_failover),
    ];
    let mut registered = Vec::new();
    for (name, function) in wanted {
        // SAFETY: the connection is open, the name is a C string, and the callback has the form that
        // libvirt's header gives and takes the pointer for a number only.
        let id = unsafe {
            let callback = std::mem::transmute::<MonitorFunc, Callback>(function);
            (qemu.monitor_events)(
                connection,
                ptr::null_mut(),
                name.as_ptr(),
                callback,
                opaque,
                None,
                0,
            )
        };
        match id {
            id if id < 0 => drop(Failure::take(table)),
            id => registered.push(id),
        }
    }
    registered
}

type LifecycleFunc =
    unsafe extern "C" fn(ConnectPtr, DomainPtr, c_int, c_int, *mut c_void) -> c_int;
type RebootFunc = unsafe extern "C" fn(ConnectPtr, DomainPtr, *mut c_void);
type AliasFunc = unsafe extern "C" fn(ConnectPtr, DomainPtr, *const c_char, *mut c_void);
type AgentFunc = unsafe extern "C" fn(ConnectPtr, DomainPtr, c_int, c_int, *mut c_void);
type MonitorFunc = unsafe extern "C" fn(
    ConnectPtr,
    DomainPtr,
    *const c_char,
    c_longlong,
    c_uint,
    *const c_char,
    *mut c_void,
);
type NetworkFunc = unsafe extern "C" fn(ConnectPtr, NetworkPtr, c_int, c_int, *mut c_void);

fn domain_callbacks() -> [(c_int, Callback); 6] {
    // SAFETY: a function pointer stays one; libvirt calls each with the arguments of its event.
    unsafe {
        [
            (
                LIFECYCLE,
                std::mem::transmute::<LifecycleFunc, Callback>(on_lifecycle),
            ),
            (
                REBOOT,
                std::mem::transmute::<RebootFunc, Callback>(on_reboot),
            ),
            (
                DEVICE_ADDED,
                std::mem::transmute::<AliasFunc, Callback>(on_added),
            ),
            (
                DEVICE_REMOVED,
                std::mem::transmute::<AliasFunc, Callback>(on_removed),
            ),
            (
                DEVICE_REMOVAL_FAILED,
                std::mem::transmute::<AliasFunc, Callback>(on_removal_failed),
            ),
            (
                AGENT_LIFECYCLE,
                std::mem::transmute::<AgentFunc, Callback>(on_agent),
            ),
        ]
    }
}

/// Calls the closure that `opaque` stands for.
fn deliver(opaque: *mut c_void, received: Received) {
    let sink = sinks().1.get(&opaque.addr()).cloned();
    if let Some(sink) = sink {
        sink(received);
    }
}

/// UUID and name of a domain that libvirt lends.
unsafe fn of_domain(domain: DomainPtr) -> Option<(String, String)> {
    let table = table().ok()?;
    let mut buffer = [0 as c_char; super::domain::UUID_LENGTH];
    // SAFETY: the domain is live during the callback, and the buffer is long enough; the
    // name belongs to it and is copied at once.
    unsafe {
        if (table.domain_uuid)(domain, buffer.as_mut_ptr()) != 0 {
            return None;
        }
        Some((
            text::lent(buffer.as_ptr())?,
            text::lent((table.domain_name)(domain)).unwrap_or_default(),
        ))
    }
}

unsafe extern "C" fn on_lifecycle(
    _: ConnectPtr,
    domain: DomainPtr,
    event: c_int,
    detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: libvirt lends the domain.
    if let Some((uuid, name)) = unsafe { of_domain(domain) } {
        let change = DomainChange::from_number(event, detail);
        deliver(
            opaque,
            Received::Event(VmEvent::Domain { uuid, name, change }),
        );
    }
    0
}

unsafe extern "C" fn on_reboot(_: ConnectPtr, domain: DomainPtr, opaque: *mut c_void) {
    // SAFETY: libvirt lends the domain.
    if let Some((uuid, _)) = unsafe { of_domain(domain) } {
        deliver(opaque, Received::Event(VmEvent::Rebooted { uuid }));
    }
}

/// Reports what `event` makes of the domain's UUID and the device's alias.
unsafe fn about_device(
    domain: DomainPtr,
    alias: *const c_char,
    opaque: *mut c_void,
    event: fn(String, String) -> VmEvent,
) {
    // SAFETY: libvirt lends both.
    let (about, alias) = unsafe { (of_domain(domain), text::lent(alias)) };
    if let (Some((uuid, _)), Some(alias)) = (about, alias) {
        deliver(opaque, Received::Event(event(uuid, alias)));
    }
}

unsafe extern "C" fn on_added(
    _: ConnectPtr,
    domain: DomainPtr,
    alias: *const c_char,
    opaque: *mut c_void,
) {
    let event = |uuid, alias| VmEvent::DeviceAdded { uuid, alias };
    // SAFETY: libvirt lends both.
    unsafe { about_device(domain, alias, opaque, event) }
}

unsafe extern "C" fn on_removed(
    _: ConnectPtr,
    domain: DomainPtr,
    alias: *const c_char,
    opaque: *mut c_void,
) {
    let event = |uuid, alias| VmEvent::DeviceRemoved { uuid, alias };
    // SAFETY: libvirt lends both.
    unsafe { about_device(domain, alias, opaque, event) }
}

unsafe extern "C" fn on_removal_failed(
    _: ConnectPtr,
    domain: DomainPtr,
    alias: *const c_char,
    opaque: *mut c_void,
) {
    let event = |uuid, alias| VmEvent::DeviceRemovalFailed { uuid, alias };
    // SAFETY: libvirt lends both.
    unsafe { about_device(domain, alias, opaque, event) }
}

unsafe extern "C" fn on_agent(
    _: ConnectPtr,
    domain: DomainPtr,
    state: c_int,
    _reason: c_int,
    opaque: *mut c_void,
) {
    // VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
    const CONNECTED: c_int = 1;
    // SAFETY: libvirt lends the domain.
    if let Some((uuid, _)) = unsafe { of_domain(domain) } {
        let connected = state == CONNECTED;
        deliver(opaque, Received::Event(VmEvent::Agent { uuid, connected }));
    }
}

unsafe extern "C" fn on_migration(
    _: ConnectPtr,
    domain: DomainPtr,
    _event: *const c_char,
    _seconds: c_longlong,
    _micros: c_uint,
    details: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain and the text, which may be none.
    let (about, details) = unsafe { (of_domain(domain), text::lent(details)) };
    if let Some((uuid, _)) = about {
        let change = MigrationChange::from_details(&details.unwrap_or_default());
        deliver(opaque, Received::Event(VmEvent::Migration { uuid, change }));
    }
}

unsafe extern "C" fn on_failover(
    _: ConnectPtr,
    domain: DomainPtr,
    _event: *const c_char,
    _seconds: c_longlong,
    _micros: c_uint,
    details: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain and the text, which may be none.
    let (about, details) = unsafe { (of_domain(domain), text::lent(details)) };
    if let Some((uuid, _)) = about {
        let alias = negotiated_by(&details.unwrap_or_default());
        deliver(
            opaque,
            Received::Event(VmEvent::FailoverNegotiated { uuid, alias }),
        );
    }
}

unsafe extern "C" fn on_network(
    _: ConnectPtr,
    network: NetworkPtr,
    event: c_int,
    _detail: c_int,
    opaque: *mut c_void,
) {
    let Ok(table) = table() else { return };
    let mut buffer = [0 as c_char; super::domain::UUID_LENGTH];
    // SAFETY: the network is live during the callback, and the buffer is long enough; the
    // name belongs to it and is copied at once.
    let (uuid, name) = unsafe {
        if (table.network_uuid)(network, buffer.as_mut_ptr()) != 0 {
            return;
        }
        (
            text::lent(buffer.as_ptr()),
            text::lent((table.network_name)(network)),
        )
    };
    if let (Some(uuid), Some(name)) = (uuid, name) {
        let change = NetworkChange::from_number(event);
        deliver(
            opaque,
            Received::Event(VmEvent::Network { uuid, name, change }),
        );
    }
}

unsafe extern "C" fn on_close(_: ConnectPtr, reason: c_int, opaque: *mut c_void) {
    // virConnectCloseReason
    let reason = match reason {
        1 => "the daemon closed the connection",
        2 => "the daemon did not answer keepalive messages",
        3 => "this program closed the connection",
        _ => "an error on the connection",
    };
    deliver(opaque, Received::Closed(reason));
}
