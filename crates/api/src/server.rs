//! The server: an agent's socket, and what is behind it.
//!
//! One thread looks after all connections and sleeps while there are none; what the
//! [`Service`] does is done by other threads.

mod answer;
mod bind;
mod body;
mod connection;
#[cfg(test)]
pub(crate) mod http;
mod operate;
mod parse;
mod peer;
mod query;
mod router;

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fd::OwnedFd;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::Service;

pub use bind::BindError;
pub use peer::{Callers, SocketCallers};

/// Threads that work for requests at once, at most.
const THREADS: usize = 192;
/// How long such a thread waits for more to do.
const THREAD_REST: Duration = Duration::from_secs(5);

/// A socket that is bound, and not yet served.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    /// Kept locked: while it is, the socket is ours.
    _lock: OwnedFd,
    stop: (watch::Sender<bool>, watch::Receiver<bool>),
}

impl Server {
    /// Takes the socket at `path`. A socket that nobody serves any more is replaced; its
    /// folder is made where it is missing.
    ///
    /// # Errors
    ///
    /// Somebody serves it, something else is there, or it cannot be made.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let (listener, lock) = bind::bind(path)?;
        Ok(Server {
            listener,
            path: path.to_owned(),
            _lock: lock,
            stop: watch::channel(false),
        })
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
    /// What the kernel says when it gives no thread or no event queue.
    pub fn run(self, service: Arc<dyn Service>, callers: Arc<dyn Callers>) -> io::Result<()> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(THREADS)
            .thread_keep_alive(THREAD_REST)
            .build()?;
        self.listener.set_nonblocking(true)?;
        let (_keep, stopped) = self.stop;
        let served = runtime.block_on(connection::serve(
            self.listener,
            router::router(service),
            callers,
            stopped,
        ));
        // Gone before the lock is, so that whoever takes the lock next does not find it.
        drop(std::fs::remove_file(&self.path));
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
