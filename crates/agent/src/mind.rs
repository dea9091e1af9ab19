//! The thread on which a [`Core`] thinks: requests and events come in, one after the other.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_netlink::FdbEvent;
use tokio::sync::oneshot;

use crate::core::Core;
use crate::vital::Vital;

/// The whole node is looked at this often, for what events miss.
const FULL_LOOK: Duration = Duration::from_secs(15 * 60);
/// Events come in crowds: they are answered together, after so long.
const GATHER: Duration = Duration::from_millis(300);
/// The least time between two passes that events ask for.
const REST: Duration = Duration::from_secs(2);
/// A heartbeat is sent at least this often while nothing happens.
const BEAT: Duration = Duration::from_secs(120);
/// After so long without anything to do, nothing is going on: guests that drive their VFs are looked at
/// once a minute.
const QUIET: Duration = Duration::from_secs(45);
/// Running vNICs of accelerated VMs are looked at this often: libvirt reports no change of one.
const VNICS: Duration = Duration::from_secs(60);
/// What could not be done is tried again after so long.
const AGAIN: Duration = Duration::from_secs(60);

/// What comes in.
pub(crate) enum Message {
    /// Something to do.
    Do(Job),
    /// Somebody asked for something, which lies with the others.
    Asked,
    /// Something happened here: look.
    Look,
    /// The policy changed, at that revision.
    Policy(u64),
    /// A bridge learned an address, or forgot one.
    Address(FdbEvent),
    /// Enough.
    Stop,
}

/// Something to do on a [`Core`].
pub(crate) type Job = Box<dyn FnOnce(&mut Core) + Send>;

/// Requests of those who may only look that wait at once: more of them are refused.
const LOOKS: usize = 64;

/// Requests that wait for their turn.
#[derive(Default)]
struct Requests {
    /// How many there were.
    number: u64,
    /// Of those who may change things.
    first: VecDeque<(u64, Job)>,
    /// Of those who may only look.
    then: VecDeque<(u64, Job)>,
}

/// A request that somebody waits for: it is forgotten when this is dropped.
struct Waiting {
    requests: Arc<Mutex<Requests>>,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut requests = lock(&self.requests);
        let others = |(number, _): &(u64, Job)| *number != self.number;
        requests.first.retain(others);
        requests.then.retain(others);
    }
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Of somebody who may change things: it comes before all others that wait.
    First,
    /// Of somebody who may only look.
    Then,
}

/// Why a request gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Too many wait already.
    Busy,
    /// The mind has ended.
    Ended,
}

/// Where messages are put.
#[derive(Clone)]
pub(crate) struct Inbox {
    messages: Sender<Message>,
    requests: Arc<Mutex<Requests>>,
}

impl Inbox {
    /// Puts a message; a mind that has ended does not miss it.
    pub fn put(&self, message: Message) {
        drop(self.messages.send(message));
    }

    /// Has something done. Waiting for its answer takes no thread; what nobody waits for any more when its
    /// turn comes is not done.
    pub fn ask<T, F>(
        &self,
        turn: Turn,
        what: F,
    ) -> impl Future<Output = Result<T, Unanswered>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |core: &mut Core| {
            if !answer.is_closed() {
                // Whoever hung up meanwhile does not read it.
                drop(answer.send(what(core)));
            }
        });
        let waiting = self.queue(turn, job);
        async move {
            let _waiting = waiting?;
            answered.await.map_err(|_| Unanswered::Ended)
        }
    }

    /// Has something done that another node asked for: it is done when its turn comes.
    pub fn order(&self, turn: Turn, job: Job) -> Result<(), Unanswered> {
        self.number(turn, job).map(drop)
    }

    fn queue(&self, turn: Turn, job: Job) -> Result<Waiting, Unanswered> {
        let number = self.number(turn, job)?;
        Ok(Waiting {
            requests: self.requests.clone(),
            number,
        })
    }

    /// Queues a request; its number.
    fn number(&self, turn: Turn, job: Job) -> Result<u64, Unanswered> {
        let mut requests = lock(&self.requests);
        let number = requests.number;
        requests.number += 1;
        match turn {
            Turn::First => requests.first.push_back((number, job)),
            Turn::Then if requests.then.len() >= LOOKS => return Err(Unanswered::Busy),
            Turn::Then => requests.then.push_back((number, job)),
        }
        drop(requests);
        let sent = self.messages.send(Message::Asked);
        sent.map(|()| number).map_err(|_| Unanswered::Ended)
    }
}

/// What comes out of an [`Inbox`].
pub(crate) struct Outbox {
    messages: Receiver<Message>,
    requests: Arc<Mutex<Requests>>,
}

impl Outbox {
    /// The next message; a request is the first of those that wait.
    pub(crate) fn next(&self, within: Duration) -> Result<Message, RecvTimeoutError> {
        match self.messages.recv_timeout(within)? {
            Message::Asked => {
                let mut requests = lock(&self.requests);
                let job = requests.first.pop_front();
                let job = job.or_else(|| requests.then.pop_front());
                Ok(job.map_or(Message::Asked, |(_, job)| Message::Do(job)))
            }
            other => Ok(other),
        }
    }
}

impl Drop for Outbox {
    /// Whoever still waits is told that nobody answers.
    fn drop(&mut self) {
        let mut requests = lock(&self.requests);
        requests.first.clear();
        requests.then.clear();
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

/// The next pass that was asked for.
#[derive(Clone, Copy)]
struct Due {
    at: Duration,
    /// Something happened here; else only the policy changed.
    whole: bool,
    /// Revision of the last change of policy that was heard of.
    policy: u64,
}

/// Thinks until it is told to stop. `beat` is called at each turn, `rest` when nothing happened for
/// a while after something did.
pub(crate) fn think(
    mut core: Core,
    inbox: &Outbox,
    clock: &Arc<dyn Clock + Send + Sync>,
    beat: &dyn Fn(),
    rest: &dyn Fn(),
    // Dropped before the core, whose end may take a while.
    _vital: Vital,
) -> Core {
    let mut busy = true;
    let mut full_look = clock.uptime() + FULL_LOOK;
    let mut last_pass = clock.uptime();
    let mut vnics_at = last_pass + VNICS;
    let mut due: Option<Due> = None;
    loop {
        beat();
        let now = clock.uptime();
        let whole = full_look <= now || due.is_some_and(|due| due.whole);
        if full_look <= now || due.is_some_and(|due| due.at <= now) {
            let heard = due.take().map_or(0, |due| due.policy);
            busy = true;
            let passed = match whole {
                true => core.pass(),
                false => core.pass_of_policy(heard),
            };
            last_pass = clock.uptime();
            vnics_at = last_pass + VNICS;
            let failed = passed.is_err() || core.has_failures();
            let next = last_pass + if failed { AGAIN } else { FULL_LOOK };
            // Policy that changes again and again does not put the whole look off.
            full_look = match whole {
                true => next,
                false => next.min(full_look),
            };
            continue;
        }
        let path_look = core.next_path_look();
        let vnic_look = core.has_vnics().then_some(vnics_at);
        let is_due = |look: Option<Duration>| look.is_some_and(|look| look <= now);
        if is_due(path_look) || is_due(vnic_look) {
            let mut changed = is_due(path_look) && core.look_at_paths();
            // One turn for both, where one comes soon after the other.
            if vnic_look.is_some_and(|look| look <= now + VNICS / 2) {
                changed |= core.vnics_have_changed();
                vnics_at = now + VNICS;
            }
            if changed {
                due = Some(sooner(due, true, 0, now, last_pass));
            }
            continue;
        }
        let renewal = core.next_renewal();
        if renewal.is_some_and(|renewal| renewal <= now) {
            core.renewal_is_due();
            full_look = now;
            continue;
        }
        let filter = core.next_filter();
        if filter.is_some_and(|filter| filter <= now) {
            core.apply_filter();
            continue;
        }
        let next = [due.map(|due| due.at), path_look, vnic_look, renewal, filter];
        let next = next.into_iter().flatten().min();
        let next = next.map_or(full_look, |next| next.min(full_look));
        let wait = next.saturating_sub(now).min(BEAT);
        let (whole, policy) = match inbox.next(wait) {
            Ok(Message::Address(event)) => {
                core.heard_of_address(event);
                continue;
            }
            Ok(Message::Asked) => continue,
            Ok(Message::Look) => (true, 0),
            Ok(Message::Policy(revision)) => (false, revision),
            Ok(Message::Do(job)) => {
                core.nothing_heard = !due.is_some_and(|due| due.whole);
                core.answers_first = true;
                job(&mut core);
                core.nothing_heard = false;
                core.answers_first = false;
                // Whoever asked has an answer by now, and the other nodes can wait for theirs.
                core.report();
                busy = true;
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {
                if busy && wait >= QUIET {
                    rest();
                    busy = false;
                }
                continue;
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return core,
        };
        due = Some(sooner(due, whole, policy, clock.uptime(), last_pass));
    }
}

/// The next pass, when one more thing asks for it `now`.
fn sooner(due: Option<Due>, whole: bool, policy: u64, now: Duration, last_pass: Duration) -> Due {
    let earliest = (now + GATHER).max(last_pass + REST);
    Due {
        at: due.map_or(earliest, |due| due.at.min(earliest)),
        whole: whole || due.is_some_and(|due| due.whole),
        policy: policy.max(due.map_or(0, |due| due.policy)),
    }
}

#[cfg(all(test, feature = "simulated"))]
mod tests;
