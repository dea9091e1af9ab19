//! Changes of the forwarding entries of bridges, as the kernel reports them.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use socket2::SockRef;

use super::{FdbEntry, FdbWatch, program};
use crate::NetlinkError;
use crate::abi::{RTM_DELNEIGH, RTM_NEWNEIGH, RTNLGRP_NEIGH};
use crate::decode;
use crate::listen::{BUFFER, Listener, Received};
use crate::message::Messages;

const WHAT: &str = "listen for forwarding entries";

/// An entry came, moved or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FdbEvent {
    /// The bridge learned it, or it moved to this port.
    Here(FdbEntry),
    /// It aged, or was deleted.
    Gone(FdbEntry),
    /// Events were lost: list the entries again.
    Lost,
}

/// Listens for changes of the forwarding entries of one network namespace. Reports nothing until
/// [`WatchedFdb::set`] selects entries.
pub struct FdbMonitor {
    listener: Listener,
    received: VecDeque<FdbEvent>,
}

/// What an [`FdbMonitor`] reports, to be set from another thread.
#[derive(Debug)]
pub struct WatchedFdb(OwnedFd);

impl FdbMonitor {
    /// Listens in the network namespace of the calling thread. Needs no rights.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    pub fn open() -> Result<Self, NetlinkError> {
        let protocol = netlink_sys::constants::NETLINK_ROUTE;
        let listener = Listener::open(WHAT, protocol, &[RTNLGRP_NEIGH], BUFFER)?;
        let monitor = FdbMonitor {
            listener,
            received: VecDeque::new(),
        };
        monitor.watched()?.set(&FdbWatch::default())?;
        Ok(monitor)
    }

    /// What sets what is reported.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    pub fn watched(&self) -> Result<WatchedFdb, NetlinkError> {
        let fd = self.listener.as_fd().try_clone_to_owned();
        let fd = fd.map_err(|error| NetlinkError::system(WHAT, "dup", &error))?;
        Ok(WatchedFdb(fd))
    }

    /// The next event; waits for no longer than `within`, and ends early, with none, when a signal came.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]. Lost events are no error, but [`FdbEvent::Lost`].
    pub fn next(&mut self, within: Duration) -> Result<Option<FdbEvent>, NetlinkError> {
        if self.received.is_empty() {
            match self.listener.receive(within)? {
                Received::Nothing => {}
                Received::Datagram(datagram) => self.received.extend(events(&datagram)?),
                Received::Lost => self.received.push_back(FdbEvent::Lost),
            }
        }
        Ok(self.received.pop_front())
    }
}

impl WatchedFdb {
    /// From now on that is reported.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    pub fn set(&self, watch: &FdbWatch) -> Result<(), NetlinkError> {
        let program = program::of(watch);
        let attached = SockRef::from(&self.0).attach_filter(&program);
        attached.map_err(|error| NetlinkError::system(WHAT, "setsockopt", &error))
    }
}

/// The events of one datagram. Neighbours of IP, which may come before the first filter, are none.
fn events(datagram: &[u8]) -> Result<Vec<FdbEvent>, NetlinkError> {
    let malformed = |reason| NetlinkError::malformed(WHAT, reason);
    let mut events = Vec::new();
    for message in Messages(datagram) {
        let message = message.map_err(malformed)?;
        let entry = match message.kind {
            RTM_NEWNEIGH | RTM_DELNEIGH => decode::fdb_entry(message.body).map_err(malformed)?,
            _ => None,
        };
        events.extend(entry.map(|entry| match message.kind {
            RTM_NEWNEIGH => FdbEvent::Here(entry),
            _ => FdbEvent::Gone(entry),
        }));
    }
    Ok(events)
}
