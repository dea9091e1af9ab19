//! What goes wrong below the store, before it has a path and words.

use std::io;
use std::path::Path;

use crate::StoreError;

pub(super) enum Fault {
    /// The database.
    Database(redb::Error),
    /// What was read makes no sense.
    Corrupt(String),
    /// The database panicked, with these words.
    Panic(String),
    /// The file has a newer format.
    Newer { found: u64, known: u64 },
    /// What was asked cannot be; the file is well.
    Refused(StoreError),
}

impl Fault {
    pub(super) fn corrupt(found: impl Into<String>) -> Self {
        Self::Corrupt(found.into())
    }

    /// Whether the database must be opened again: it gives up after the first failed write or read.
    pub(super) fn breaks(&self) -> bool {
        use redb::Error::{DatabaseClosed, Io, LockPoisoned, PreviousIo};
        matches!(
            self,
            Self::Panic(_) | Self::Database(Io(_) | PreviousIo | LockPoisoned(_) | DatabaseClosed)
        )
    }

    /// With the path and words.
    pub(super) fn with_path(self, path: &Path) -> StoreError {
        let path = path.to_path_buf();
        match self {
            Self::Refused(error) => error,
            Self::Newer { found, known } => StoreError::NewerStore { path, found, known },
            Self::Corrupt(found) | Self::Panic(found) => StoreError::Corrupt { path, found },
            Self::Database(redb::Error::DatabaseAlreadyOpen) => StoreError::Held { path },
            Self::Database(redb::Error::Io(source)) => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    StoreError::Full { path, source }
                }
                // What the database reports when it does not know the file's beginning, or its end.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Corrupt {
                    path,
                    found: source.to_string(),
                },
                _ => StoreError::Io { path, source },
            },
            Self::Database(error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed)) => {
                StoreError::Io {
                    path,
                    source: io::Error::other(error.to_string()),
                }
            }
            Self::Database(error) => StoreError::Corrupt {
                path,
                found: error.to_string(),
            },
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Database(error.into())
    }
}

macro_rules! from_database {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        }
    )*};
}

from_database!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);
