//! What a change would have to undo, in a file as long as it is under way.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use accelnet_model::switch::SwitchStep;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::switch::Switches;

/// Ending of a record.
const ENDING: &str = "undo";

/// A change under way.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    bridge: String,
    undo: Vec<SwitchStep>,
}

/// A change that was left unfinished, and is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The bridge that it was about.
    pub bridge: String,
    /// What could not be undone, as in "take port eth0 out of bridge br0: ...".
    pub failed: Vec<String>,
}

/// Writes the record of a change of `bridge`.
pub fn write(folder: &Path, bridge: &str, undo: &[SwitchStep]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(format!("{bridge}.{ENDING}"));
    if let Some(_taken) = Held::open(&file)? {
        // Nobody holds it: it was left by a change that did not end.
        let text = "an earlier change was left unfinished, and is to be undone first";
        return Err(io::Error::other(text));
    }
    let record = Record {
        bridge: bridge.to_owned(),
        undo: undo.to_vec(),
    };
    let text = serde_json::to_vec(&record)?;
    let whole = folder.join(format!("{bridge}.new"));
    fs::write(&whole, text)?;
    fs::rename(&whole, &file)?;
    Ok(file)
}

/// Undoes what changes left unfinished whose guards are gone, too. A change that is under
/// way, or is being undone, is left alone.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn recover(folder: &Path, switches: &dyn Switches) -> io::Result<Vec<Recovered>> {
    let mut recovered = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(recovered),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != ENDING) {
            continue;
        }
        match Held::open(&path) {
            Ok(Some(held)) => recovered.push(held.undo(switches)?),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(recovered)
}

/// A record that nobody else holds.
pub struct Held {
    path: PathBuf,
    record: Record,
    _lock: File,
}

impl Held {
    /// Takes hold of a record; none where there is none, `WouldBlock` where another process
    /// holds it.
    pub fn open(path: &Path) -> io::Result<Option<Held>> {
        let lock = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
            match io::Error::from(error) {
                busy if busy.kind() == io::ErrorKind::WouldBlock => io::Error::new(
                    io::ErrorKind::WouldBlock,
                    "another change of this bridge is under way",
                ),
                error => error,
            }
        })?;
        // Whoever held it may have finished in between.
        if !path.exists() {
            return Ok(None);
        }
        let record = serde_json::from_slice(&fs::read(path)?)?;
        Ok(Some(Held {
            path: path.to_owned(),
            record,
            _lock: lock,
        }))
    }

    /// Undoes the change, as far as it can be, and removes the record.
    pub fn undo(self, switches: &dyn Switches) -> io::Result<Recovered> {
        let steps = self.record.undo.iter();
        let failed = steps.filter_map(|step| switches.apply(step).err());
        let failed = failed.map(|error| error.to_string()).collect();
        fs::remove_file(&self.path)?;
        Ok(Recovered {
            bridge: self.record.bridge,
            failed,
        })
    }

    /// The change is kept: removes the record.
    pub fn keep(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}
