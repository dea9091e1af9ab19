//! Orders for this node: watched, taken, carried out and answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use accelnet_api::Role;
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Problem};
use accelnet_store::{Change, StoreError, Watch};

use super::order::{Held, Orders, Reply, State};
use crate::core::Core;
use crate::mind::{Inbox, Turn};
use crate::run::hear;
use crate::vital::End;

/// How long the watch waits at once.
const LISTEN: Duration = Duration::from_secs(3600);
/// How long a watch that failed waits before it begins again.
const OUT_OF_TOUCH: Duration = Duration::from_secs(5);
/// Orders that wait for the engine at once; a further one is refused.
const MOST: usize = 256;

/// A place among the orders that wait for the engine.
struct Queued(Arc<AtomicUsize>);

impl Queued {
    fn place(count: &Arc<AtomicUsize>) -> Option<Self> {
        let queued = Queued(count.clone());
        (count.fetch_add(1, Ordering::Relaxed) < MOST).then_some(queued)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Watches the orders of this node, and hands them to the engine.
pub(crate) fn listen(inbox: &Inbox, orders: Orders, end: &End) {
    let door = Door {
        inbox: inbox.clone(),
        orders,
        queued: Arc::default(),
    };
    hear("orders", OUT_OF_TOUCH, end, move |_| door.watch());
}

/// Where orders come in.
struct Door {
    inbox: Inbox,
    orders: Orders,
    queued: Arc<AtomicUsize>,
}

impl Door {
    /// Hands in what is there and what comes, until the store is closed. None when it has to begin again.
    fn watch(&self) -> Option<()> {
        loop {
            let (keys, revision) = self.orders.keys().ok()?;
            let mut watch = self.orders.watch(revision + 1).ok()?;
            for key in keys {
                if let Some(held) = self.orders.held(&key).ok()? {
                    self.hand_in(&held);
                }
            }
            match self.follow(&mut *watch) {
                StoreError::Closed => return Some(()),
                _ => continue,
            }
        }
    }

    /// Hands in new orders, until something was missed.
    fn follow(&self, watch: &mut dyn Watch) -> StoreError {
        loop {
            let changes = match watch.next(LISTEN) {
                Ok(changes) => changes,
                Err(error @ (StoreError::Closed | StoreError::Compacted { .. })) => return error,
                // It misses nothing.
                Err(_) => {
                    SystemClock.sleep(OUT_OF_TOUCH);
                    continue;
                }
            };
            for change in &changes {
                if let Change::Put(entry) = change
                    && let Some(held) = Held::of(entry)
                    && held.order.state == State::Waiting
                {
                    self.hand_in(&held);
                }
            }
        }
    }

    /// Has the engine carry out an order when it has time. One that cannot be refused for want of a place is
    /// withdrawn by its asker.
    fn hand_in(&self, held: &Held) {
        let turn = match held.order.role {
            Role::Reader => Turn::Then,
            Role::Operator | Role::Administrator => Turn::First,
        };
        let key = held.key.clone();
        let handed = Queued::place(&self.queued).is_some_and(|queued| {
            let job = move |core: &mut Core| {
                let _queued = queued;
                carry_out(core, &key);
            };
            self.inbox.order(turn, Box::new(job)).is_ok()
        });
        if !handed {
            let found = "Orders of other nodes wait for their turn already.";
            let busy = Problem::new(Code::AgentBusy, &[], found);
            drop(self.orders.answer(&held.key, &Reply::Refused(busy)));
        }
    }
}

/// Carries out the order at `key`, on the thread of the engine; answers one that an agent before this one, or a
/// store that went away, left open. What cannot be written now is done when the store answers again.
fn carry_out(core: &mut Core, key: &str) {
    if core.cut_off().is_some() {
        return;
    }
    let Ok(Some(held)) = core.orders.held(key) else {
        return;
    };
    let done = match &held.order.state {
        State::Waiting => take(core, &held),
        State::Taken => answer_unbegun(core, &held),
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
    core.edge.passing("order taken");
    let change = order.request.as_change();
    let done = core.asked_by(&caller, Some(held.id.clone()), |core, who| {
        match order.may() {
            Ok(()) => core.change_vms(who, &change),
            Err(problem) => {
                let refused: Result<(), Problem> = Err(problem.clone());
                core.tell_asked(who, "cluster", "change VMs", &refused);
                Err(problem)
            }
        }
    });
    core.edge.passing("order done");
    core.orders.answer(&held.key, &Reply::of(done))?;
    core.edge.passing("order answered");
    Ok(())
}

/// Nothing was decided for an order that was taken and has neither a request nor outcomes.
fn answer_unbegun(core: &mut Core, held: &Held) -> Result<(), StoreError> {
    let request = match core.policies.request() {
        Ok(request) => request,
        // It is read again when the store answers.
        Err(_) => return Ok(()),
    };
    if request.is_some_and(|request| request.order.as_ref() == Some(&held.id)) {
        return Ok(());
    }
    let found = format!(
        "The agent of {} was interrupted before it began.",
        core.name
    );
    let problem = super::not_taken(&core.name, &found);
    core.orders.answer(&held.key, &Reply::Refused(problem))
}

impl Core {
    /// Carries out the orders for this node, and answers those that were left open while the store was away.
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
