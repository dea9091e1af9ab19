//! Files of the system that are put in their place whole, with their own mode.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Mode of folders that are made.
const FOLDER: u32 = 0o755;

/// Puts `text` into `file`, by way of `new` in the same file system, and makes folders that are missing;
/// whether it was another before. Modes are these whatever the process's umask is.
///
/// # Errors
///
/// What the kernel answered.
pub fn put(file: &Path, new: &Path, text: &str, mode: u32) -> io::Result<bool> {
    let there = fs::read(file).is_ok_and(|old| old == text.as_bytes());
    if there && fs::symlink_metadata(file)?.permissions().mode() & 0o7777 == mode {
        return Ok(false);
    }
    file.parent().map_or(Ok(()), folder)?;
    // Left over by one that was interrupted, or laid there by another process.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    let mut written = options.write(true).create_new(true).mode(0o600).open(new)?;
    written.write_all(text.as_bytes())?;
    written.set_permissions(fs::Permissions::from_mode(mode))?;
    written.sync_all()?;
    drop(written);
    fs::rename(new, file)?;
    // The name is there after a power cut, too.
    file.parent()
        .map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())?;
    Ok(true)
}

/// Makes a folder and those above it where they are missing.
fn folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    folder.parent().map_or(Ok(()), self::folder)?;
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(FOLDER))
}

#[cfg(test)]
mod tests;
