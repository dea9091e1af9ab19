//! The lock of an adapter: one change at a time, by any process.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use accelnet_model::PciAddress;

/// Held while it lives, by this process and by every child that shares it.
#[derive(Debug)]
pub struct Lock {
    file: Option<File>,
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it, with its note.
    #[error("{0}")]
    Held(String),
    /// This is a copy of a node.
    #[error("a copy of a node cannot be changed")]
    ReadOnly,
    /// Its file cannot be made or opened.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// The system's words.
        error: io::Error,
    },
}

impl Lock {
    /// Takes the lock of `address` in `folder`, and notes who has it.
    ///
    /// # Errors
    ///
    /// See [`LockError`].
    pub fn take(folder: &Path, address: PciAddress, note: &str) -> Result<Lock, LockError> {
        let path = path(folder, address);
        let wrong = |error| failed(&path, error);
        std::fs::create_dir_all(folder).map_err(wrong)?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The note is a courtesy: without it the lock is held all the same.
                drop(file.read_to_string(&mut holder));
                return Err(LockError::Held(match holder.trim() {
                    "" => "an unknown process".to_owned(),
                    holder => holder.to_owned(),
                }));
            }
            Err(TryLockError::Error(error)) => return Err(wrong(error)),
        }
        file.set_len(0).map_err(wrong)?;
        file.seek(SeekFrom::Start(0)).map_err(wrong)?;
        file.write_all(note.as_bytes()).map_err(wrong)?;
        Ok(Lock { file: Some(file) })
    }

    /// A lock that no other process uses, for nodes that never existed.
    pub fn private() -> Lock {
        Lock { file: None }
    }

    /// The same lock once more: it is held until both are gone.
    ///
    /// # Errors
    ///
    /// The system has no room for one more open file.
    pub fn share(&self) -> io::Result<Lock> {
        let file = self.file.as_ref().map(File::try_clone).transpose()?;
        Ok(Lock { file })
    }

    /// The file that is locked: the process that keeps it open holds the lock, too.
    pub(super) fn file(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(File::as_fd)
    }
}

fn path(folder: &Path, address: PciAddress) -> PathBuf {
    folder.join(format!("{address}.lock"))
}

fn failed(path: &Path, error: io::Error) -> LockError {
    LockError::Io {
        path: path.display().to_string(),
        error,
    }
}

#[cfg(test)]
mod tests;
