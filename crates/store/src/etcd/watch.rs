//! A watch that goes on over lost connections: each time from the revision that it had.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use etcd_client::{Client, EventType, WatchOptions, WatchResponse};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::call::{Endpoints, MOST_BYTES};
use super::convert::{entry, key_below, signed, unsigned};
use crate::{Change, Close, StoreError, Watch};

/// How long to wait before watching again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Answers that wait for a reader before more are taken from etcd.
const MOST_WAITING: usize = 256;

/// What a watch has not returned yet.
#[derive(Default)]
struct Pending {
    answers: VecDeque<Result<Vec<Change>, StoreError>>,
    closed: bool,
    /// The follower panicked: changes may be missing.
    fallen: bool,
}

/// What a watch and the caller that reads it have in common.
#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    changed: Condvar,
    taken: tokio::sync::Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn push(&self, answer: Result<Vec<Change>, StoreError>) {
        while self.lock().answers.len() >= MOST_WAITING {
            self.taken.notified().await;
        }
        self.lock().answers.push_back(answer);
        self.changed.notify_all();
    }
}

impl Close for Shared {
    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Ends the watch when its thread ends.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().fallen = true;
            self.0.changed.notify_all();
        } else {
            self.0.close();
        }
    }
}

/// Changes below a prefix.
pub(super) struct EtcdWatch {
    shared: Arc<Shared>,
    telling: AbortHandle,
}

impl EtcdWatch {
    /// Begins to watch `key` and what begins with it, from that revision.
    pub(super) fn begin(
        handle: &Handle,
        endpoints: Arc<Endpoints>,
        key: Vec<u8>,
        prefix: String,
        from: u64,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let ending = Ending(Arc::clone(&shared));
        let follower = Follower {
            endpoints,
            key,
            prefix,
            next: from,
        };
        let telling = handle.spawn(async move { follower.follow(&ending.0).await });
        Self {
            shared,
            telling: telling.abort_handle(),
        }
    }
}

impl Watch for EtcdWatch {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let waiting = |pending: &mut Pending| {
            !pending.closed && !pending.fallen && pending.answers.is_empty()
        };
        let pending = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(pending, within, waiting);
        let (mut pending, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if pending.closed {
            return Err(StoreError::Closed);
        }
        let mut answer = pending.answers.pop_front();
        if answer.is_none() && pending.fallen {
            // The same remedy: watch again, from where the store is now.
            let (asked, oldest) = (0, 0);
            answer = Some(Err(StoreError::Compacted { asked, oldest }));
        }
        drop(pending);
        self.shared.taken.notify_one();
        answer.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn closer(&self) -> Arc<dyn Close> {
        self.shared.clone()
    }
}

impl Drop for EtcdWatch {
    fn drop(&mut self) {
        self.telling.abort();
    }
}

/// Follows the changes, at any member.
struct Follower {
    endpoints: Arc<Endpoints>,
    key: Vec<u8>,
    prefix: String,
    /// The first revision that was not reported yet.
    next: u64,
}

impl Follower {
    async fn follow(mut self, shared: &Shared) {
        let mut pause = PAUSE.0;
        loop {
            let (at, client) = self.endpoints.current();
            let before = self.next;
            match self.listen(client, shared).await {
                Ended::Lost => {}
                Ended::Compacted(oldest) => {
                    let asked = self.next;
                    shared
                        .push(Err(StoreError::Compacted { asked, oldest }))
                        .await;
                    // A caller that reads on gets the same again, and nothing that is out of order.
                    shared.taken.notified().await;
                }
            }
            self.endpoints.leave(at);
            pause = match self.next > before {
                true => PAUSE.0,
                false => (pause * 2).min(PAUSE.1),
            };
            sleep(pause).await;
        }
    }

    /// Passes on the changes of one member, until it ends.
    async fn listen(&mut self, client: Client, shared: &Shared) -> Ended {
        let options = WatchOptions::new()
            .with_prefix()
            .with_start_revision(signed(self.next))
            .with_progress_notify();
        let mut watcher = client.watch_client().max_decoding_message_size(MOST_BYTES);
        let Ok(mut stream) = watcher.watch(self.key.clone(), Some(options)).await else {
            return Ended::Lost;
        };
        loop {
            let answer = match stream.message().await {
                Ok(Some(answer)) => answer,
                Ok(None) | Err(_) => return Ended::Lost,
            };
            if answer.compact_revision() > 0 {
                return Ended::Compacted(unsigned(answer.compact_revision()));
            }
            if answer.canceled() {
                return Ended::Lost;
            }
            let changes = self.changes(&answer);
            match changes.last().map(Change::revision) {
                None => self.progress(&answer),
                Some(last) => {
                    shared.push(Ok(changes)).await;
                    self.next = self.next.max(last + 1);
                }
            }
        }
    }

    /// Everything up to a revision was reported: nothing of it is requested again, so that it may be
    /// compacted.
    fn progress(&mut self, answer: &WatchResponse) {
        let Some(header) = answer.header().filter(|_| !answer.created()) else {
            return;
        };
        self.next = self.next.max(unsigned(header.revision()) + 1);
    }

    fn changes(&self, answer: &WatchResponse) -> Vec<Change> {
        let mut changes = Vec::new();
        for event in answer.events() {
            let Some(kv) = event.kv() else { continue };
            changes.push(match event.event_type() {
                EventType::Put => Change::Put(entry(kv.clone(), &self.prefix)),
                EventType::Delete => Change::Delete {
                    key: key_below(kv.key(), &self.prefix),
                    revision: unsigned(kv.mod_revision()),
                },
            });
        }
        changes
    }
}

/// How listening ended.
enum Ended {
    /// The connection is gone, or the member has no leader: another is tried.
    Lost,
    /// What was requested is forgotten; what is known begins there.
    Compacted(u64),
}

/// The oldest revision whose changes are known: etcd's answer to a watch from the first.
pub(super) async fn oldest(client: Client, key: Vec<u8>) -> Result<u64, etcd_client::Error> {
    let options = WatchOptions::new().with_start_revision(1);
    let mut stream = client.watch_client().watch(key, Some(options)).await?;
    while let Some(answer) = stream.message().await? {
        if answer.compact_revision() > 0 {
            return Ok(unsigned(answer.compact_revision()));
        }
        if !answer.created() {
            break;
        }
    }
    Ok(1)
}

#[cfg(test)]
mod tests;
