//! The folder that everything is read below: `/`, or a tree that a test made.
//!
//! Paths are given as on a running system (`/sys/...`). Links are only ever asked for the
//! last part of what they point to, so an absolute link cannot lead out of a test's tree.

use std::fs::{self, File};
use std::io::Read;
use std::num::ParseIntError;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::read_error::{ReadError, if_there};

#[cfg(test)]
mod tests;

/// The longest that an attribute of the kernel is.
const PAGE: usize = 4096;

/// A root folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    folder: PathBuf,
}

impl Root {
    /// The running system.
    pub fn system() -> Self {
        Root::new("/")
    }

    /// A tree below `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Root {
            folder: folder.into(),
        }
    }

    /// Where `path` is for the operating system.
    pub fn locate(&self, path: &str) -> PathBuf {
        self.folder.join(Path::new(path.trim_start_matches('/')))
    }

    /// The content of a file.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be read.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::with_capacity(PAGE);
        // Files of the kernel have no length, so it is not asked: only the end of a
        // `Take` is needed.
        File::open(self.locate(path))
            .and_then(|file| file.take(u64::MAX).read_to_end(&mut bytes))
            .map_err(|error| ReadError::new(path, error))?;
        Ok(bytes)
    }

    /// A file, open for reading.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be opened.
    pub fn open(&self, path: &str) -> Result<File, ReadError> {
        File::open(self.locate(path)).map_err(|error| ReadError::new(path, error))
    }

    /// The text of a file, without the white space around it.
    ///
    /// # Errors
    ///
    /// When it is missing, cannot be read or is not UTF-8.
    pub fn text(&self, path: &str) -> Result<String, ReadError> {
        let bytes = self.read(path)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(_) => {
                let found = String::from_utf8_lossy(&bytes);
                Err(ReadError::unexpected(path, &found, "text"))
            }
        }
    }

    /// The decimal number in a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no number that fits `T`.
    pub fn number<T: FromStr<Err = ParseIntError>>(&self, path: &str) -> Result<T, ReadError> {
        let text = self.text(path)?;
        text.parse()
            .map_err(|_| ReadError::unexpected(path, &text, "a number"))
    }

    /// The hexadecimal number in a file, with or without `0x`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or holds no hexadecimal number that fits `T`.
    pub fn hex<T: TryFrom<u64>>(&self, path: &str) -> Result<T, ReadError> {
        let text = self.text(path)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        u64::from_str_radix(digits, 16)
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| ReadError::unexpected(path, &text, "a hexadecimal number"))
    }

    /// What a link points to, as it is written; `None` where its folder has no such entry.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not a link, or the folder it should be in is missing.
    pub fn link(&self, path: &str) -> Result<Option<PathBuf>, ReadError> {
        let target = fs::read_link(self.locate(path)).map_err(|error| ReadError::new(path, error));
        let target = if_there(target)?;
        if target.is_none()
            && let Some((folder, _)) = path.rsplit_once('/')
            && !self.exists(folder)
        {
            return Err(ReadError::new(folder, crate::read_error::Why::Missing));
        }
        Ok(target)
    }

    /// The last part of what a link points to; `None` where there is no link.
    ///
    /// # Errors
    ///
    /// As [`Root::link`].
    pub fn link_name(&self, path: &str) -> Result<Option<String>, ReadError> {
        let Some(target) = self.link(path)? else {
            return Ok(None);
        };
        match target.file_name().and_then(|name| name.to_str()) {
            Some(name) => Ok(Some(name.to_owned())),
            None => {
                let found = target.to_string_lossy();
                Err(ReadError::unexpected(path, &found, "a link to a name"))
            }
        }
    }

    /// The names in a folder, sorted. Names that are not UTF-8 are left out: sysfs has none.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be listed.
    pub fn names(&self, path: &str) -> Result<Vec<String>, ReadError> {
        let fail = |error| ReadError::new(path, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(self.locate(path)).map_err(fail)? {
            if let Ok(name) = entry.map_err(fail)?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is anything at `path`, following links.
    pub fn exists(&self, path: &str) -> bool {
        self.locate(path).exists()
    }
}
