//! What a change would have to undo, in a file as long as it is under way.

use std::fs::{self, File};
use std::io::{self, Read};
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
    /// How often it was tried to undo it.
    #[serde(default)]
    tries: u32,
}

/// Bytes of a record at most.
const MOST_BYTES: u64 = 1 << 20;
/// How often it is tried to undo a change. Then its record is set aside, so that the bridge can be changed.
const TRIES: u32 = 3;

/// A change that was left unfinished, and is undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The bridge that it was about.
    pub bridge: String,
    /// What could not be undone, as in "remove port eth0 from bridge br0: ...".
    pub failed: Vec<String>,
}

/// Writes the record of a change of `bridge`.
pub fn write(folder: &Path, bridge: &str, undo: &[SwitchStep]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(format!("{bridge}.{ENDING}"));
    if let Some(_taken) = Held::open(&file)? {
        // No process holds it: it was left by a change that did not end.
        let text = "an earlier change was left unfinished, and is to be undone first";
        return Err(io::Error::other(text));
    }
    let record = Record {
        bridge: bridge.to_owned(),
        undo: undo.to_vec(),
        tries: 0,
    };
    put(&file, &record)?;
    Ok(file)
}

fn put(file: &Path, record: &Record) -> io::Result<()> {
    let whole = file.with_extension("new");
    fs::write(&whole, serde_json::to_vec(record)?)?;
    fs::rename(&whole, file)
}

fn read(file: &Path) -> io::Result<Record> {
    let mut text = Vec::new();
    File::open(file)?.take(MOST_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Keeps a record for the process that handles it, out of the way.
fn set_aside(file: &Path) -> io::Result<PathBuf> {
    let mut aside = file.as_os_str().to_owned();
    aside.push(".failed");
    let aside = PathBuf::from(aside);
    fs::rename(file, &aside)?;
    Ok(aside)
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
        // What is wrong with one is no reason to leave another.
        let done = match Held::open(&path) {
            Ok(None) => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Ok(Some(held)) => held.undo(switches),
            Err(error) => Err(error),
        };
        recovered.push(done.unwrap_or_else(|error| {
            let place = match set_aside(&path) {
                Ok(aside) => format!("it is in {} now", aside.display()),
                Err(error) => format!("it cannot be moved away ({error})"),
            };
            let bridge = path.file_stem().unwrap_or_default().to_string_lossy();
            Recovered {
                bridge: bridge.into_owned(),
                failed: vec![format!("use its record: {error}; {place}")],
            }
        }));
    }
    Ok(recovered)
}

/// A record that no other process holds.
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
        // A process that held it may have finished in between.
        if !path.exists() {
            return Ok(None);
        }
        let record = read(path)?;
        Ok(Some(Held {
            path: path.to_owned(),
            record,
            _lock: lock,
        }))
    }

    /// Undoes the change, as far as it can be. The record keeps what could not be undone, to be tried
    /// again; after some tries it is set aside.
    pub fn undo(self, switches: &dyn Switches) -> io::Result<Recovered> {
        let (mut left, mut failed) = (Vec::new(), Vec::new());
        for step in self.record.undo {
            if let Err(error) = switches.apply(&step) {
                failed.push(error.to_string());
                left.push(step);
            }
        }
        let record = Record {
            bridge: self.record.bridge,
            undo: left,
            tries: self.record.tries + 1,
        };
        if record.undo.is_empty() {
            fs::remove_file(&self.path)?;
        } else {
            put(&self.path, &record)?;
            if record.tries >= TRIES {
                let aside = set_aside(&self.path)?;
                failed.push(format!(
                    "undo it in {TRIES} tries: what is left is in {}",
                    aside.display()
                ));
            }
        }
        Ok(Recovered {
            bridge: record.bridge,
            failed,
        })
    }

    /// The change is kept: removes the record.
    pub fn keep(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

#[cfg(test)]
mod tests;
