//! Files that are whole or not there.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// Bytes of a file in `/run/accelnet` at most: a longer one is not an agent's.
const MOST_BYTES: u64 = 1 << 20;

/// What lies in a small file.
///
/// # Errors
///
/// What the kernel answered; or the file is longer than an agent's.
pub fn read_capped(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let opened = fs::File::open(file)?;
    opened.take(MOST_BYTES + 1).read_to_end(&mut content)?;
    match content.len() as u64 > MOST_BYTES {
        true => Err(io::Error::other("it is longer than 1 MiB")),
        false => Ok(content),
    }
}

/// Puts `content` in the place of `file` at once: a reader sees the old or the new, never a
/// part.
///
/// # Errors
///
/// What the kernel answered.
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
