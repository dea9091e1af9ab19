//! Whether a file can have been written by its owner only.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Another process may write.
const OTHERS: u32 = 0o022;

/// Whether the file at `path` is this user's, and no other user may write to it.
///
/// # Errors
///
/// It cannot be read.
pub fn is_private(path: &Path) -> io::Result<bool> {
    Ok(flaw(&fs::metadata(path)?).is_none())
}

/// Why a file or folder may have been written by another process, a fragment.
pub(crate) fn flaw(found: &Metadata) -> Option<String> {
    let own = rustix::process::geteuid().as_raw();
    // root may do whatever it likes anyway.
    if found.uid() != own && found.uid() != 0 {
        return Some(format!(
            "it belongs to user {}, not to user {own}",
            found.uid()
        ));
    }
    let mode = found.mode() & 0o7777;
    // In a folder with the sticky bit a user cannot replace files of another.
    let sticky = found.is_dir() && mode & 0o1000 != 0;
    (mode & OTHERS != 0 && !sticky).then(|| format!("other users may write to it (mode {mode:o})"))
}
