//! The C functions used, looked up once in `libvirt.so.0` and kept for the process.

use std::error::Error;
use std::ffi::{c_char, c_int, c_uchar, c_uint, c_ulong, c_ulonglong, c_ushort, c_void};
use std::ptr;
use std::sync::OnceLock;

use libloading::Library;

use crate::LibvirtError;

/// The name that every libvirt since 0.0.1 has had.
const LIBRARY: &str = "libvirt.so.0";

/// A `virConnectPtr`.
pub type ConnectPtr = *mut c_void;
/// A `virDomainPtr`.
pub type DomainPtr = *mut c_void;
/// A `virNetworkPtr`.
pub type NetworkPtr = *mut c_void;

/// A callback for events, in the form that libvirt takes every kind of them in.
pub type Callback = unsafe extern "C" fn();
/// `virFreeCallback`.
pub type FreeCallback = unsafe extern "C" fn(*mut c_void);
/// `virConnectCloseFunc`.
pub type CloseFunc = unsafe extern "C" fn(ConnectPtr, c_int, *mut c_void);
/// Something done with a domain.
type OnDomain = unsafe extern "C" fn(DomainPtr) -> c_int;
/// Something done with a domain and flags.
type OnDomainWithFlags = unsafe extern "C" fn(DomainPtr, c_uint) -> c_int;
/// Something done with a device of a domain.
type OnDevice = unsafe extern "C" fn(DomainPtr, *const c_char, c_uint) -> c_int;
/// Something done with a network.
type OnNetwork = unsafe extern "C" fn(NetworkPtr) -> c_int;

/// `struct _virError` (libvirt/virterror.h), as far as it is read.
#[repr(C)]
pub struct RawError {
    pub code: c_int,
    pub from: c_int,
    pub message: *mut c_char,
    pub level: c_int,
    pub connection: *mut c_void,
    pub domain: *mut c_void,
    pub texts: [*mut c_char; 3],
    pub int1: c_int,
    pub int2: c_int,
}

/// `struct _virDomainInfo` (libvirt/libvirt-domain.h).
#[repr(C)]
#[derive(Default)]
pub struct RawInfo {
    pub state: c_uchar,
    pub max_memory_kib: c_ulong,
    pub memory_kib: c_ulong,
    pub vcpus: c_ushort,
    pub cpu_time_ns: c_ulonglong,
}

/// `struct _virDomainJobInfo` (libvirt/libvirt-domain.h).
#[repr(C)]
#[derive(Default)]
pub struct RawJob {
    /// `virDomainJobType`; 0 when there is none.
    pub kind: c_int,
    /// Times, and bytes of data, memory and files: in all, done, and left.
    pub figures: [c_ulonglong; 11],
}

/// `virErrorFunc`.
pub type ErrorFunc = unsafe extern "C" fn(*mut c_void, *mut RawError);

macro_rules! table {
    ($($field:ident = $symbol:literal: $signature:ty;)*) => {
        /// libvirt's functions.
        pub struct Table {
            $(pub $field: $signature,)*
        }

        impl Table {
            /// # Safety
            /// `library` is libvirt and stays loaded for as long as the table is used.
            unsafe fn look_up(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Table {
                    // SAFETY: each signature is the one in libvirt's public headers.
                    $($field: *unsafe { library.get::<$signature>($symbol) }?,)*
                })
            }
        }
    };
}

table! {
    initialize = c"virInitialize": unsafe extern "C" fn() -> c_int;
    set_error_func = c"virSetErrorFunc": unsafe extern "C" fn(*mut c_void, Option<ErrorFunc>);
    last_error = c"virGetLastError": unsafe extern "C" fn() -> *mut RawError;
    reset_last_error = c"virResetLastError": unsafe extern "C" fn();
    open_read_only = c"virConnectOpenReadOnly": unsafe extern "C" fn(*const c_char) -> ConnectPtr;
    close = c"virConnectClose": unsafe extern "C" fn(ConnectPtr) -> c_int;
    library_version = c"virConnectGetLibVersion":
        unsafe extern "C" fn(ConnectPtr, *mut c_ulong) -> c_int;
    hypervisor_version = c"virConnectGetVersion":
        unsafe extern "C" fn(ConnectPtr, *mut c_ulong) -> c_int;
    list_all_domains = c"virConnectListAllDomains":
        unsafe extern "C" fn(ConnectPtr, *mut *mut DomainPtr, c_uint) -> c_int;
    domain_name = c"virDomainGetName": unsafe extern "C" fn(DomainPtr) -> *const c_char;
    domain_uuid = c"virDomainGetUUIDString":
        unsafe extern "C" fn(DomainPtr, *mut c_char) -> c_int;
    domain_info = c"virDomainGetInfo": unsafe extern "C" fn(DomainPtr, *mut RawInfo) -> c_int;
    domain_is_persistent = c"virDomainIsPersistent": unsafe extern "C" fn(DomainPtr) -> c_int;
    domain_xml = c"virDomainGetXMLDesc":
        unsafe extern "C" fn(DomainPtr, c_uint) -> *mut c_char;
    domain_free = c"virDomainFree": OnDomain;
    open = c"virConnectOpen": unsafe extern "C" fn(*const c_char) -> ConnectPtr;
    is_alive = c"virConnectIsAlive": unsafe extern "C" fn(ConnectPtr) -> c_int;
    set_keep_alive = c"virConnectSetKeepAlive":
        unsafe extern "C" fn(ConnectPtr, c_int, c_uint) -> c_int;
    domain_by_uuid = c"virDomainLookupByUUIDString":
        unsafe extern "C" fn(ConnectPtr, *const c_char) -> DomainPtr;
    domain_define = c"virDomainDefineXML":
        unsafe extern "C" fn(ConnectPtr, *const c_char) -> DomainPtr;
    domain_is_active = c"virDomainIsActive": OnDomain;
    domain_job = c"virDomainGetJobInfo": unsafe extern "C" fn(DomainPtr, *mut RawJob) -> c_int;
    domain_create = c"virDomainCreate": OnDomain;
    domain_has_managed_save = c"virDomainHasManagedSaveImage": OnDomainWithFlags;
    domain_count_snapshots = c"virDomainSnapshotNum": OnDomainWithFlags;
    device_attach = c"virDomainAttachDeviceFlags": OnDevice;
    device_detach = c"virDomainDetachDeviceFlags": OnDevice;
    device_update = c"virDomainUpdateDeviceFlags": OnDevice;
    list_all_networks = c"virConnectListAllNetworks":
        unsafe extern "C" fn(ConnectPtr, *mut *mut NetworkPtr, c_uint) -> c_int;
    network_by_name = c"virNetworkLookupByName":
        unsafe extern "C" fn(ConnectPtr, *const c_char) -> NetworkPtr;
    network_define = c"virNetworkDefineXML":
        unsafe extern "C" fn(ConnectPtr, *const c_char) -> NetworkPtr;
    network_name = c"virNetworkGetName": unsafe extern "C" fn(NetworkPtr) -> *const c_char;
    network_uuid = c"virNetworkGetUUIDString":
        unsafe extern "C" fn(NetworkPtr, *mut c_char) -> c_int;
    network_xml = c"virNetworkGetXMLDesc":
        unsafe extern "C" fn(NetworkPtr, c_uint) -> *mut c_char;
    network_is_active = c"virNetworkIsActive": OnNetwork;
    network_is_persistent = c"virNetworkIsPersistent": OnNetwork;
    network_set_autostart = c"virNetworkSetAutostart":
        unsafe extern "C" fn(NetworkPtr, c_int) -> c_int;
    network_create = c"virNetworkCreate": OnNetwork;
    network_destroy = c"virNetworkDestroy": OnNetwork;
    network_undefine = c"virNetworkUndefine": OnNetwork;
    network_free = c"virNetworkFree": OnNetwork;
    event_register_default = c"virEventRegisterDefaultImpl": unsafe extern "C" fn() -> c_int;
    event_run_default = c"virEventRunDefaultImpl": unsafe extern "C" fn() -> c_int;
    domain_events = c"virConnectDomainEventRegisterAny": unsafe extern "C" fn(
        ConnectPtr, DomainPtr, c_int, Callback, *mut c_void, Option<FreeCallback>,
    ) -> c_int;
    no_domain_events = c"virConnectDomainEventDeregisterAny":
        unsafe extern "C" fn(ConnectPtr, c_int) -> c_int;
    network_events = c"virConnectNetworkEventRegisterAny": unsafe extern "C" fn(
        ConnectPtr, NetworkPtr, c_int, Callback, *mut c_void, Option<FreeCallback>,
    ) -> c_int;
    no_network_events = c"virConnectNetworkEventDeregisterAny":
        unsafe extern "C" fn(ConnectPtr, c_int) -> c_int;
    on_close = c"virConnectRegisterCloseCallback": unsafe extern "C" fn(
        ConnectPtr, CloseFunc, *mut c_void, Option<FreeCallback>,
    ) -> c_int;
    not_on_close = c"virConnectUnregisterCloseCallback":
        unsafe extern "C" fn(ConnectPtr, CloseFunc) -> c_int;
}

/// `virDomainQemuAgentCommand` (libvirt/libvirt-qemu.h): domain, command, seconds, flags.
pub type AskAgent = unsafe extern "C" fn(DomainPtr, *const c_char, c_int, c_uint) -> *mut c_char;

/// What stands in libvirt's library for QEMU (libvirt/libvirt-qemu.h).
pub struct QemuTable {
    /// `virDomainQemuAgentCommand`.
    pub ask_agent: AskAgent,
    /// `virConnectDomainQemuMonitorEventRegister`: connection, domain, event, callback, pointer
    /// for it, how to free that, flags.
    pub monitor_events: unsafe extern "C" fn(
        ConnectPtr,
        DomainPtr,
        *const c_char,
        Callback,
        *mut c_void,
        Option<FreeCallback>,
        c_uint,
    ) -> c_int,
    /// `virConnectDomainQemuMonitorEventDeregister`.
    pub no_monitor_events: unsafe extern "C" fn(ConnectPtr, c_int) -> c_int,
}

/// That library's functions, where it is installed. It stays loaded until the process ends.
pub fn qemu_table() -> Result<&'static QemuTable, LibvirtError> {
    static TABLE: OnceLock<QemuTable> = OnceLock::new();
    if let Some(table) = TABLE.get() {
        return Ok(table);
    }
    let unusable = |error: libloading::Error| LibvirtError::Unusable {
        words: words(&error),
    };
    // SAFETY: its constructors have no preconditions.
    let library = unsafe { Library::new("libvirt-qemu.so.0") }.map_err(unusable)?;
    // SAFETY: the signatures are those in libvirt's public header; `forget` keeps it loaded.
    let found = unsafe {
        QemuTable {
            ask_agent: *library
                .get(c"virDomainQemuAgentCommand")
                .map_err(unusable)?,
            monitor_events: *library
                .get(c"virConnectDomainQemuMonitorEventRegister")
                .map_err(unusable)?,
            no_monitor_events: *library
                .get(c"virConnectDomainQemuMonitorEventDeregister")
                .map_err(unusable)?,
        }
    };
    std::mem::forget(library);
    Ok(TABLE.get_or_init(|| found))
}

/// Without a function of our own, libvirt prints every error on stderr.
unsafe extern "C" fn keep_quiet(_: *mut c_void, _: *mut RawError) {}

/// The table. A library that was found stays loaded until the process ends; one that was
/// not found is searched again by the next call.
pub fn table() -> Result<&'static Table, LibvirtError> {
    static TABLE: OnceLock<Table> = OnceLock::new();
    match TABLE.get() {
        Some(table) => Ok(table),
        None => {
            let table = load()?;
            Ok(TABLE.get_or_init(|| table))
        }
    }
}

fn load() -> Result<Table, LibvirtError> {
    // SAFETY: libvirt's constructors have no preconditions.
    let library = unsafe { Library::new(LIBRARY) }.map_err(|error| not_loaded(words(&error)))?;
    // SAFETY: this is libvirt, and `forget` below keeps it loaded.
    let table = unsafe { Table::look_up(&library) }.map_err(|error| LibvirtError::Unusable {
        words: words(&error),
    })?;
    // libvirt has threads and thread-local state: it must never be unloaded.
    std::mem::forget(library);
    // SAFETY: no preconditions; may be called more than once and from any thread.
    if unsafe { (table.initialize)() } < 0 {
        return Err(LibvirtError::Unusable {
            words: "it could not initialize itself".to_owned(),
        });
    }
    // SAFETY: `keep_quiet` lives as long as the process and looks at neither argument.
    unsafe { (table.set_error_func)(ptr::null_mut(), Some(keep_quiet)) };
    Ok(table)
}

/// The dynamic linker's words: they stand in the source of the error only.
fn words(error: &libloading::Error) -> String {
    let source = error.source();
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

/// Distinguishes a missing library from a broken one.
fn not_loaded(words: String) -> LibvirtError {
    let own = words.starts_with(LIBRARY) || words.contains(&format!("library {LIBRARY}:"));
    match own && words.contains("No such file") {
        true => LibvirtError::NotInstalled { words },
        false => LibvirtError::Unusable { words },
    }
}

#[cfg(test)]
mod tests;
