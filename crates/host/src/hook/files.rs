//! Wishes and outcomes in `/run/accelnet/vms`.

use std::fs;
use std::io;
use std::path::PathBuf;

use accelnet_model::vf_wish::{self, FOLDER, VfOutcome, VfWish};
use accelnet_pci::Root;
use serde::de::DeserializeOwned;

/// The files of one VM.
pub struct Files {
    folder: PathBuf,
    uuid: String,
}

impl Files {
    /// Of the VM with that UUID; none where it is no UUID, and so no part of a path.
    pub fn of(root: &Root, uuid: &str) -> Option<Self> {
        let hyphens = [8, 13, 18, 23];
        let fits = |(place, byte): (usize, u8)| match hyphens.contains(&place) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        };
        let valid = uuid.len() == 36 && uuid.bytes().enumerate().all(fits);
        valid.then(|| Files {
            folder: root.locate(FOLDER),
            uuid: uuid.to_owned(),
        })
    }

    /// What the VM is to have; none where nothing is asked for.
    ///
    /// # Errors
    ///
    /// The file cannot be read, in words.
    pub fn wish(&self) -> Result<Option<VfWish>, String> {
        read(vf_wish::wish_file(&self.folder, &self.uuid))
    }

    /// What became of it last.
    ///
    /// # Errors
    ///
    /// The file cannot be read, in words.
    pub fn outcome(&self) -> Result<Option<VfOutcome>, String> {
        read(vf_wish::outcome_file(&self.folder, &self.uuid))
    }

    /// Notes what became of it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn note(&self, outcome: &VfOutcome) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = vf_wish::outcome_file(&self.folder, &self.uuid);
        let new = path.with_extension("json.new");
        fs::write(&new, serde_json::to_vec_pretty(outcome)?)?;
        fs::rename(&new, path)
    }
}

fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Option<T>, String> {
    let say = |words: String| format!("failed to read {}: {words}", path.display());
    match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(say(error.to_string())),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(say(error.to_string())),
        },
    }
}
