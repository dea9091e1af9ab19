//! An open connection to a libvirt daemon.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_uint, c_ulong};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use super::domain::DomainHandle;
use super::events::Subscriptions;
use super::failure::Failure;
use super::network::NetworkHandle;
use super::table::{ConnectPtr, DomainPtr, NetworkPtr, Table, table};
use super::{event_loop, text};
use crate::LibvirtError;

/// Seconds between two questions whether the daemon is there.
const KEEP_ALIVE_S: c_int = 60;
/// How many may stay without an answer.
const KEEP_ALIVE_MISSES: c_uint = 2;

/// Which domains are listed: one question for all costs less than one for each.
#[derive(Debug, Clone, Copy)]
pub enum WhichDomains {
    /// All of them.
    All,
    /// Those whose definition survives a stop.
    Persistent,
    /// Those that do not run.
    ShutOff,
}

/// Which virtual networks are listed.
#[derive(Debug, Clone, Copy)]
pub enum WhichNetworks {
    /// All of them.
    All,
    /// Those that run.
    Active,
    /// Those whose definition survives a stop.
    Persistent,
    /// Those that start with libvirt.
    Autostarted,
}

/// A connection; closed when dropped.
pub struct Connection {
    table: &'static Table,
    raw: NonNull<std::ffi::c_void>,
    /// Domains that were found, by UUID, which is what the daemon knows them by. One that is gone
    /// reports it when it is asked.
    found: RefCell<HashMap<String, Rc<DomainHandle>>>,
}

impl Connection {
    /// Connects to `uri`, for as long as it takes.
    pub fn open_read_only(uri: &str) -> Result<Self, LibvirtError> {
        let table = table()?;
        Connection::open_with(table, table.open_read_only, uri)
    }

    /// Connects to `uri` to change things, for as long as it takes. Events are dispatched,
    /// and a daemon that answers nothing for three minutes ends the connection.
    pub fn open(uri: &str) -> Result<Self, LibvirtError> {
        let table = table()?;
        event_loop::run(table)?;
        let connection = Connection::open_with(table, table.open, uri)?;
        // Not every driver has it; then there is no wire that could break either.
        // SAFETY: the connection is open.
        if unsafe {
            (table.set_keep_alive)(connection.raw.as_ptr(), KEEP_ALIVE_S, KEEP_ALIVE_MISSES)
        } < 0
        {
            drop(Failure::take(table));
        }
        Ok(connection)
    }

    fn open_with(
        table: &'static Table,
        open: unsafe extern "C" fn(*const c_char) -> ConnectPtr,
        uri: &str,
    ) -> Result<Self, LibvirtError> {
        let name =
            text::for_c(uri).map_err(|error| Failure::from(error).doing("open a connection"))?;
        // SAFETY: `name` is a C string that outlives the call.
        let raw = unsafe { open(name.as_ptr()) };
        match NonNull::new(raw) {
            Some(raw) => Ok(Connection {
                table,
                raw,
                found: RefCell::default(),
            }),
            None => Err(Failure::take(table).connecting()),
        }
    }

    /// Whether the daemon is still at the other end, as far as is known without asking it.
    pub fn is_alive(&self) -> bool {
        // SAFETY: the connection is open.
        let alive = unsafe { (self.table.is_alive)(self.raw.as_ptr()) };
        if alive < 0 {
            drop(Failure::take(self.table));
        }
        alive == 1
    }

    /// Sends events to `sink` until the answer is dropped.
    pub fn subscribe(&self, sink: super::events::Sink) -> Result<Subscriptions<'_>, Failure> {
        Subscriptions::new(self.table, self.raw.as_ptr(), sink)
    }

    /// The daemon's version, in libvirt's form of one number.
    pub fn library_version(&self) -> Result<u64, Failure> {
        self.number(self.table.library_version)
    }

    /// The hypervisor's version, in libvirt's form of one number.
    pub fn hypervisor_version(&self) -> Result<u64, Failure> {
        self.number(self.table.hypervisor_version)
    }

    fn number(
        &self,
        ask: unsafe extern "C" fn(ConnectPtr, *mut c_ulong) -> c_int,
    ) -> Result<u64, Failure> {
        let mut number: c_ulong = 0;
        // SAFETY: the connection is open, and `number` outlives the call.
        match unsafe { ask(self.raw.as_ptr(), &mut number) } {
            0 => Ok(number),
            _ => Err(Failure::take(self.table)),
        }
    }

    /// Every domain that is so.
    pub fn domains(&self, which: WhichDomains) -> Result<Vec<DomainHandle>, Failure> {
        // virConnectListAllDomainsFlags
        let flags = match which {
            WhichDomains::All => 0,
            WhichDomains::Persistent => 1 << 2,
            WhichDomains::ShutOff => 1 << 6,
        };
        let mut list: *mut DomainPtr = ptr::null_mut();
        // SAFETY: the connection is open, and `list` outlives the call.
        let count = unsafe { (self.table.list_all_domains)(self.raw.as_ptr(), &mut list, flags) };
        let Ok(count) = usize::try_from(count) else {
            return Err(Failure::take(self.table));
        };
        let domains = (0..count)
            // SAFETY: libvirt filled `count` elements of `list`, each a reference that is ours.
            .filter_map(|place| unsafe { DomainHandle::from_raw(self.table, *list.add(place)) })
            .collect();
        // SAFETY: the array came from `malloc` (or is null), and its elements have been taken.
        unsafe { libc::free(list.cast()) };
        Ok(domains)
    }
}

impl Connection {
    /// The domain with that UUID; one that was found before is not looked up again.
    pub fn domain(&self, uuid: &str) -> Result<Rc<DomainHandle>, Failure> {
        if let Some(found) = self.found.borrow().get(uuid) {
            return Ok(Rc::clone(found));
        }
        let name = text::for_c(uuid)?;
        // SAFETY: the connection is open, `name` outlives the call, the reference is ours.
        let domain = unsafe {
            let raw = (self.table.domain_by_uuid)(self.raw.as_ptr(), name.as_ptr());
            DomainHandle::from_raw(self.table, raw)
        };
        let domain = Rc::new(domain.ok_or_else(|| Failure::take(self.table))?);
        let mut found = self.found.borrow_mut();
        found.insert(uuid.to_owned(), Rc::clone(&domain));
        Ok(domain)
    }

    /// Every domain, with its UUID. None that is gone is kept.
    pub fn all_domains(&self) -> Result<Vec<(String, Rc<DomainHandle>)>, Failure> {
        let mut all = Vec::new();
        for domain in self.domains(WhichDomains::All)? {
            all.push((domain.uuid()?, Rc::new(domain)));
        }
        self.found.replace(all.iter().cloned().collect());
        Ok(all)
    }

    /// Defines a domain.
    pub fn define(&self, xml: &str) -> Result<(), Failure> {
        let xml = text::for_c(xml)?;
        // SAFETY: the connection is open, `xml` outlives the call, the reference is ours.
        let domain = unsafe {
            let raw = (self.table.domain_define)(self.raw.as_ptr(), xml.as_ptr());
            DomainHandle::from_raw(self.table, raw)
        };
        domain.map(drop).ok_or_else(|| Failure::take(self.table))
    }

    /// Every virtual network that is so.
    pub fn networks(&self, which: WhichNetworks) -> Result<Vec<NetworkHandle>, Failure> {
        // virConnectListAllNetworksFlags
        let flags = match which {
            WhichNetworks::All => 0,
            WhichNetworks::Active => 1 << 1,
            WhichNetworks::Persistent => 1 << 2,
            WhichNetworks::Autostarted => 1 << 4,
        };
        let mut list: *mut NetworkPtr = ptr::null_mut();
        // SAFETY: the connection is open, and `list` outlives the call.
        let count = unsafe { (self.table.list_all_networks)(self.raw.as_ptr(), &mut list, flags) };
        let Ok(count) = usize::try_from(count) else {
            return Err(Failure::take(self.table));
        };
        let networks = (0..count)
            // SAFETY: libvirt filled `count` elements of `list`, each a reference that is ours.
            .filter_map(|place| unsafe { NetworkHandle::from_raw(self.table, *list.add(place)) })
            .collect();
        // SAFETY: the array came from `malloc` (or is null), and its elements have been taken.
        unsafe { libc::free(list.cast()) };
        Ok(networks)
    }

    /// The virtual network of that name.
    pub fn network(&self, name: &str) -> Result<NetworkHandle, Failure> {
        let name = text::for_c(name)?;
        // SAFETY: the connection is open, `name` outlives the call, the reference is ours.
        let network = unsafe {
            let raw = (self.table.network_by_name)(self.raw.as_ptr(), name.as_ptr());
            NetworkHandle::from_raw(self.table, raw)
        };
        network.ok_or_else(|| Failure::take(self.table))
    }

    /// Defines a virtual network.
    pub fn define_network(&self, xml: &str) -> Result<NetworkHandle, Failure> {
        let xml = text::for_c(xml)?;
        // SAFETY: the connection is open, `xml` outlives the call, the reference is ours.
        let network = unsafe {
            let raw = (self.table.network_define)(self.raw.as_ptr(), xml.as_ptr());
            NetworkHandle::from_raw(self.table, raw)
        };
        network.ok_or_else(|| Failure::take(self.table))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Each holds a reference of its own to what is below the connection.
        self.found.take();
        // SAFETY: the connection is open, and nobody uses it after this.
        unsafe { (self.table.close)(self.raw.as_ptr()) };
    }
}
