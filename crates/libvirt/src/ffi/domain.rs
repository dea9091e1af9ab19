//! A domain that libvirt listed.

use std::ffi::{c_char, c_int, c_uint};
use std::ptr::NonNull;

use super::failure::Failure;
use super::table::{AskAgent, DomainPtr, RawInfo, RawJob, Table};
use super::text;
use crate::Side;

/// `VIR_UUID_STRING_BUFLEN`: 36 characters and the end.
pub(super) const UUID_LENGTH: usize = 37;

/// A reference to a domain; given back when dropped.
pub struct DomainHandle {
    table: &'static Table,
    raw: NonNull<std::ffi::c_void>,
}

/// The result of `virDomainGetInfo`.
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
    /// `raw` is null or a domain reference that no other caller gives back.
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
        self.xml_with(0)
    }

    /// What it starts with next time, with its secrets.
    pub fn config_xml(&self) -> Result<String, Failure> {
        const SECURE: c_uint = 1;
        const INACTIVE: c_uint = 2;
        self.xml_with(SECURE | INACTIVE)
    }

    /// What runs as it would start elsewhere, with its secrets.
    pub fn migratable_xml(&self) -> Result<String, Failure> {
        const SECURE: c_uint = 1;
        const MIGRATABLE: c_uint = 8;
        self.xml_with(SECURE | MIGRATABLE)
    }

    fn xml_with(&self, flags: c_uint) -> Result<String, Failure> {
        // SAFETY: the domain is live; the text is from `malloc` and ours.
        let xml = unsafe { text::given((self.table.domain_xml)(self.raw.as_ptr(), flags)) };
        xml.ok_or_else(|| Failure::take(self.table))
    }

    /// Whether it runs.
    pub fn is_active(&self) -> Result<bool, Failure> {
        // SAFETY: the domain is live.
        self.count(unsafe { (self.table.domain_is_active)(self.raw.as_ptr()) })
            .map(|active| active == 1)
    }

    /// Whether a job is under way with it, such as a migration.
    pub fn has_job(&self) -> Result<bool, Failure> {
        let mut raw = RawJob::default();
        // SAFETY: the domain is live, and `raw` outlives the call.
        self.count(unsafe { (self.table.domain_job)(self.raw.as_ptr(), &mut raw) })
            .map(|_| raw.kind != 0)
    }

    /// Starts it.
    pub fn create(&self) -> Result<(), Failure> {
        // SAFETY: the domain is live.
        self.count(unsafe { (self.table.domain_create)(self.raw.as_ptr()) })
            .map(drop)
    }

    /// Whether it would start from a saved image.
    pub fn has_managed_save(&self) -> Result<bool, Failure> {
        // SAFETY: the domain is live.
        self.count(unsafe { (self.table.domain_has_managed_save)(self.raw.as_ptr(), 0) })
            .map(|has| has == 1)
    }

    /// Number of its snapshots.
    pub fn snapshots(&self) -> Result<u32, Failure> {
        // SAFETY: the domain is live.
        self.count(unsafe { (self.table.domain_count_snapshots)(self.raw.as_ptr(), 0) })
    }

    /// Adds a device.
    pub fn attach(&self, device: &str, side: Side) -> Result<(), Failure> {
        self.on_device(self.table.device_attach, device, side)
    }

    /// Takes a device away. Of a running domain this only asks the guest; libvirt waits a
    /// few seconds for it.
    pub fn detach(&self, device: &str, side: Side) -> Result<(), Failure> {
        self.on_device(self.table.device_detach, device, side)
    }

    /// Changes a device.
    pub fn update(&self, device: &str, side: Side) -> Result<(), Failure> {
        self.on_device(self.table.device_update, device, side)
    }

    fn on_device(
        &self,
        act: unsafe extern "C" fn(DomainPtr, *const c_char, c_uint) -> c_int,
        device: &str,
        side: Side,
    ) -> Result<(), Failure> {
        let device = text::for_c(device)?;
        // virDomainModificationImpact
        let impact = match side {
            Side::Live => 1,
            Side::Config => 2,
        };
        // SAFETY: the domain is live, and `device` outlives the call.
        self.count(unsafe { act(self.raw.as_ptr(), device.as_ptr(), impact) })
            .map(drop)
    }

    /// Asks its guest agent, and waits for it no longer than `seconds`.
    pub fn ask_agent(&self, ask: AskAgent, command: &str, seconds: i32) -> Result<String, Failure> {
        let command = text::for_c(command)?;
        // SAFETY: the domain is live, `command` outlives the call; the answer is from
        // `malloc` and ours.
        let answer = unsafe { text::given(ask(self.raw.as_ptr(), command.as_ptr(), seconds, 0)) };
        answer.ok_or_else(|| Failure::take(self.table))
    }

    /// What a call answered that answers a number, or -1.
    fn count(&self, answer: c_int) -> Result<u32, Failure> {
        u32::try_from(answer).map_err(|_| Failure::take(self.table))
    }
}

impl Drop for DomainHandle {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and is not used after this.
        unsafe { (self.table.domain_free)(self.raw.as_ptr()) };
    }
}
