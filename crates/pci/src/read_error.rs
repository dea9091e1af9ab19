//! Why a file below the root could not be read, with its path.

use std::io;

/// A file, folder or link that could not be read or understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} reading {path}{}", why.hint())]
pub struct ReadError {
    /// Path below the root, such as `/sys/bus/pci/devices`.
    pub path: String,
    /// What went wrong.
    pub why: Why,
}

/// What went wrong with a read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is not there.
    #[error("nothing found")]
    Missing,
    /// The kernel does not let this user read it.
    #[error("permission denied")]
    Denied,
    /// Another error of the kernel, in its words.
    #[error("{0}")]
    Failed(String),
    /// It was read and does not hold what it should.
    #[error("{found:?} where {expected} should be")]
    Unexpected {
        /// What it holds, shortened.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
}

impl Why {
    fn hint(&self) -> &'static str {
        match self {
            Why::Denied => " (needs root)",
            Why::Missing | Why::Failed(_) | Why::Unexpected { .. } => "",
        }
    }
}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Why::Missing,
            io::ErrorKind::PermissionDenied => Why::Denied,
            _ => Why::Failed(words(&error)),
        }
    }
}

/// The kernel's words for an error, as a fragment: "device or resource busy".
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        // "I/O error" and "EOF" stay as they are.
        Some(first) if letters.as_str().starts_with(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

impl ReadError {
    /// An error of reading `path`.
    pub fn new(path: &str, why: impl Into<Why>) -> Self {
        ReadError {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// `path` holds `found`, which is not `expected`.
    pub fn unexpected(path: &str, found: &str, expected: &'static str) -> Self {
        let mut found = found.to_owned();
        if let Some((cut, _)) = found.char_indices().nth(40) {
            found.truncate(cut);
        }
        ReadError::new(path, Why::Unexpected { found, expected })
    }

    /// Whether it is simply not there.
    pub fn is_missing(&self) -> bool {
        self.why == Why::Missing
    }
}

/// Turns "it is not there" into `None`.
pub fn if_there<T>(result: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
