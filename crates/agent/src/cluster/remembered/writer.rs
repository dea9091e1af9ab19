//! Writes the file beside the work: nobody waits for the disk, and of several contents the newest counts.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use super::{Known, Saved};

/// A file, and what is to be written to it.
pub(super) struct Writer {
    file: PathBuf,
    pending: Arc<Mutex<Pending>>,
}

/// What is to be written.
#[derive(Default)]
struct Work {
    newest: Option<Saved>,
    /// The highest revision that was seen.
    seen: Option<Known>,
}

#[derive(Default)]
struct Pending {
    work: Work,
    /// Whether a thread writes; it ends when nothing is left to be written.
    writes: bool,
}

impl Writer {
    pub fn new(file: PathBuf) -> Self {
        Writer {
            file,
            pending: Arc::default(),
        }
    }

    /// Has `content` written soon.
    pub fn write(&self, content: Saved) {
        self.change(|work| work.newest = Some(content));
    }

    /// Has the revision written soon, in a file of its own, which is small.
    pub fn has_seen(&self, known: Known) {
        self.change(|work| work.seen = Some(known));
    }

    fn change(&self, change: impl FnOnce(&mut Work)) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut pending.work);
        if pending.writes {
            return;
        }
        let (file, all) = (self.file.clone(), self.pending.clone());
        let begun = thread::Builder::new()
            .name("remember".to_owned())
            .spawn(move || write_all(&all, |work| work.save(&file)));
        // Without it a node that starts while it is cut off waits for the store.
        pending.writes = begun.is_ok();
    }
}

fn write_all(pending: &Mutex<Pending>, save: impl Fn(Work)) {
    let _fallen = Fallen(pending);
    loop {
        let mut all = pending.lock().unwrap_or_else(PoisonError::into_inner);
        let work = std::mem::take(&mut all.work);
        if work.newest.is_none() && work.seen.is_none() {
            all.writes = false;
            return;
        }
        drop(all);
        save(work);
    }
}

/// Lets the next content be written by another thread when this one falls over.
struct Fallen<'a>(&'a Mutex<Pending>);

impl Drop for Fallen<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let pending = self.0.lock();
            pending.unwrap_or_else(PoisonError::into_inner).writes = false;
        }
    }
}

impl Work {
    fn save(self, file: &Path) {
        if let Some(content) = self.newest {
            drop(save(file, &content, true));
        }
        if let Some(known) = self.seen {
            // Not synced: after a power cut an older revision is known, and the policy's is synced with it.
            drop(save(&seen_beside(file), &known, false));
        }
    }
}

/// Where the highest revision that was seen is kept.
pub(super) fn seen_beside(file: &Path) -> PathBuf {
    beside(file, ".revision")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Writes `content` in the place of `file`, readable for its owner only.
fn save(file: &Path, content: &impl Serialize, synced: bool) -> std::io::Result<()> {
    let text = serde_json::to_vec(content)?;
    let beside = beside(file, ".new");
    let mut new = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    new.write_all(&text)?;
    if synced {
        new.sync_all()?;
    }
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests;
