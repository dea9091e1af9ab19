//! Writes the file beside the work: nobody waits for the disk, and of several contents the newest counts.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Saved;

/// A file, and what is to be written to it.
pub(super) struct Writer {
    file: PathBuf,
    pending: Arc<Mutex<Pending>>,
}

#[derive(Default)]
struct Pending {
    newest: Option<Saved>,
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
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.newest = Some(content);
        if pending.writes {
            return;
        }
        let (file, all) = (self.file.clone(), self.pending.clone());
        let begun = thread::Builder::new()
            .name("remember".to_owned())
            .spawn(move || write_all(&all, |content| drop(save(&file, content))));
        // Without it a node that starts while it is cut off waits for the store.
        pending.writes = begun.is_ok();
    }
}

fn write_all(pending: &Mutex<Pending>, save: impl Fn(&Saved)) {
    let _fallen = Fallen(pending);
    loop {
        let mut all = pending.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(content) = all.newest.take() else {
            all.writes = false;
            return;
        };
        drop(all);
        save(&content);
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

/// Writes `content` in the place of `file`, readable for its owner only.
pub(super) fn save(file: &Path, content: &Saved) -> std::io::Result<()> {
    let text = serde_json::to_vec(content)?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut new = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    new.write_all(&text)?;
    new.sync_all()?;
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests;
