//! One wire between the adapters of several nodes: a learning switch that QEMU's `stream` networks plug into.
//!
//! Each port is a socket, on which QEMU sends frames, each behind its length in four bytes, big-endian.
//! A frame never goes back to its sender; a port that does not take its frames loses them, as at
//! any switch. A station of the wire's own answers pings, as a host outside of the nodes.
//! The wire is gone when its value is dropped.

mod station;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Result, io};

/// The address of the station that answers pings.
pub(crate) const OUTSIDE: [u8; 4] = station::ADDRESS;

type Mac = [u8; 6];

/// How many frames wait at a port before more are lost.
const QUEUE: usize = 1024;
/// No frame of QEMU's is longer: 64 KiB of data, and its headers.
const LONGEST: usize = 69 << 10;

/// A switch with a number of ports.
#[derive(Debug)]
pub(crate) struct Wire {
    folder: tempfile::TempDir,
    ports: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    ports: BTreeMap<usize, Plug>,
    learned: BTreeMap<Mac, usize>,
    cut: Vec<usize>,
    closed: bool,
}

/// What is plugged into a port.
#[derive(Debug)]
struct Plug {
    /// Which of those that were plugged into it.
    turn: u64,
    queue: SyncSender<Vec<u8>>,
    stream: UnixStream,
}

impl Wire {
    /// A switch with `ports` ports, numbered from 0.
    pub fn new(ports: usize) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("accelnet-wire-")
            .tempdir_in("/var/tmp")
            .map_err(io("create a folder in /var/tmp"))?;
        let wire = Self {
            folder,
            ports,
            state: Arc::default(),
        };
        for port in 0..ports {
            let socket = wire.socket(port);
            let listener = UnixListener::bind(&socket)
                .map_err(io(format!("listen on {}", socket.display())))?;
            let state = wire.state.clone();
            thread::spawn(move || serve(&listener, port, &state));
        }
        Ok(wire)
    }

    /// The socket of a port.
    pub fn socket(&self, port: usize) -> PathBuf {
        self.folder.path().join(port.to_string())
    }

    /// Cuts a port off, or reconnects it. The node behind it keeps its link: it is the wire that is cut.
    pub fn cut(&self, port: usize, cut: bool) {
        let mut state = lock(&self.state);
        state.cut.retain(|one| *one != port);
        if cut {
            state.cut.push(port);
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.closed = true;
        for plug in std::mem::take(&mut state.ports).into_values() {
            // Its other end may be gone already.
            let _ = plug.stream.shutdown(Shutdown::Both);
        }
        drop(state);
        // Each listener wakes once more, and sees that it is over.
        for port in 0..self.ports {
            wake(&self.socket(port));
        }
    }
}

fn wake(socket: &Path) {
    // The listener may have ended.
    let _ = UnixStream::connect(socket);
    let _ = fs::remove_file(socket);
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes what is plugged into a port, one after the other.
fn serve(listener: &UnixListener, port: usize, state: &Arc<Mutex<State>>) {
    for (turn, stream) in (0..).zip(listener.incoming()) {
        let Ok(stream) = stream else { continue };
        let (Ok(from), Ok(to)) = (stream.try_clone(), stream.try_clone()) else {
            continue;
        };
        let (queue, queued) = sync_channel(QUEUE);
        {
            let mut state = lock(state);
            if state.closed {
                return;
            }
            let plug = Plug {
                turn,
                queue,
                stream,
            };
            if let Some(before) = state.ports.insert(port, plug) {
                // A node that was killed has not closed its connection.
                let _ = before.stream.shutdown(Shutdown::Both);
            }
        }
        let state = state.clone();
        thread::spawn(move || send(to, &queued));
        thread::spawn(move || {
            receive(from, port, &state);
            let mut state = lock(&state);
            if state.ports.get(&port).is_some_and(|plug| plug.turn == turn) {
                state.ports.remove(&port);
                state.learned.retain(|_, at| *at != port);
            }
        });
    }
}

fn send(mut to: UnixStream, queued: &Receiver<Vec<u8>>) {
    for framed in queued {
        if to.write_all(&framed).is_err() {
            return;
        }
    }
}

fn receive(mut from: UnixStream, port: usize, state: &Mutex<State>) {
    let mut length = [0; 4];
    while from.read_exact(&mut length).is_ok() {
        let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if size > LONGEST {
            return;
        }
        let mut framed = vec![0; 4 + size];
        framed[..4].copy_from_slice(&length);
        if from.read_exact(&mut framed[4..]).is_err() {
            return;
        }
        lock(state).forward(port, &framed);
    }
}

impl State {
    /// Sends a frame that came from `port` on its way.
    fn forward(&mut self, port: usize, framed: &[u8]) {
        let (Some(to), Some(from)) = (mac(framed, 4), mac(framed, 10)) else {
            return;
        };
        if self.cut.contains(&port) {
            return;
        }
        if is_one(from) {
            self.learned.insert(from, port);
        }
        if let Some(answer) = station::answer(&framed[4..]) {
            let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
            let mut framed = length.to_be_bytes().to_vec();
            framed.extend(answer);
            if let Some(plug) = self.ports.get(&port) {
                // A full queue loses the frame.
                let _ = plug.queue.try_send(framed);
            }
            return;
        }
        let known = self.learned.get(&to).copied().filter(|_| is_one(to));
        for (other, plug) in &self.ports {
            let meant = known.is_none_or(|known| known == *other);
            if *other != port && meant && !self.cut.contains(other) {
                // A full queue loses the frame.
                let _ = plug.queue.try_send(framed.to_vec());
            }
        }
    }
}

/// The MAC that stands at `at`.
fn mac(framed: &[u8], at: usize) -> Option<Mac> {
    framed.get(at..at + 6)?.try_into().ok()
}

/// Whether a MAC is of one station, not of many.
fn is_one(mac: Mac) -> bool {
    mac[0] & 1 == 0
}

#[cfg(test)]
mod tests;
