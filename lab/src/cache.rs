//! Where the lab keeps what it made, and the locks that several processes share it by.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::{Result, io};

/// The folder of all that the lab keeps: `ACCELNET_LAB_CACHE`, else `lab` in cargo's target folder.
pub(crate) fn folder() -> PathBuf {
    if let Some(cache) = std::env::var_os("ACCELNET_LAB_CACHE") {
        return cache.into();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    workspace.join(target).join("lab")
}

/// A lock file that is held as long as this value lives, also against other processes. The kernel
/// frees it when its holder dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no one else has the lock.
    pub fn exclusive(path: &Path) -> Result<Self> {
        if let Some(lock) = Self::try_exclusive(path)? {
            return Ok(lock);
        }
        eprintln!(
            "lab: waiting for another process that holds {}",
            path.display()
        );
        Self::take(path, FlockOperation::LockExclusive)
    }

    /// Takes the lock together with others that only share it.
    pub fn shared(path: &Path) -> Result<Self> {
        Self::take(path, FlockOperation::LockShared)
    }

    /// Takes the lock unless someone has it.
    pub fn try_exclusive(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(io(format!("lock {}", path.display()))(errno.into())),
        }
    }

    fn take(path: &Path, how: FlockOperation) -> Result<Self> {
        let file = open(path)?;
        flock(&file, how).map_err(|errno| io(format!("lock {}", path.display()))(errno.into()))?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io(format!("create {}", folder.display())))?;
    }
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(io(format!("open {}", path.display())))
}
