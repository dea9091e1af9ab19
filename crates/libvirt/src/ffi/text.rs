//! C strings that libvirt takes, lends or gives away.

use std::ffi::{CStr, CString, NulError, c_char};

/// A string that C can read.
pub fn for_c(text: &str) -> Result<CString, NulError> {
    CString::new(text)
}

/// Copies a string that libvirt keeps; none for a null pointer.
///
/// # Safety
/// `text` is null or a C string that lives during the call.
pub unsafe fn lent(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// Copies a string that libvirt gave away, and frees it; none for a null pointer.
///
/// # Safety
/// `text` is null or a C string from `malloc` that no other caller uses.
pub unsafe fn given(text: *mut c_char) -> Option<String> {
    // SAFETY: as the caller promises.
    let copy = unsafe { lent(text) };
    // SAFETY: from `malloc` or null, as the caller promises, and not used after this.
    unsafe { libc::free(text.cast()) };
    copy
}
