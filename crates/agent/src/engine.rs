//! The engine: one thread that runs requests and reconciles, one after the other, when they are due. It knows the
//! reconcilers' timers, and nothing of what they do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use accelnet_host::Clock;

use crate::inbox::{Job, Message, Outbox};
use crate::logging;
use crate::reconcilers::Reconcilers;
use crate::vital::Vital;

/// The whole node is observed this often, for what events miss.
const WHOLE: Duration = Duration::from_secs(15 * 60);
/// Events are gathered for so long.
const GATHER: Duration = Duration::from_millis(300);
/// The least time from one reconcile to the next but one because of events: one that follows another soon, such as
/// after the loss of a link, does not wait.
const REST: Duration = Duration::from_secs(2);
/// A heartbeat is sent at least this often while nothing happens.
const BEAT: Duration = Duration::from_secs(120);
/// After so long without anything to do the engine is quiet: guests that drive their VFs are checked once a minute.
const QUIET: Duration = Duration::from_secs(45);
/// Running vNICs of accelerated VMs are checked this often: libvirt reports no change of one.
const VNICS: Duration = Duration::from_secs(60);
/// What failed is tried again after so long.
const AGAIN: Duration = Duration::from_secs(60);

/// What the engine calls.
pub(crate) struct Calls<'a> {
    /// At each turn.
    pub beat: &'a dyn Fn(),
    /// When nothing has happened for a while after something did.
    pub quiet: &'a dyn Fn(),
}

/// What the next reconcile is for.
#[derive(Debug, Default)]
struct Due {
    at: Duration,
    whole: bool,
    /// Revision of the last change of the policy that was reported.
    policy: Option<u64>,
    vms: BTreeSet<String>,
}

/// Reconcilers and their timers.
struct Engine {
    agent: Reconcilers,
    clock: Arc<dyn Clock + Send + Sync>,
    busy: bool,
    /// When the whole node is observed at the latest.
    whole_at: Duration,
    vnics_at: Duration,
    last: Duration,
    last_but_one: Duration,
    due: Option<Due>,
}

/// Runs until the engine is stopped.
pub(crate) fn run(
    agent: Reconcilers,
    outbox: &Outbox,
    clock: Arc<dyn Clock + Send + Sync>,
    calls: &Calls<'_>,
    // Dropped before the reconcilers, whose end may take a while.
    _vital: Vital,
) -> Reconcilers {
    let now = clock.uptime();
    let mut engine = Engine {
        agent,
        clock,
        busy: true,
        whole_at: now + WHOLE,
        vnics_at: now + VNICS,
        last: now,
        last_but_one: now,
        due: None,
    };
    loop {
        (calls.beat)();
        let now = engine.clock.uptime();
        if engine.reconcile(now) || engine.check(now) {
            continue;
        }
        let wait = engine.next().saturating_sub(now).min(BEAT);
        match outbox.next(wait) {
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return engine.agent,
            Ok(message) => engine.receive(message),
            Err(RecvTimeoutError::Timeout) => {
                if engine.busy && wait >= QUIET {
                    (calls.quiet)();
                    engine.busy = false;
                }
            }
        }
    }
}

impl Engine {
    /// Runs a reconcile that is due; whether there was one.
    fn reconcile(&mut self, now: Duration) -> bool {
        let is_late = self.whole_at <= now;
        let Some(due) = self.due.take_if(|due| is_late || due.at <= now) else {
            if is_late {
                self.reconcile_whole();
            }
            return is_late;
        };
        match is_late || due.whole {
            true => self.reconcile_whole(),
            false => {
                let _span = logging::reconcile(match due.policy {
                    Some(_) => "policy",
                    None => "VMs",
                });
                let done = self.agent.reconcile_changed(due.policy, &due.vms);
                let next = self.after_reconcile(done.is_err());
                // Changes again and again do not put off the observation of the whole node.
                self.whole_at = self.whole_at.min(next);
            }
        }
        true
    }

    fn reconcile_whole(&mut self) {
        let _span = logging::reconcile("node");
        let done = self.agent.reconcile();
        self.whole_at = self.after_reconcile(done.is_err());
    }

    /// When the whole node is to be observed after a reconcile.
    fn after_reconcile(&mut self, failed: bool) -> Duration {
        self.busy = true;
        self.last_but_one = std::mem::replace(&mut self.last, self.clock.uptime());
        self.vnics_at = self.last + VNICS;
        match failed || self.agent.have_failures() {
            true => self.last + AGAIN,
            false => self.last + WHOLE,
        }
    }

    /// Runs a check that is due; whether there was one.
    fn check(&mut self, now: Duration) -> bool {
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let paths = is_due(self.agent.next_path_check());
        let vnics = self.next_vnics();
        if paths || is_due(vnics) {
            let mut changed = paths && self.agent.check_paths();
            // Both in one turn, where one is due soon after the other.
            if vnics.is_some_and(|at| at <= now + VNICS / 2) {
                let Reconcilers { ctx, vms, .. } = &mut self.agent;
                changed |= vms.vnics.have_changed(ctx);
                self.vnics_at = now + VNICS;
            }
            if changed {
                self.schedule(|due| due.whole = true);
            }
            return true;
        }
        let host_network = &mut self.agent.intents.host_network;
        if is_due(host_network.next_due()) {
            host_network.recheck(now);
            self.whole_at = now;
            return true;
        }
        let filter = &mut self.agent.vms.bridge.filter;
        if is_due(filter.due()) {
            filter.apply(&self.agent.ctx);
            return true;
        }
        false
    }

    fn next_vnics(&self) -> Option<Duration> {
        let running = self.agent.vms.vnics.are_running();
        running.then_some(self.vnics_at)
    }

    /// When something is due next.
    fn next(&self) -> Duration {
        let timers = [
            self.due.as_ref().map(|due| due.at),
            self.agent.next_path_check(),
            self.next_vnics(),
            self.agent.intents.host_network.next_due(),
            self.agent.vms.bridge.filter.due(),
        ];
        let next = timers.into_iter().flatten().min();
        next.map_or(self.whole_at, |next| next.min(self.whole_at))
    }

    fn receive(&mut self, message: Message) {
        match message {
            Message::Run(job) => self.run(job),
            Message::Address(event) => self.agent.address_event(&event),
            Message::Node => self.schedule(|due| due.whole = true),
            Message::Vm(uuid) => self.schedule(|due| due.vms.extend([uuid])),
            Message::Policy(revision) => {
                self.schedule(|due| due.policy = due.policy.max(Some(revision)));
            }
            Message::Requested | Message::Stop => {}
        }
    }

    fn run(&mut self, job: Job) {
        let is_waiting = |due: &Due| due.whole || !due.vms.is_empty();
        self.agent.observer.is_current = !self.due.as_ref().is_some_and(is_waiting);
        job(&mut self.agent);
        self.agent.observer.is_current = false;
        // The caller has an answer by now, and the other nodes can wait for the report.
        self.agent.ctx.reports.write();
        self.busy = true;
    }

    /// One more event requires a reconcile.
    fn schedule(&mut self, event: impl FnOnce(&mut Due)) {
        let earliest = (self.clock.uptime() + GATHER).max(self.last_but_one + REST);
        let due = self.due.get_or_insert_with(|| Due {
            at: earliest,
            ..Due::default()
        });
        due.at = due.at.min(earliest);
        event(due);
    }
}
