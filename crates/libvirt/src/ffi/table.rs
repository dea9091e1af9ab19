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
    domain_free = c"virDomainFree": unsafe extern "C" fn(DomainPtr) -> c_int;
}

/// Without a function of our own, libvirt prints every error on stderr.
unsafe extern "C" fn keep_quiet(_: *mut c_void, _: *mut RawError) {}

/// The table. A library that was found stays loaded until the process ends; one that was
/// not found is looked for again by the next call.
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

/// Tells a library that is not there from one that is there and broken.
fn not_loaded(words: String) -> LibvirtError {
    let own = words.starts_with(LIBRARY) || words.contains(&format!("library {LIBRARY}:"));
    match own && words.contains("No such file") {
        true => LibvirtError::NotInstalled { words },
        false => LibvirtError::Unusable { words },
    }
}

#[cfg(test)]
mod tests;
