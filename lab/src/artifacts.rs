//! What nodes boot from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cache::Lock;

/// What a node boots from. As long as this value lives, no other process removes it.
#[derive(Debug, Clone)]
pub struct Artifacts {
    pub(crate) folder: PathBuf,
    pub(crate) _in_use: Arc<Lock>,
}

impl Artifacts {
    /// The folder of the artifacts.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn kernel(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    pub(crate) fn initrd(&self) -> PathBuf {
        self.folder.join("initrd")
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.folder.join("disk")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("key")
    }
}
