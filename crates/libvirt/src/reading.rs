//! Versions and domains, read within a deadline.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crate::{Domains, Libvirt, LibvirtError, Versions};

/// What a libvirt daemon reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What runs there.
    pub versions: Versions,
    /// Its domains: all of them, or the reason why not.
    pub domains: Result<Domains, LibvirtError>,
}

/// Asks the daemon at `uri` (usually [`crate::SYSTEM`]) for everything, and waits for it no
/// longer than `within`.
///
/// The asking happens on a thread of its own. When the daemon hangs, that thread stays
/// behind until the daemon answers or the process ends; it holds nothing of the caller's.
pub fn read(uri: &str, within: Duration) -> Result<Reading, LibvirtError> {
    let uri = uri.to_owned();
    let versions = Arc::new(OnceLock::new());
    let (sender, answer) = sync_channel(1);
    let seen = Arc::clone(&versions);
    thread::Builder::new()
        .name("libvirt".to_owned())
        .spawn(move || {
            // The caller may have stopped waiting: then no caller wants the answer.
            drop(sender.send(read_whole(&uri, &seen)));
        })
        .map_err(|error| LibvirtError::NoThread {
            words: error.to_string(),
        })?;
    match answer.recv_timeout(within) {
        Ok(reading) => reading,
        Err(RecvTimeoutError::Timeout) => {
            let late = LibvirtError::TimedOut { after: within };
            match versions.get() {
                Some(&versions) => Ok(Reading {
                    versions,
                    domains: Err(late),
                }),
                None => Err(late),
            }
        }
        Err(RecvTimeoutError::Disconnected) => Err(LibvirtError::Failed {
            doing: "be asked",
            words: "the asking thread ended early; this is a defect of accelnet".to_owned(),
        }),
    }
}

/// Reads everything; what is known before the slow part goes into `seen`.
fn read_whole(uri: &str, seen: &OnceLock<Versions>) -> Result<Reading, LibvirtError> {
    let libvirt = Libvirt::open_uri(uri)?;
    let versions = libvirt.versions()?;
    let versions = *seen.get_or_init(|| versions);
    Ok(Reading {
        versions,
        domains: libvirt.domains(),
    })
}

#[cfg(test)]
mod tests;
