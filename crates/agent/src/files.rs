//! Files that are whole or not there.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

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
