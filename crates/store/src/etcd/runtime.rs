//! The thread that runs the connections: what etcd's client does not do without.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::StoreError;

/// A thread for what waits on sockets. It ends when this is dropped.
pub(super) struct Runtime {
    handle: Handle,
    _end: oneshot::Sender<()>,
}

impl Runtime {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("etcd".to_owned())
            .spawn(move || {
                // It ends with an error when the other side is dropped: that is what is meant.
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self { handle, _end: end })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Has something done there, and waits for it.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = sync_channel(1);
        let answer = Answer(answer);
        self.handle.spawn(async move {
            let done = work.await;
            drop(answer.0.send(Ok(done)));
        });
        answered.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// Where an answer goes: work that falls over is no store that is closed.
struct Answer<T>(SyncSender<Result<T, StoreError>>);

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            drop(self.0.try_send(Err(StoreError::CutOff {
                store: "etcd".to_owned(),
                found: "its client fell over; this is a defect of accelnet".to_owned(),
            })));
        }
    }
}

#[cfg(test)]
mod tests;
