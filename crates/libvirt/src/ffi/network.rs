//! A virtual network that libvirt listed, found or defined.

use std::ffi::{c_char, c_int};
use std::ptr::NonNull;

use super::domain::UUID_LENGTH;
use super::failure::Failure;
use super::table::{NetworkPtr, Table};
use super::text;

/// A reference to a network; given back when dropped.
pub struct NetworkHandle {
    table: &'static Table,
    raw: NonNull<std::ffi::c_void>,
}

impl NetworkHandle {
    /// Owns `raw`; none for a null pointer.
    ///
    /// # Safety
    /// `raw` is null or a network reference that no other caller gives back.
    pub(super) unsafe fn from_raw(table: &'static Table, raw: NetworkPtr) -> Option<Self> {
        NonNull::new(raw).map(|raw| NetworkHandle { table, raw })
    }

    /// Its name.
    pub fn name(&self) -> Result<String, Failure> {
        // SAFETY: the network is live; the name belongs to it and is copied at once.
        let name = unsafe { text::lent((self.table.network_name)(self.raw.as_ptr())) };
        name.ok_or_else(|| Failure::take(self.table))
    }

    /// Its UUID, with hyphens.
    pub fn uuid(&self) -> Result<String, Failure> {
        let mut buffer = [0 as c_char; UUID_LENGTH];
        // SAFETY: the network is live, and the buffer is as long as libvirt asks.
        self.number(unsafe { (self.table.network_uuid)(self.raw.as_ptr(), buffer.as_mut_ptr()) })?;
        // SAFETY: libvirt wrote a C string into the buffer.
        let uuid = unsafe { text::lent(buffer.as_ptr()) };
        uuid.ok_or_else(|| Failure::take(self.table))
    }

    /// Its XML: of an active one what runs.
    pub fn xml(&self) -> Result<String, Failure> {
        // SAFETY: the network is live; the text is from `malloc` and ours.
        let xml = unsafe { text::given((self.table.network_xml)(self.raw.as_ptr(), 0)) };
        xml.ok_or_else(|| Failure::take(self.table))
    }

    /// Whether it runs.
    pub fn is_active(&self) -> Result<bool, Failure> {
        self.act(self.table.network_is_active)
            .map(|answer| answer == 1)
    }

    /// Whether its definition survives a stop.
    pub fn is_persistent(&self) -> Result<bool, Failure> {
        self.act(self.table.network_is_persistent)
            .map(|answer| answer == 1)
    }

    /// Sets whether it starts with libvirt.
    pub fn set_autostart(&self, on: bool) -> Result<(), Failure> {
        // SAFETY: the network is live.
        self.number(unsafe { (self.table.network_set_autostart)(self.raw.as_ptr(), on.into()) })
            .map(drop)
    }

    /// Starts it.
    pub fn create(&self) -> Result<(), Failure> {
        self.act(self.table.network_create).map(drop)
    }

    /// Stops it.
    pub fn destroy(&self) -> Result<(), Failure> {
        self.act(self.table.network_destroy).map(drop)
    }

    /// Removes its definition.
    pub fn undefine(&self) -> Result<(), Failure> {
        self.act(self.table.network_undefine).map(drop)
    }

    fn act(&self, act: unsafe extern "C" fn(NetworkPtr) -> c_int) -> Result<c_int, Failure> {
        // SAFETY: the network is live.
        self.number(unsafe { act(self.raw.as_ptr()) })
    }

    fn number(&self, answer: c_int) -> Result<c_int, Failure> {
        match answer {
            0.. => Ok(answer),
            _ => Err(Failure::take(self.table)),
        }
    }
}

impl Drop for NetworkHandle {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and is not used after this.
        unsafe { (self.table.network_free)(self.raw.as_ptr()) };
    }
}
