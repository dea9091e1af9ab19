//! A netlink socket that listens: what the kernel reports by itself, with a deadline.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use netlink_sys::{Socket, SocketAddr};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::NetlinkError;

/// Bytes of room for what comes while no process reads. The kernel gives at most
/// `/proc/sys/net/core/rmem_max`.
pub const BUFFER: u32 = 1 << 20;

/// Largest datagram of the kernel.
const LONGEST_DATAGRAM: usize = 64 * 1024;

/// What came.
pub enum Received {
    /// Nothing, in time.
    Nothing,
    /// A datagram of the kernel.
    Datagram(Vec<u8>),
    /// There was more than there was room for.
    Lost,
}

/// A socket that is notified of something.
pub struct Listener {
    socket: Socket,
    what: &'static str,
}

impl Listener {
    /// Listens to multicast groups, in the network namespace of the calling thread; `what` is
    /// as in "listen for changes of links".
    pub fn open(
        what: &'static str,
        protocol: isize,
        groups: &[u32],
        buffer: u32,
    ) -> Result<Self, NetlinkError> {
        let failed = |call| move |error: io::Error| NetlinkError::system(what, call, &error);
        let mut socket = Socket::new(protocol).map_err(failed("socket"))?;
        // A smaller buffer loses events sooner, and reports the loss.
        let _ = socket.set_rx_buf_sz(buffer);
        socket.bind_auto().map_err(failed("bind"))?;
        for group in groups {
            socket
                .add_membership(*group)
                .map_err(failed("setsockopt"))?;
        }
        Ok(Listener { socket, what })
    }

    /// Waits for a datagram of the kernel, for no longer than `within`. Ends early and with
    /// nothing when a signal came.
    pub fn receive(&mut self, within: Duration) -> Result<Received, NetlinkError> {
        let failed = |call, error: &io::Error| NetlinkError::system(self.what, call, error);
        let timeout = Timespec::try_from(within).ok();
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Received::Nothing),
            Ok(_) => {}
            Err(error) => return Err(failed("poll", &error.into())),
        }
        let mut datagram = Vec::with_capacity(LONGEST_DATAGRAM);
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        match self.socket.recv_from(&mut datagram, flags) {
            Ok((size, _)) if size > datagram.len() => Ok(Received::Lost),
            Ok((_, from)) if from == SocketAddr::new(0, from.multicast_groups()) => {
                Ok(Received::Datagram(datagram))
            }
            // Other processes can send here, too.
            Ok(_) => Ok(Received::Nothing),
            Err(error) => match error.raw_os_error() {
                Some(libc::ENOBUFS) => Ok(Received::Lost),
                Some(libc::EAGAIN | libc::EINTR) => Ok(Received::Nothing),
                _ => Err(failed("recvmsg", &error)),
            },
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
