//! The server: an agent's two doors, and what is behind them.
//!
//! Its Unix socket is always there; TCP with mutual TLS is optional.
//!
//! One thread handles all connections and sleeps while there are none; what the
//! [`Service`] does is done by other threads.

mod answer;
mod bind;
mod body;
mod connection;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(test)]
pub(crate) mod http;
pub(crate) mod operate;
mod parse;
mod peer;
mod places;
mod query;
mod refusals;
mod remote;
mod router;
mod shared_reads;
mod surplus;

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use accelnet_model::Problem;
use rustix::fd::OwnedFd;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::Service;
use refusals::Refusals;

pub use bind::BindError;
pub use peer::{Callers, SocketCallers, own_caller};
pub use places::Source;
pub use remote::{Files, Remote, RemoteOptions};

/// Threads that work for requests at once, at most; some of them keep events, or write answers.
const THREADS: usize = router::CHANGING + router::READING + 28;
/// How long such a thread waits for more to do.
const THREAD_REST: Duration = Duration::from_secs(5);

/// A socket that is bound, and not yet served.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    socket: SocketFile,
    remote: Option<Remote>,
    /// Kept locked: while it is, the socket is ours.
    _lock: OwnedFd,
    stop: (watch::Sender<bool>, watch::Receiver<bool>),
}

/// The socket in the file system, which goes with its server.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

impl Server {
    /// Takes the socket at `path`. A socket that no agent serves any more is replaced; its
    /// folder is made where it is missing.
    ///
    /// # Errors
    ///
    /// An agent serves it, something else is there, or it cannot be made.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let (listener, lock) = bind::bind(path)?;
        Ok(Server {
            listener,
            socket: SocketFile(path.to_owned()),
            remote: None,
            _lock: lock,
            stop: watch::channel(false),
        })
    }

    /// Listens on TCP, too.
    ///
    /// # Errors
    ///
    /// `certificate_unusable` for files that cannot be used; the address cannot be had.
    pub fn listen(self, options: &RemoteOptions) -> Result<Self, Problem> {
        Ok(self.with(Remote::bind(options)?))
    }

    /// Serves a TCP address that was taken before.
    #[must_use]
    pub fn with(mut self, remote: Remote) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The TCP address that it listens on.
    pub fn address(&self) -> Option<SocketAddr> {
        self.remote.as_ref().and_then(Remote::address)
    }

    /// What ends [`Server::run`].
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.0.clone())
    }

    /// Serves until it is stopped; then no new connection is taken, and the requests that
    /// are under way are answered.
    ///
    /// # Errors
    ///
    /// What the kernel reports when it gives no thread or no event queue.
    pub fn run(self, service: Arc<dyn Service>, callers: Arc<dyn Callers>) -> io::Result<()> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(THREADS)
            .thread_keep_alive(THREAD_REST)
            .build()?;
        self.listener.set_nonblocking(true)?;
        let (_keep, stopped) = self.stop;
        let remote = self.remote;
        let served = runtime.block_on(async {
            let refusals = Refusals::new(service.clone());
            let router = router::router(service, refusals.clone());
            let far = async {
                match remote {
                    None => Ok(()),
                    Some(remote) => {
                        remote::serve(remote, router.clone(), refusals, stopped.clone()).await
                    }
                }
            };
            let near = connection::serve(self.listener, router.clone(), callers, stopped.clone());
            tokio::try_join!(near, far).map(drop)
        });
        // Gone before the lock is, so that the next owner of the lock does not find it.
        drop(self.socket);
        runtime.shutdown_background();
        served
    }
}

/// Ends a server.
#[derive(Debug, Clone)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Ends it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests;
