//! A domain that libvirt listed.

use std::ffi::c_char;
use std::ptr::NonNull;

use super::failure::Failure;
use super::table::{DomainPtr, RawInfo, Table};
use super::text;

/// `VIR_UUID_STRING_BUFLEN`: 36 characters and the end.
const UUID_LENGTH: usize = 37;

/// A reference to a domain; given back when dropped.
pub struct DomainHandle {
    table: &'static Table,
    raw: NonNull<std::ffi::c_void>,
}

/// What `virDomainGetInfo` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// `virDomainState`.
    pub state: u8,
    /// Memory the domain may have at most, in KiB.
    pub max_memory_kib: u64,
    /// vCPUs.
    pub vcpus: u16,
}

impl DomainHandle {
    /// Owns `raw`; none for a null pointer.
    ///
    /// # Safety
    /// `raw` is null or a domain reference that nobody else gives back.
    pub(super) unsafe fn from_raw(table: &'static Table, raw: DomainPtr) -> Option<Self> {
        NonNull::new(raw).map(|raw| DomainHandle { table, raw })
    }

    /// Its name.
    pub fn name(&self) -> Result<String, Failure> {
        // SAFETY: the domain is live; the name belongs to it and is copied at once.
        let name = unsafe { text::lent((self.table.domain_name)(self.raw.as_ptr())) };
        name.ok_or_else(|| Failure::take(self.table))
    }

    /// Its UUID, with hyphens.
    pub fn uuid(&self) -> Result<String, Failure> {
        let mut buffer = [0 as c_char; UUID_LENGTH];
        // SAFETY: the domain is live, and the buffer is as long as libvirt asks.
        match unsafe { (self.table.domain_uuid)(self.raw.as_ptr(), buffer.as_mut_ptr()) } {
            // SAFETY: libvirt wrote a C string into the buffer.
            0 => unsafe { text::lent(buffer.as_ptr()) }.ok_or_else(|| Failure::take(self.table)),
            _ => Err(Failure::take(self.table)),
        }
    }

    /// State and size.
    pub fn info(&self) -> Result<Info, Failure> {
        let mut raw = RawInfo::default();
        // SAFETY: the domain is live, and `raw` outlives the call.
        match unsafe { (self.table.domain_info)(self.raw.as_ptr(), &mut raw) } {
            0 => Ok(Info {
                state: raw.state,
                max_memory_kib: raw.max_memory_kib,
                vcpus: raw.vcpus,
            }),
            _ => Err(Failure::take(self.table)),
        }
    }

    /// Whether its definition survives a stop.
    pub fn is_persistent(&self) -> Result<bool, Failure> {
        // SAFETY: the domain is live.
        match unsafe { (self.table.domain_is_persistent)(self.raw.as_ptr()) } {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Failure::take(self.table)),
        }
    }

    /// Its definition: the live one of a running domain.
    pub fn xml(&self) -> Result<String, Failure> {
        // SAFETY: the domain is live; the text is from `malloc` and ours.
        let xml = unsafe { text::given((self.table.domain_xml)(self.raw.as_ptr(), 0)) };
        xml.ok_or_else(|| Failure::take(self.table))
    }
}

impl Drop for DomainHandle {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and is not used after this.
        unsafe { (self.table.domain_free)(self.raw.as_ptr()) };
    }
}
