//! The inbox of the engine: requests and events, of which changes come before reads.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelnet_api::Role;
use accelnet_netlink::FdbEvent;
use tokio::sync::oneshot;

use crate::reconcilers::Reconcilers;

/// A message to the engine.
pub(crate) enum Message {
    /// Something to be run.
    Run(Job),
    /// A request was queued.
    Requested,
    /// The node changed.
    Node,
    /// The VM with that UUID changed.
    Vm(String),
    /// The policy changed, at that revision.
    Policy(u64),
    /// A bridge learned an address, or forgot one.
    Address(FdbEvent),
    /// The engine ends.
    Stop,
}

/// Something that the engine runs.
pub(crate) type Job = Box<dyn FnOnce(&mut Reconcilers) + Send>;

/// Requests of readers that wait at most: further ones are refused.
const READS: usize = 64;

impl Priority {
    /// The priority of a caller with that role.
    pub fn of(role: Role) -> Self {
        match role {
            Role::Reader => Priority::Read,
            Role::Operator | Role::Administrator => Priority::Change,
        }
    }
}

/// Requests that wait.
#[derive(Default)]
struct Requests {
    /// How many there were.
    number: u64,
    changes: VecDeque<(u64, Job)>,
    reads: VecDeque<(u64, Job)>,
}

/// A request that a caller waits for: it is removed when this is dropped.
struct Waiting {
    requests: Arc<Mutex<Requests>>,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut requests = lock(&self.requests);
        let is_other = |(number, _): &(u64, Job)| *number != self.number;
        requests.changes.retain(is_other);
        requests.reads.retain(is_other);
    }
}

/// The order of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Of a caller that may change things: before all reads that wait.
    Change,
    /// Of a caller that may only read.
    Read,
}

/// Why a request gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Too many wait already.
    Busy,
    /// The engine has ended.
    Ended,
}

/// Where messages are put.
#[derive(Clone)]
pub(crate) struct Inbox {
    messages: Sender<Message>,
    requests: Arc<Mutex<Requests>>,
}

impl Inbox {
    /// Puts a message. An engine that has ended misses nothing.
    pub fn put(&self, message: Message) {
        drop(self.messages.send(message));
    }

    /// Runs something for which no caller waits.
    pub fn run(&self, job: impl FnOnce(&mut Reconcilers) + Send + 'static) {
        self.put(Message::Run(Box::new(job)));
    }

    /// Has a request run. Its caller takes no thread while it waits; a request whose caller hangs up is not run.
    pub fn request<T, F>(
        &self,
        priority: Priority,
        what: F,
    ) -> impl Future<Output = Result<T, Unanswered>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reconcilers) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |agent: &mut Reconcilers| {
            if !answer.is_closed() {
                // The caller may hang up meanwhile.
                drop(answer.send(what(agent)));
            }
        });
        let waiting = self.queue(priority, job).map(|number| Waiting {
            requests: self.requests.clone(),
            number,
        });
        async move {
            let _waiting = waiting?;
            answered.await.map_err(|_| Unanswered::Ended)
        }
    }

    /// Queues a request, and returns its number.
    pub fn queue(&self, priority: Priority, job: Job) -> Result<u64, Unanswered> {
        let mut requests = lock(&self.requests);
        let number = requests.number;
        requests.number += 1;
        match priority {
            Priority::Change => requests.changes.push_back((number, job)),
            Priority::Read if requests.reads.len() >= READS => return Err(Unanswered::Busy),
            Priority::Read => requests.reads.push_back((number, job)),
        }
        drop(requests);
        let sent = self.messages.send(Message::Requested);
        sent.map(|()| number).map_err(|_| Unanswered::Ended)
    }
}

/// The other end of an [`Inbox`].
pub(crate) struct Outbox {
    messages: Receiver<Message>,
    requests: Arc<Mutex<Requests>>,
}

impl Outbox {
    /// The next message; of requests the first one that waits.
    pub(crate) fn next(&self, within: Duration) -> Result<Message, RecvTimeoutError> {
        match self.messages.recv_timeout(within)? {
            Message::Requested => {
                let mut requests = lock(&self.requests);
                let job = requests.changes.pop_front();
                let job = job.or_else(|| requests.reads.pop_front());
                Ok(job.map_or(Message::Requested, |(_, job)| Message::Run(job)))
            }
            other => Ok(other),
        }
    }
}

impl Drop for Outbox {
    /// Callers that wait get an error.
    fn drop(&mut self) {
        let mut requests = lock(&self.requests);
        requests.changes.clear();
        requests.reads.clear();
    }
}

fn lock(requests: &Mutex<Requests>) -> MutexGuard<'_, Requests> {
    requests.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An inbox and its other end.
pub(crate) fn inbox() -> (Inbox, Outbox) {
    let (sender, receiver) = channel();
    let requests = Arc::<Mutex<Requests>>::default();
    let inbox = Inbox {
        messages: sender,
        requests: requests.clone(),
    };
    let outbox = Outbox {
        messages: receiver,
        requests,
    };
    (inbox, outbox)
}

#[cfg(all(test, feature = "simulated"))]
mod tests;
