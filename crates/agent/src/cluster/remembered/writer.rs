//! Writes the file in the background: callers do not wait for the disk, and only the newest content is written.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::Serialize;

use super::saved::Saved;
use crate::cluster::identity::Known;

/// A file with content to be written.
pub(super) struct Writer {
    file: PathBuf,
    pending: Arc<Mutex<Pending>>,
}

/// Content to be written.
#[derive(Default)]
struct Work {
    newest: Option<Saved>,
    /// The highest revision that was observed.
    revision: Option<Known>,
}

#[derive(Default)]
struct Pending {
    work: Work,
    /// Whether a thread writes; it ends when there is no content.
    writes: bool,
}

impl Writer {
    pub fn new(file: PathBuf) -> Self {
        Writer {
            file,
            pending: Arc::default(),
        }
    }

    /// Writes `content` in the background.
    pub fn write(&self, content: Saved) {
        self.change(|work| work.newest = Some(content));
    }

    /// Writes the revision in the background, to a small file of its own.
    pub fn write_revision(&self, known: Known) {
        self.change(|work| work.revision = Some(known));
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
        // Without a file, a node that starts while it is cut off waits for the store.
        pending.writes = begun.is_ok();
    }
}

fn write_all(pending: &Mutex<Pending>, save: impl Fn(Work)) {
    let _reset = ResetOnPanic(pending);
    loop {
        let mut all = pending.lock().unwrap_or_else(PoisonError::into_inner);
        let work = std::mem::take(&mut all.work);
        if work.newest.is_none() && work.revision.is_none() {
            all.writes = false;
            return;
        }
        drop(all);
        save(work);
    }
}

/// After a panic, another thread writes the next content.
struct ResetOnPanic<'a>(&'a Mutex<Pending>);

impl Drop for ResetOnPanic<'_> {
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
        if let Some(known) = self.revision {
            // Not synced: after a power failure an older revision is known, and that of the policy is synced.
            drop(save(&revision_file(file), &known, false));
        }
    }
}

/// The file with the highest revision that was observed.
pub(super) fn revision_file(file: &Path) -> PathBuf {
    beside(file, ".revision")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Replaces `file`, readable for its owner only.
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
