//! Records in systemd's journal: each request, its user and its outcome. Users of the API and of the store
//! cannot change them.
//!
//! The protocol is journald's own (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>). Nothing waits for a journal
//! that is missing or does not answer; the next record has the number of lost ones.

use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use accelnet_host::{Clock, SystemClock};
use accelnet_model::outside;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, connect, send, sendmsg, socket_with,
};

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";
/// The message id of all records of accelnet (journalctl MESSAGE_ID=...).
pub const MESSAGE_ID: &str = "5a1d8e0f2c9b4c17a6f3d4be70c18e92";
/// How long the records of one request wait for a slow journal.
const DEADLINE: Duration = Duration::from_millis(500);

/// Fields of a record, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record(Vec<(&'static str, String)>);

impl Record {
    /// With another field. Its text is escaped, because readers of the journal may print it.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, text: &str) -> Self {
        self.0.push((name, outside::escaped(text).into_owned()));
        self
    }

    /// With another field, if there is a text.
    #[must_use]
    pub(crate) fn with_some(self, name: &'static str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for (name, text) in &self.0 {
            // An escaped text has no line feed, which would need the form with a length.
            all.extend([name.as_bytes(), b"=", text.as_bytes(), b"\n"].concat());
        }
        all
    }
}

/// The journal of this node.
#[derive(Debug, Clone)]
pub struct Journald(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    socket: PathBuf,
    deadline: Duration,
    lost: AtomicU64,
}

impl Journald {
    /// The journal whose socket is at `socket`.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Journald::within(socket, DEADLINE)
    }

    /// The same; the records of one call wait no longer than `deadline` for a journal that is slow.
    pub fn within(socket: impl Into<PathBuf>, deadline: Duration) -> Self {
        Journald(Arc::new(Inner {
            socket: socket.into(),
            deadline,
            lost: AtomicU64::new(0),
        }))
    }

    /// The system's.
    pub fn system() -> Self {
        Journald::at(SOCKET)
    }

    /// Writes records. What cannot be written is counted.
    pub(crate) fn write(&self, records: Vec<Record>) {
        let Inner {
            socket,
            deadline,
            lost,
        } = &*self.0;
        let clock = SystemClock;
        let until = clock.uptime() + *deadline;
        let opened = open(socket);
        for (place, mut record) in records.iter().cloned().enumerate() {
            let before = lost.load(Ordering::Relaxed);
            if before > 0 {
                record = record.with("ACCELNET_LOST", &before.to_string());
            }
            let left = until.saturating_sub(clock.uptime());
            let sent = match &opened {
                Ok(opened) => put(opened, &record.bytes(), left),
                Err(errno) => Err(*errno),
            };
            match sent {
                Ok(()) => drop(lost.fetch_sub(before, Ordering::Relaxed)),
                // The others would fail as well.
                Err(_) => {
                    let others = records.len() - place;
                    lost.fetch_add(u64::try_from(others).unwrap_or(u64::MAX), Ordering::Relaxed);
                    return;
                }
            }
        }
    }
}

fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Sends one record, and waits for space no longer than `within`.
fn put(socket: &OwnedFd, bytes: &[u8], within: Duration) -> rustix::io::Result<()> {
    let mut waits = true;
    loop {
        match send(socket, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::MSGSIZE | Errno::NOBUFS) => return send_as_file(socket, bytes),
            Err(Errno::AGAIN) if waits => {
                waits = false;
                let timeout = Timespec::try_from(within).map_err(|_| Errno::INVAL)?;
                poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&timeout))?;
            }
            Err(Errno::INTR) => {}
            sent => return sent.map(drop),
        }
    }
}

/// Sends a record that is too large for a datagram as a sealed file in memory.
fn send_as_file(socket: &OwnedFd, bytes: &[u8]) -> rustix::io::Result<()> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = std::fs::File::from(memfd_create("accelnet-record", flags)?);
    let failed = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    (&file).write_all(bytes).map_err(failed)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    if !rights.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(Errno::NOBUFS);
    }
    sendmsg(
        socket,
        &[] as &[IoSlice<'_>],
        &mut rights,
        SendFlags::NOSIGNAL,
    )
    .map(drop)
}

#[cfg(test)]
mod tests;
