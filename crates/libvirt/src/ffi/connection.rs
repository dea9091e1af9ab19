//! An open connection to a libvirt daemon.

use std::ffi::{CString, c_int, c_ulong};
use std::ptr::{self, NonNull};

use super::domain::DomainHandle;
use super::failure::Failure;
use super::table::{ConnectPtr, DomainPtr, Table, table};
use crate::LibvirtError;

/// A read-only connection; closed when dropped.
pub struct Connection {
    table: &'static Table,
    raw: NonNull<std::ffi::c_void>,
}

impl Connection {
    /// Connects to `uri`, for as long as it takes.
    pub fn open_read_only(uri: &str) -> Result<Self, LibvirtError> {
        let table = table()?;
        let name = CString::new(uri).map_err(|error| LibvirtError::Failed {
            doing: "open a connection",
            words: error.to_string(),
        })?;
        // SAFETY: `name` is a C string that outlives the call.
        let raw = unsafe { (table.open_read_only)(name.as_ptr()) };
        match NonNull::new(raw) {
            Some(raw) => Ok(Connection { table, raw }),
            None => Err(Failure::take(table).connecting()),
        }
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

    /// Every domain, running or not.
    pub fn domains(&self) -> Result<Vec<DomainHandle>, Failure> {
        let mut list: *mut DomainPtr = ptr::null_mut();
        // SAFETY: the connection is open, and `list` outlives the call.
        let count = unsafe { (self.table.list_all_domains)(self.raw.as_ptr(), &mut list, 0) };
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

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is open, and nobody uses it after this. Domains hold
        // references of their own to what is below it.
        unsafe { (self.table.close)(self.raw.as_ptr()) };
    }
}
