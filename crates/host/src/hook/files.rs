//! Wishes and outcomes in `/run/accelnet/vms`.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use accelnet_model::Uuid;
use accelnet_model::hook_config::{self, FOLDER, HookConfig, VfOutcome};
use accelnet_model::outside::short;
use accelnet_pci::Root;
use serde::de::DeserializeOwned;

/// Bytes of such a file at most: a longer one is not the agent's.
const MOST_BYTES: u64 = 64 * 1024;

/// The files of one VM.
pub struct Files {
    folder: PathBuf,
    uuid: Uuid,
}

impl Files {
    /// Of the VM with that UUID; none where it is no UUID, and so no part of a path.
    pub fn of(root: &Root, uuid: &str) -> Option<Self> {
        Some(Files {
            folder: root.locate(FOLDER),
            uuid: uuid.parse().ok()?,
        })
    }

    /// What the VM is to have; none where nothing is requested.
    ///
    /// # Errors
    ///
    /// The file cannot be read, in words.
    pub fn config(&self) -> Result<Option<HookConfig>, String> {
        read(hook_config::config_file(&self.folder, &self.uuid))
    }

    /// What became of it last.
    ///
    /// # Errors
    ///
    /// The file cannot be read, in words.
    pub fn outcome(&self) -> Result<Option<VfOutcome>, String> {
        read(hook_config::outcome_file(&self.folder, &self.uuid))
    }

    /// Notes what became of it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn note(&self, outcome: &VfOutcome) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = hook_config::outcome_file(&self.folder, &self.uuid);
        let new = path.with_extension("json.new");
        fs::write(&new, serde_json::to_vec_pretty(outcome)?)?;
        fs::rename(&new, path)
    }
}

/// What lies in a file of the agent's or the hook's, if it is not longer than those are.
pub(super) fn capped(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(io::Error::other(format!(
            "it is longer than {} KiB",
            MOST_BYTES >> 10
        ))),
        false => Ok(bytes),
    }
}

fn read<T: DeserializeOwned>(path: PathBuf) -> Result<Option<T>, String> {
    let say = |words: String| format!("failed to read {}: {words}", path.display());
    match capped(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(say(error.to_string())),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Some(value)),
            // It names what it found there, which may be long.
            Err(error) => Err(say(short(&error.to_string(), 300))),
        },
    }
}
