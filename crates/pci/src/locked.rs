//! Attributes for which the kernel takes the device lock.
//!
//! `sriov_numvfs` and `sriov_vf_total_msix` are shown under the lock of their device
//! (`drivers/pci/iov.c`), which a write to `sriov_numvfs` holds until the driver is done.
//! With a driver that hangs, a plain read hangs as well: the caller chooses how to read them.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

use accelnet_model::Observed;

use crate::read_error::{ReadError, Why};
use crate::root::Root;

/// Reads attributes that may hang.
pub trait LockedRead {
    /// The text of each of `paths`, in the same order. It is asked once for a whole node,
    /// so that the patience it has is spent once.
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>>;
}

/// Reads in this thread, for as long as it takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direct;

impl LockedRead for Direct {
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>> {
        paths.iter().map(std::fs::read_to_string).collect()
    }
}

/// Attributes of a whole node, read at once.
#[derive(Debug, Default)]
pub struct Locked {
    found: HashMap<String, Result<String, ReadError>>,
}

impl Locked {
    /// Reads all of `paths`, which are below `root`.
    pub fn read(root: &Root, reader: &dyn LockedRead, paths: Vec<String>) -> Self {
        if paths.is_empty() {
            return Locked::default();
        }
        let places: Vec<PathBuf> = paths.iter().map(|path| root.locate(path)).collect();
        let answers = reader.read(&places).into_iter().map(Some);
        let answers = answers.chain(std::iter::repeat_with(|| None));
        let found = paths.into_iter().zip(answers).map(|(path, answer)| {
            let answer = match answer {
                Some(Ok(text)) => Ok(text),
                Some(Err(error)) => Err(ReadError::new(&path, error)),
                None => Err(ReadError::new(&path, Why::Failed("no answer".to_owned()))),
            };
            (path, answer)
        });
        Locked {
            found: found.collect(),
        }
    }

    /// The decimal number at `path`.
    pub fn number(&self, path: &str) -> Observed<u32> {
        let text = match self.found.get(path) {
            Some(Ok(text)) => text.trim(),
            Some(Err(error)) => return Observed::unknown(error.to_string()),
            None => return Observed::unknown(ReadError::new(path, Why::Missing).to_string()),
        };
        let unexpected = |_| ReadError::unexpected(path, text, "a number");
        text.parse().map_err(unexpected).into()
    }
}
