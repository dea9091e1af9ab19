//! Orders for this node: watched, taken, carried out and answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Problem};
use accelnet_store::{Change, StoreError, Watch};

use super::order::{Held, Orders, Reply, State};
use super::problems::not_taken;
use crate::context::Context;
use crate::inbox::{Inbox, Priority};
use crate::reconcilers::Reconcilers;
use crate::requester::Requester;
use crate::requests::vms::{self, Scope};
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
        let priority = Priority::of(held.order.role);
        let key = held.key.clone();
        let is_queued = Queued::place(&self.queued).is_some_and(|queued| {
            let job = move |agent: &mut Reconcilers| {
                let _queued = queued;
                carry_out(agent, &key);
            };
            self.inbox.queue(priority, Box::new(job)).is_ok()
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
fn carry_out(agent: &mut Reconcilers, key: &str) {
    if agent.cut_off().is_some() {
        return;
    }
    let Ok(Some(held)) = agent.ctx.orders.held(key) else {
        return;
    };
    let done = match &held.order.state {
        State::Waiting => take(agent, &held),
        State::Taken => answer_interrupted(&agent.ctx, &held),
        State::Recorded(_) => agent.ctx.orders.answer_recorded(&held.id),
        State::Answered(_) => Ok(()),
    };
    drop(done);
}

fn take(agent: &mut Reconcilers, held: &Held) -> Result<(), StoreError> {
    let order = &held.order;
    let Some(held) = agent.ctx.orders.step(held, State::Taken)? else {
        return Ok(());
    };
    let who = Requester::of(&order.caller(), Some(held.id.clone()));
    agent.ctx.failpoint("order taken");
    let done = match order.may() {
        Ok(()) => vms::change(agent, &who, Scope::Cluster, &order.request),
        Err(problem) => {
            who.record_refusal(&agent.ctx, "change VMs", &problem);
            Err(problem)
        }
    };
    agent.ctx.failpoint("order done");
    agent.ctx.orders.answer(&held.key, &Reply::of(done))?;
    agent.ctx.failpoint("order answered");
    Ok(())
}

/// Answers an order that was taken and has neither a request nor outcomes: nothing was decided for it.
fn answer_interrupted(ctx: &Context, held: &Held) -> Result<(), StoreError> {
    let request = match ctx.policies.request() {
        Ok(request) => request,
        // Repeated when the store answers again.
        Err(_) => return Ok(()),
    };
    if request.is_some_and(|request| request.order.as_ref() == Some(&held.id)) {
        return Ok(());
    }
    let found = format!("The agent of {} was interrupted before it began.", ctx.node);
    let problem = not_taken(&ctx.node, &found);
    ctx.orders.answer(&held.key, &Reply::Refused(problem))
}

/// Carries out the orders for this node, and answers those that were interrupted.
pub(crate) fn carry_out_all(agent: &mut Reconcilers) {
    let Ok((keys, _)) = agent.ctx.orders.keys() else {
        return;
    };
    for key in keys {
        carry_out(agent, &key);
    }
}

#[cfg(test)]
mod tests;
