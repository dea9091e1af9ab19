//! Orders for this node: watched, taken, carried out and answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use accelnet_api::Role;
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Problem};
use accelnet_store::{Change, StoreError, Watch};

use super::order::{Held, Orders, Reply, State};
use super::problems::not_taken;
use crate::core::Core;
use crate::mind::{Inbox, Turn};
use crate::vital::End;
use crate::watchers::{INTERVAL, STORE_RETRY, watch};

/// Orders that wait for the engine; a further one is refused.
const MAX_QUEUED: usize = 256;

/// A place in the queue of the engine.
struct Queued(Arc<AtomicUsize>);

impl Queued {
    fn place(count: &Arc<AtomicUsize>) -> Option<Self> {
        let queued = Queued(count.clone());
        (count.fetch_add(1, Ordering::Relaxed) < MAX_QUEUED).then_some(queued)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Watches the orders for this node, and queues them for the engine.
pub(crate) fn watch_orders(inbox: &Inbox, orders: Orders, end: &End) {
    let watcher = OrderWatcher {
        inbox: inbox.clone(),
        orders,
        queued: Arc::default(),
    };
    watch("orders", STORE_RETRY, end, move |_| watcher.run());
}

/// Queues orders for the engine.
struct OrderWatcher {
    inbox: Inbox,
    orders: Orders,
    queued: Arc<AtomicUsize>,
}

impl OrderWatcher {
    /// Queues present and new orders until the store is closed. None if it has to begin again.
    fn run(&self) -> Option<()> {
        loop {
            let (keys, revision) = self.orders.keys().ok()?;
            let mut watch = self.orders.watch(revision + 1).ok()?;
            for key in keys {
                if let Some(held) = self.orders.held(&key).ok()? {
                    self.queue(&held);
                }
            }
            match self.follow(&mut *watch) {
                StoreError::Closed => return Some(()),
                _ => continue,
            }
        }
    }

    /// Queues new orders until a change is missed.
    fn follow(&self, watch: &mut dyn Watch) -> StoreError {
        loop {
            let changes = match watch.next(INTERVAL) {
                Ok(changes) => changes,
                Err(error @ (StoreError::Closed | StoreError::Compacted { .. })) => return error,
                // The watch resumes without missing a change.
                Err(_) => {
                    SystemClock.sleep(STORE_RETRY);
                    continue;
                }
            };
            for change in &changes {
                if let Change::Put(entry) = change
                    && let Some(held) = Held::of(entry)
                    && held.order.state == State::Waiting
                {
                    self.queue(&held);
                }
            }
        }
    }

    /// Queues an order, or refuses it if the queue is full.
    fn queue(&self, held: &Held) {
        let turn = match held.order.role {
            Role::Reader => Turn::Then,
            Role::Operator | Role::Administrator => Turn::First,
        };
        let key = held.key.clone();
        let is_queued = Queued::place(&self.queued).is_some_and(|queued| {
            let job = move |core: &mut Core| {
                let _queued = queued;
                carry_out(core, &key);
            };
            self.inbox.order(turn, Box::new(job)).is_ok()
        });
        if !is_queued {
            let found = "Orders of other nodes wait for their turn already.";
            let busy = Problem::new(Code::AgentBusy, &[], found);
            drop(self.orders.answer(&held.key, &Reply::Refused(busy)));
        }
    }
}

/// Carries out the order at `key` on the thread of the engine, or answers it after an interruption. Writes that
/// fail are repeated when the store answers again.
fn carry_out(core: &mut Core, key: &str) {
    if core.cut_off().is_some() {
        return;
    }
    let Ok(Some(held)) = core.orders.held(key) else {
        return;
    };
    let done = match &held.order.state {
        State::Waiting => take(core, &held),
        State::Taken => answer_interrupted(core, &held),
        State::Recorded(_) => core.orders.answer_recorded(&held.id),
        State::Answered(_) => Ok(()),
    };
    drop(done);
}

fn take(core: &mut Core, held: &Held) -> Result<(), StoreError> {
    let order = &held.order;
    let caller = order.caller();
    let Some(held) = core.orders.step(held, State::Taken)? else {
        return Ok(());
    };
    core.edge.failpoint("order taken");
    let done = core.asked_by(&caller, Some(held.id.clone()), |core, who| {
        match order.may() {
            Ok(()) => core.change_vms(who, &order.request),
            Err(problem) => {
                let refused: Result<(), Problem> = Err(problem.clone());
                core.tell_asked(who, "cluster", "change VMs", &refused);
                Err(problem)
            }
        }
    });
    core.edge.failpoint("order done");
    core.orders.answer(&held.key, &Reply::of(done))?;
    core.edge.failpoint("order answered");
    Ok(())
}

/// Answers an order that was taken and has neither a request nor outcomes: nothing was decided for it.
fn answer_interrupted(core: &mut Core, held: &Held) -> Result<(), StoreError> {
    let request = match core.policies.request() {
        Ok(request) => request,
        // Repeated when the store answers again.
        Err(_) => return Ok(()),
    };
    if request.is_some_and(|request| request.order.as_ref() == Some(&held.id)) {
        return Ok(());
    }
    let found = format!(
        "The agent of {} was interrupted before it began.",
        core.name
    );
    let problem = not_taken(&core.name, &found);
    core.orders.answer(&held.key, &Reply::Refused(problem))
}

impl Core {
    /// Carries out the orders for this node, and answers those that were interrupted.
    pub fn carry_out_orders(&mut self) {
        let Ok((keys, _)) = self.orders.keys() else {
            return;
        };
        for key in keys {
            carry_out(self, &key);
        }
    }
}

#[cfg(test)]
mod tests;
