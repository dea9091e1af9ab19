//! Small files, read up to a limit and replaced atomically.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use accelnet_model::Uuid;

/// Bytes of a file in `/run/accelnet`: an agent writes no longer one.
const MOST_BYTES: u64 = 1 << 20;

/// The content of a small file.
///
/// # Errors
///
/// The kernel's, or the file is longer than an agent writes.
pub fn read_capped(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let opened = fs::File::open(file)?;
    opened.take(MOST_BYTES + 1).read_to_end(&mut content)?;
    match content.len() as u64 > MOST_BYTES {
        true => Err(io::Error::other("it is longer than 1 MiB")),
        false => Ok(content),
    }
}

/// Replaces the content of `file` atomically.
///
/// # Errors
///
/// The kernel's.
pub fn replace(file: &Path, content: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = folder.join(name);
    let mut written = fs::File::create(&new)?;
    written.write_all(content)?;
    fs::rename(&new, file)
}

/// A random UUID of the kernel.
///
/// # Errors
///
/// The kernel provides none.
pub fn random_uuid() -> io::Result<Uuid> {
    let text = fs::read_to_string("/proc/sys/kernel/random/uuid")?;
    text.trim().parse().map_err(io::Error::other)
}
