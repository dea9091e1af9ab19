//! What changes of links, addresses and routes, as the kernel reports it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::NetlinkError;
use crate::abi::*;
use crate::attr::{Attrs, Malformed};
use crate::listen::{BUFFER, Listener, Received};
use crate::message::{Message, Messages};

#[cfg(test)]
mod tests;

/// Something changed. What it is now is to be asked again: it may have changed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A link came, or is another than before.
    Changed {
        /// Its index.
        index: u32,
        /// Its name.
        name: String,
    },
    /// A link is gone, or went to another network namespace.
    Gone {
        /// The index that it had.
        index: u32,
        /// The name that it had.
        name: String,
    },
    /// The addresses of a link changed.
    Addresses {
        /// Its index.
        index: u32,
    },
    /// Routes changed.
    Routes,
    /// Events were lost: read everything.
    Lost,
}

/// Listens for changes of links, addresses and routes of one network namespace.
pub struct Monitor {
    listener: Listener,
    received: VecDeque<Event>,
}

impl Monitor {
    /// Listens from now on, in the network namespace of the calling thread. Needs no rights.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    pub fn open() -> Result<Self, NetlinkError> {
        Monitor::with_buffer(BUFFER)
    }

    /// As [`Monitor::open`], with room for about so many bytes of what comes while no process
    /// reads; the kernel has a least and a most.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    pub fn with_buffer(bytes: u32) -> Result<Self, NetlinkError> {
        let groups = [
            RTNLGRP_LINK,
            RTNLGRP_IPV4_IFADDR,
            RTNLGRP_IPV4_ROUTE,
            RTNLGRP_IPV6_IFADDR,
            RTNLGRP_IPV6_ROUTE,
        ];
        let protocol = netlink_sys::constants::NETLINK_ROUTE;
        Ok(Monitor {
            listener: Listener::open("listen for changes of links", protocol, &groups, bytes)?,
            received: VecDeque::new(),
        })
    }

    /// The next event; waits for no longer than `within`, and ends early, with none, when a
    /// signal came.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]. Lost events are no error, but [`Event::Lost`].
    pub fn next(&mut self, within: Duration) -> Result<Option<Event>, NetlinkError> {
        if self.received.is_empty() {
            match self.listener.receive(within)? {
                Received::Nothing => {}
                Received::Datagram(datagram) => self.received.extend(events(&datagram)?),
                Received::Lost => self.received.push_back(Event::Lost),
            }
        }
        Ok(self.received.pop_front())
    }
}

impl AsFd for Monitor {
    /// For waiting on several at once. It may be readable and have nothing.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

fn events(datagram: &[u8]) -> Result<Vec<Event>, NetlinkError> {
    let read = || {
        let mut events = Vec::new();
        for message in Messages(datagram) {
            events.extend(event(&message?)?);
        }
        // One change of a route can be many messages.
        events.dedup();
        Ok(events)
    };
    read().map_err(|reason| NetlinkError::malformed("listen for changes of links", reason))
}

fn event(message: &Message<'_>) -> Result<Option<Event>, Malformed> {
    Ok(match message.kind {
        RTM_NEWLINK | RTM_DELLINK => Some(link_event(message)?),
        RTM_NEWADDR | RTM_DELADDR => match message.body {
            [_, _, _, _, i0, i1, i2, i3, ..] => Some(Event::Addresses {
                index: u32::from_ne_bytes([*i0, *i1, *i2, *i3]),
            }),
            _ => return Err(Malformed::new("an address is short")),
        },
        RTM_NEWROUTE | RTM_DELROUTE => Some(Event::Routes),
        _ => None,
    })
}

fn link_event(message: &Message<'_>) -> Result<Event, Malformed> {
    let Some((header, attrs)) = message.body.split_first_chunk::<IFINFO_LEN>() else {
        return Err(Malformed::new("a link is short"));
    };
    let [family, _, _, _, i0, i1, i2, i3, ..] = *header;
    let index = u32::from_ne_bytes([i0, i1, i2, i3]);
    let mut name = String::new();
    for attr in Attrs(attrs) {
        let attr = attr?;
        if attr.kind == IFLA_IFNAME {
            name = attr.text();
        }
    }
    // A bridge reports a port that it lost as of a link that is gone.
    let gone = message.kind == RTM_DELLINK && family != AF_BRIDGE;
    Ok(match gone {
        true => Event::Gone { index, name },
        false => Event::Changed { index, name },
    })
}
