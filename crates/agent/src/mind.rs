//! The thread on which a [`Core`] thinks: requests and events come in, one after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_netlink::FdbEvent;

use crate::core::Core;
use crate::vital::Vital;

/// The whole node is looked at this often, for what events miss.
const FULL_LOOK: Duration = Duration::from_secs(15 * 60);
/// Events come in crowds: they are answered together, after so long.
const GATHER: Duration = Duration::from_millis(300);
/// The least time between two passes that events ask for.
const REST: Duration = Duration::from_secs(2);
/// A sign of life is given at least this often while nothing happens.
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
    Do(Box<dyn FnOnce(&mut Core) + Send>),
    /// Something happened here: look.
    Look,
    /// The policy changed, at that revision.
    Policy(u64),
    /// A bridge learned an address, or forgot one.
    Address(FdbEvent),
    /// Enough.
    Stop,
}

/// Where messages are put.
#[derive(Clone)]
pub(crate) struct Inbox(Sender<Message>);

impl Inbox {
    /// Puts a message; a mind that has ended does not miss it.
    pub fn put(&self, message: Message) {
        drop(self.0.send(message));
    }

    /// Has something done and waits for its answer; none when the mind has ended.
    pub fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = channel();
        let job = Box::new(move |core: &mut Core| drop(answer.send(what(core))));
        self.0.send(Message::Do(job)).ok()?;
        answered.recv().ok()
    }
}

/// An inbox and its other end.
pub(crate) fn inbox() -> (Inbox, Receiver<Message>) {
    let (sender, receiver) = channel();
    (Inbox(sender), receiver)
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
    inbox: &Receiver<Message>,
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
        let (whole, policy) = match inbox.recv_timeout(wait) {
            Ok(Message::Address(event)) => {
                core.heard_of_address(event);
                continue;
            }
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
