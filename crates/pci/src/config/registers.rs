//! Where configuration registers come from.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::Incomplete;
use crate::read_error::{ReadError, Why};
use crate::root::Root;

/// Bytes that ordinary users may read: the header.
const HEADER: u16 = 64;

/// Registers of one function, little-endian.
pub trait Registers {
    /// The `N` bytes at `at`.
    ///
    /// # Errors
    ///
    /// [`Incomplete::Truncated`] when they end before, [`Incomplete::Unreadable`] when the
    /// kernel refuses.
    fn read<const N: usize>(&self, at: u16) -> Result<[u8; N], Incomplete>;
}

impl Registers for [u8] {
    fn read<const N: usize>(&self, at: u16) -> Result<[u8; N], Incomplete> {
        let tail = self.get(usize::from(at)..).unwrap_or_default();
        tail.first_chunk().copied().ok_or(Incomplete::Truncated {
            read: u16::try_from(self.len()).unwrap_or(u16::MAX),
        })
    }
}

impl Registers for Vec<u8> {
    fn read<const N: usize>(&self, at: u16) -> Result<[u8; N], Incomplete> {
        Registers::read(self.as_slice(), at)
    }
}

impl<R: Registers + ?Sized> Registers for &R {
    fn read<const N: usize>(&self, at: u16) -> Result<[u8; N], Incomplete> {
        Registers::read(*self, at)
    }
}

/// The `config` attribute of a device. Only what is requested is read: each register is a
/// round trip to the device, which adds up over hundreds of VFs.
#[derive(Debug)]
pub struct ConfigFile {
    file: File,
    path: String,
}

impl ConfigFile {
    /// Opens the `config` attribute in the folder `device`.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be opened.
    pub fn open(root: &Root, device: &str) -> Result<Self, ReadError> {
        let path = format!("{device}/config");
        let file = root.open(&path)?;
        Ok(ConfigFile { file, path })
    }

    /// Whether the byte before `size` can be read.
    fn reaches(&self, size: u16) -> bool {
        let last = u64::from(size.saturating_sub(1));
        matches!(self.file.read_at(&mut [0], last), Ok(1))
    }
}

impl Registers for ConfigFile {
    fn read<const N: usize>(&self, at: u16) -> Result<[u8; N], Incomplete> {
        let mut bytes = [0; N];
        match self.file.read_at(&mut bytes, u64::from(at)) {
            Ok(read) if read == N => Ok(bytes),
            Ok(_) => {
                let sizes = [4096, 256, 128, HEADER];
                let read = sizes.into_iter().find(|&size| self.reaches(size));
                Err(Incomplete::Truncated {
                    read: read.unwrap_or(0),
                })
            }
            Err(error) => Err(ReadError::new(&self.path, Why::from(error)).into()),
        }
    }
}
