//! The socket itself: its options, and receiving datagrams of any size whole.

use std::io;
use std::time::Duration;

use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

#[cfg(test)]
mod tests;

/// What carries a question and its answers.
pub trait Wire {
    /// Sends one datagram.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;

    /// Receives one datagram, whole. `EAGAIN` when none comes in time.
    fn receive(&mut self) -> io::Result<Vec<u8>>;
}

/// A netlink socket, connected to the kernel: no other process can answer.
pub struct KernelWire {
    socket: Socket,
}

/// What the kernel may put into one datagram of a list: it fills what it saw offered.
const DATAGRAM_BYTES: usize = 32 * 1024;

impl KernelWire {
    /// Opens a socket. The error names the call that failed.
    pub fn open(protocol: isize, deadline: Duration) -> Result<Self, (&'static str, io::Error)> {
        let mut socket = Socket::new(protocol).map_err(|error| ("socket", error))?;
        // Since Linux 4.12 (ext ack, cap ack) and 4.20 (strict checking): without them
        // everything still works, with fewer words.
        let _ = socket.set_ext_ack(true);
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_netlink_get_strict_chk(true);
        set_socket_timeout(&socket, Timeout::Recv, Some(deadline))
            .map_err(|error| ("setsockopt", error.into()))?;
        socket.bind_auto().map_err(|error| ("bind", error))?;
        socket
            .connect(&SocketAddr::new(0, 0))
            .map_err(|error| ("connect", error))?;
        Ok(KernelWire { socket })
    }
}

impl Wire for KernelWire {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let sent = self.socket.send(datagram, 0)?;
        match sent == datagram.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut datagram = Vec::with_capacity(DATAGRAM_BYTES);
        let size = self
            .socket
            .recv(&mut datagram, libc::MSG_PEEK | libc::MSG_TRUNC)?;
        let mut datagram = Vec::with_capacity(size.max(DATAGRAM_BYTES));
        let received = self.socket.recv(&mut datagram, libc::MSG_TRUNC)?;
        match received == datagram.len() {
            true => Ok(datagram),
            false => Err(io::Error::other(format!(
                "{received} bytes arrived where {size} were announced"
            ))),
        }
    }
}
