//! Where an agent is, and what it means when it does not answer there.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use accelnet_model::{Code, Problem};
use rustls::Error as TlsError;

use super::remote::{self, Remote};

/// What to do about a path at which something else is.
const OTHER_SOCKET: &str = "Use the path of the agent's socket with --socket or ACCELNET_SOCKET: /run/accelnet/agent.sock.";

/// What to do about a socket that is not the installed agent's, and that no agent listens on.
const OWN_SOCKET: &str = "Start the agent that has this socket ('accelnet agent --serve PATH'), or omit --socket and ACCELNET_SOCKET for the agent of this node.";

/// Where an agent is.
#[derive(Debug, Clone)]
pub enum Place {
    /// On this machine.
    Socket(PathBuf),
    /// Perhaps on another one.
    Remote(Box<Remote>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Socket(path) => path.display().fmt(f),
            Place::Remote(remote) => remote.shown().fmt(f),
        }
    }
}

impl Place {
    /// The agent does not answer there, and what was found.
    pub fn unreachable(&self, found: String) -> Problem {
        match self {
            Place::Socket(path) => {
                let address = path.display().to_string();
                let problem = Problem::new(Code::AgentUnreachable, &[&address], found);
                match path.as_path() == Path::new(SOCKET) {
                    true => problem,
                    false => problem.resolution(OWN_SOCKET),
                }
            }
            Place::Remote(remote) => remote.unreachable(found),
        }
    }

    /// No client took the connection, and why.
    pub fn refused(&self, error: &io::Error) -> Problem {
        if let Place::Socket(path) = self
            && fs::metadata(path).is_ok_and(|file| !file.file_type().is_socket())
        {
            let found = format!("{} is not a socket.", path.display());
            return self.unreachable(found).resolution(OTHER_SOCKET);
        }
        let found = match (self, error.kind()) {
            (Place::Socket(_), io::ErrorKind::NotFound) => "The socket does not exist.".to_owned(),
            (Place::Socket(_), io::ErrorKind::ConnectionRefused) => {
                "The socket exists, but no agent listens on it.".to_owned()
            }
            (Place::Socket(_), io::ErrorKind::PermissionDenied) => {
                "This user has no permission to open the socket.".to_owned()
            }
            (Place::Socket(_), io::ErrorKind::WouldBlock) => {
                "Too many connections wait for the agent.".to_owned()
            }
            (Place::Remote(_), io::ErrorKind::ConnectionRefused) => {
                "The machine answers, but no agent listens on that port.".to_owned()
            }
            (Place::Remote(_), io::ErrorKind::TimedOut) => {
                format!(
                    "No agent accepted the connection within {} s.",
                    remote::CONNECT.as_secs()
                )
            }
            _ => format!("Connecting failed: {error}."),
        };
        let problem = self.unreachable(found);
        match (self, error.kind()) {
            (Place::Socket(_), io::ErrorKind::PermissionDenied) => problem.resolution(
                "Run the same command as root, or give this user access to the socket and its folder.",
            ),
            _ => problem,
        }
    }

    /// The connection broke: perhaps because one side did not like the other's certificate.
    pub fn broke(&self, error: &(dyn Error + 'static)) -> Problem {
        if let Place::Remote(remote) = self
            && let Some(tls) = tls(error)
        {
            return remote.judge(tls);
        }
        let error = cause_of_cancel(error);
        if let Place::Socket(_) = self
            && error
                .downcast_ref::<hyper::Error>()
                .is_some_and(is_not_http)
        {
            let found = format!("The program that listens there does not speak HTTP: {error}.");
            return self.unreachable(found).resolution(OTHER_SOCKET);
        }
        let problem = self.unreachable(format!("The connection broke: {error}."));
        match (self, reset(error)) {
            (Place::Remote(_), true) => problem.resolution(
                "Try again. If it breaks again, the agent may have refused the certificate: 'accelnet log' on that node shows it.",
            ),
            _ => problem,
        }
    }
}

/// Why a request was canceled before it was sent, if it was; else the error itself.
fn cause_of_cancel<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let canceled = error.downcast_ref::<hyper::Error>();
    let canceled = canceled.filter(|error| error.is_canceled());
    canceled.and_then(Error::source).unwrap_or(error)
}

/// Whether the other side sent something else than an answer, perhaps before it was asked.
fn is_not_http(error: &hyper::Error) -> bool {
    let ended = error.is_closed() || error.is_canceled() || error.is_incomplete_message();
    error.is_parse() || (error.source().is_none() && !ended && !error.is_user())
}

/// The word of TLS among the causes of an error.
pub fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<TlsError>() {
            return Some(tls);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(|io| io.get_ref());
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<TlsError>()) {
            return Some(tls);
        }
        next = error.source();
    }
    None
}

fn reset(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return matches!(
                io.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
            );
        }
        next = error.source();
    }
    false
}

/// Where an agent listens by default.
pub const SOCKET: &str = "/run/accelnet/agent.sock";
