//! Writing below a root folder: files, folders and links as the kernel makes them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A root folder to write below. Paths are relative to it, such as `sys/class/net`.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Folder { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn make(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.root.join(path))
    }

    /// Writes a file, and the folders above it.
    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> io::Result<()> {
        let path = self.root.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(path, content)
    }

    /// Writes an attribute: a line.
    pub(super) fn attribute(&self, path: &str, value: impl std::fmt::Display) -> io::Result<()> {
        self.write(path, format!("{value}\n"))
    }

    pub(super) fn read(&self, path: &str) -> io::Result<String> {
        Ok(fs::read_to_string(self.root.join(path))?.trim().to_owned())
    }

    /// Links `path` to `target` by the shortest relative way, as sysfs does.
    pub(super) fn link(&self, path: &str, target: &str) -> io::Result<()> {
        let from: Vec<&str> = path.split('/').collect();
        let to: Vec<&str> = target.split('/').collect();
        let above = &from[..from.len() - 1];
        self.make(&above.join("/"))?;
        // The last part of the target is always named (`sysfs_get_target_path`).
        let ways = above.iter().zip(&to[..to.len() - 1]);
        let common = ways.take_while(|(a, b)| a == b).count();
        let up = std::iter::repeat_n("..", above.len() - common);
        let way: PathBuf = up.chain(to[common..].iter().copied()).collect();
        symlink(way, self.root.join(path))
    }

    pub(super) fn remove_link(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(path))
    }

    pub(super) fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_dir_all(self.root.join(path))
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }
}
