//! A service behind a real socket, in a folder of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::UnixStream;

use crate::server::{Callers, Server, SocketCallers, Stopper};
use crate::{Caller, Service};

/// Everybody is this caller.
#[derive(Debug, Clone)]
pub struct Fixed(pub Caller);

impl Fixed {
    /// Somebody who may change things.
    pub fn root() -> Self {
        Fixed(Caller {
            name: "root".to_owned(),
            may_change: true,
        })
    }

    /// Somebody who may look.
    pub fn onlooker() -> Self {
        Fixed(Caller {
            name: "anna (uid 1000)".to_owned(),
            may_change: false,
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
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Serves `service` on `folder/agent.sock` to whom the kernel tells of.
    ///
    /// # Errors
    ///
    /// The socket cannot be made.
    pub fn start(folder: &Path, service: Arc<dyn Service>) -> io::Result<Self> {
        Serving::start_for(folder, service, Arc::new(SocketCallers))
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
        let stopper = server.stopper();
        let thread = std::thread::spawn(move || drop(server.run(service, callers)));
        Ok(Serving {
            socket,
            stopper,
            thread: Some(thread),
        })
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
