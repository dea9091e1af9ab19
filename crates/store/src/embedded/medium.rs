//! Where the database lies.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, StorageBackend};

use crate::embedded::checksummed::{self, Checksummed};
use crate::embedded::fault::Fault;
use crate::embedded::synced_length::SyncedLength;
use crate::embedded::tables;
use crate::{StoreError, private};

/// The database's cache. The whole agent may use 20 MiB, and what it keeps is small: policy and a
/// few inventories. The kernel's page cache serves the rest.
const CACHE_BYTES: usize = 1024 * 1024;

/// Where the database lies, and how it is opened.
pub(super) trait Medium: Send + Sync {
    /// Opens the database, whose tables are there then.
    fn open(&self) -> Result<Database, Fault>;

    /// For messages.
    fn path(&self) -> &Path;

    /// What was found when it was opened and is no reason to stop.
    fn noticed(&self) -> Option<String> {
        None
    }
}

/// In no file.
#[derive(Debug)]
pub(super) struct Memory;

impl Medium for Memory {
    fn open(&self) -> Result<Database, Fault> {
        make(InMemoryBackend::new())
    }

    fn path(&self) -> &Path {
        Path::new("in memory")
    }
}

/// In a file.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    noticed: Mutex<Option<String>>,
}

/// One of the two copies of the first block is no copy.
const NOTICED: &str = "Of the first block of the store's file one of two copies is damaged: the newest \
    change may be lost. A power cut in the middle of a change leaves that, and so does a faulty disk.";

impl File {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            noticed: Mutex::default(),
        }
    }

    /// No other process may have written what is in the file, or have put another in its place.
    fn must_be_private(&self, file: &fs::File) -> Result<(), Fault> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let places = [
            (&*self.path, file.metadata()?),
            (folder, fs::metadata(folder)?),
        ];
        for (path, found) in places {
            if let Some(found) = private::flaw(&found) {
                let path = path.to_path_buf();
                return Err(StoreError::NotPrivate { path, found }.into());
            }
        }
        Ok(())
    }

    /// Makes the file whole under another name first: a power cut leaves no file, or a good one.
    /// The folder is locked meanwhile, as another process may be doing the same.
    fn make(&self) -> Result<(), Fault> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        make_folder(folder)?;
        let lock = fs::File::open(folder)?;
        lock.lock()?;
        if self.path.try_exists()? {
            return Ok(());
        }
        let mut unfinished = self.path.clone().into_os_string();
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)?;
        let whole = file.try_clone()?;
        drop(make(FileBackend::new(file)?)?);
        whole.sync_all()?;
        fs::rename(&unfinished, &self.path)?;
        lock.sync_all()?;
        Ok(())
    }
}

impl Medium for File {
    fn open(&self) -> Result<Database, Fault> {
        if !self.path.try_exists()? {
            self.make()?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&self.path)?;
        self.must_be_private(&file)?;
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if checksummed::lost_a_copy(&file) {
            noticed.get_or_insert_with(|| NOTICED.to_owned());
        }
        drop(noticed);
        open(FileBackend::new(file)?)
    }

    fn noticed(&self) -> Option<String> {
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        noticed.clone()
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// Opens a database that was made whole.
pub(super) fn open(backend: impl StorageBackend) -> Result<Database, Fault> {
    if backend.len()? == 0 {
        return Err(Fault::corrupt("it is empty"));
    }
    make(backend)
}

/// Makes a database, or opens one that is there.
pub(super) fn make(backend: impl StorageBackend) -> Result<Database, Fault> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    let db = builder.create_with_backend(Checksummed::over(SyncedLength(backend))?)?;
    tables::prepare(&db)?;
    Ok(db)
}

/// Makes a folder for its owner only, where there is none, and lets its name last.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.try_exists()? {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}
