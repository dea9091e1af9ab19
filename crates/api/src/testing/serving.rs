//! A service behind a real socket, in a folder of its own.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::UnixStream;

use crate::server::{Callers, RemoteOptions, Server, SocketCallers, Stopper};
use crate::types::Origin;
use crate::{Caller, Role, Service};

/// Every client is this caller.
#[derive(Debug, Clone)]
pub struct Fixed(pub Caller);

impl Fixed {
    /// A client that may change things.
    pub fn root() -> Self {
        Fixed::of("root", Role::Administrator)
    }

    /// A client that may read.
    pub fn onlooker() -> Self {
        Fixed::of("anna (uid 1000)", Role::Reader)
    }

    fn of(name: &str, role: Role) -> Self {
        Fixed(Caller {
            name: name.to_owned(),
            role,
            from: Origin::socket(),
        })
    }
}

impl Callers for Fixed {
    fn caller(&self, _stream: &UnixStream) -> Caller {
        self.0.clone()
    }
}

/// A service that is served until this is dropped.
#[derive(Debug)]
pub struct Serving {
    socket: PathBuf,
    address: Option<SocketAddr>,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Serves `service` on `folder/agent.sock` to the users that the kernel names.
    ///
    /// # Errors
    ///
    /// The socket cannot be made.
    pub fn start(folder: &Path, service: Arc<dyn Service>) -> io::Result<Self> {
        Serving::start_for(folder, service, Arc::new(SocketCallers::default()))
    }

    /// Serves it to `callers`.
    ///
    /// # Errors
    ///
    /// The socket cannot be made.
    pub fn start_for(
        folder: &Path,
        service: Arc<dyn Service>,
        callers: Arc<dyn Callers>,
    ) -> io::Result<Self> {
        let socket = folder.join("agent.sock");
        let server = Server::bind(&socket).map_err(io::Error::other)?;
        Ok(Serving::of(server, socket, service, callers))
    }

    /// Serves it through both listeners, the one to the network with `options`.
    ///
    /// # Errors
    ///
    /// One of the two cannot be had.
    pub fn start_far(
        folder: &Path,
        service: Arc<dyn Service>,
        options: &RemoteOptions,
    ) -> io::Result<Self> {
        let socket = folder.join("agent.sock");
        let server = Server::bind(&socket).map_err(io::Error::other)?;
        let server = server
            .listen(options)
            .map_err(|problem| io::Error::other(problem.found))?;
        let callers = Arc::new(SocketCallers::default());
        Ok(Serving::of(server, socket, service, callers))
    }

    fn of(
        server: Server,
        socket: PathBuf,
        service: Arc<dyn Service>,
        callers: Arc<dyn Callers>,
    ) -> Self {
        let address = server.address();
        let stopper = server.stopper();
        let thread = std::thread::spawn(move || drop(server.run(service, callers)));
        Serving {
            socket,
            address,
            stopper,
            thread: Some(thread),
        }
    }

    /// The address of the listener to the network.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
