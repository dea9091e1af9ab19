//! The orders of one request: written, and watched until they are answered.

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_api::types::VmChanged;
use accelnet_model::{Code, Problem, Uuid};
use accelnet_store::{Change, Commit, Entry, StoreError, Stored, Txn, Watch};

use super::asker::{ANSWER_WITHIN, Asker, TAKE_WITHIN};
use super::order::{Order, Reply, State, orders_of};
use super::problems::unanswered;
use crate::files::random_uuid;
use crate::problems::store_failed;

/// How often the nodes that took an order are checked for heartbeats.
const CHECK: Duration = Duration::from_secs(30);
/// The pause after a failed watch.
const RETRY: Duration = Duration::from_secs(1);
/// How often a transaction on an order is repeated because the order changed.
const ATTEMPTS: u32 = 8;

/// The answer to an order.
pub(crate) type Answered = Result<VmChanged, Problem>;

/// An order that is not in the store yet.
pub(super) struct NewOrder {
    /// Its node.
    pub node: String,
    /// The order.
    pub order: Order,
}

/// An order that is in the store.
struct Waiting {
    /// Its place among the answers.
    place: usize,
    node: String,
    key: String,
    taken: bool,
    /// The uptime until which its node has to take it, or to answer it.
    until: Duration,
}

/// The result of an attempt to withdraw an order.
enum Withdrawal {
    Withdrawn,
    Taken,
    Answered(Reply),
    Gone,
}

/// The orders of one request.
pub(super) struct Round {
    asker: Asker,
    watch: Box<dyn Watch>,
    waiting: Vec<Waiting>,
    answers: Vec<Option<Answered>>,
    /// The uptime of the last check for heartbeats.
    checked: Duration,
}

/// Common prefix of the orders for `nodes`.
pub(super) fn prefix_of(nodes: &[&str]) -> String {
    match nodes {
        [only] => orders_of(only),
        _ => "nodes/".to_owned(),
    }
}

impl Round {
    /// Orders of `asker`; `watch` begins before they are written.
    pub fn new(asker: Asker, watch: Box<dyn Watch>) -> Self {
        Round {
            checked: asker.clock.uptime(),
            asker,
            watch,
            waiting: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Writes the orders, and waits for their answers in the same order. Closing the watch withdraws them.
    pub fn run(mut self, orders: &[NewOrder]) -> Vec<Answered> {
        for (place, one) in orders.iter().enumerate() {
            let written = self.write(place, one);
            self.answers.push(written.err().map(Err));
        }
        while !self.waiting.is_empty() {
            self.expire();
            let within = self.pause();
            match self.watch.next(within) {
                Ok(changes) => changes.iter().for_each(|change| self.apply(change)),
                Err(StoreError::Closed) => self.withdraw_all(),
                Err(StoreError::Compacted { .. }) => self.begin_again(),
                // The watch resumes without missing a change.
                Err(_) => self.asker.clock.sleep(RETRY),
            }
        }
        self.answers.into_iter().flatten().collect()
    }

    /// Writes an order. If the store did not answer, it may have been written.
    fn write(&mut self, place: usize, new: &NewOrder) -> Result<(), Problem> {
        let key = format!("{}{}", orders_of(&new.node), new_id()?);
        let lease = self.asker.lease()?;
        let txn = Txn::new()
            .check(&key, 0)
            .put_json_leased(&key, &new.order, lease);
        let done = txn.and_then(|txn| self.asker.store.commit(&txn));
        let waiting = Waiting {
            place,
            node: new.node.clone(),
            key,
            taken: false,
            until: self.asker.clock.uptime() + TAKE_WITHIN,
        };
        let Err(error) = done else {
            self.waiting.push(waiting);
            return Ok(());
        };
        match self.withdraw(&waiting) {
            Ok(Withdrawal::Gone | Withdrawal::Withdrawn) => Err(store_failed(&error)),
            Ok(Withdrawal::Taken | Withdrawal::Answered(_)) => {
                self.waiting.push(waiting);
                Ok(())
            }
            Err(_) => Err(self.cut_off(&waiting)),
        }
    }

    /// The time until the next deadline or check.
    fn pause(&self) -> Duration {
        let now = self.asker.clock.uptime();
        let next = self.waiting.iter().map(|one| match one.taken {
            false => one.until.saturating_sub(now),
            true => one.until.saturating_sub(now).min(CHECK),
        });
        next.min().unwrap_or_default()
    }

    fn apply(&mut self, change: &Change) {
        let Some(at) = self.waiting.iter().position(|one| one.key == change.key()) else {
            return;
        };
        match change {
            Change::Put(entry) => self.update(at, entry),
            Change::Delete { .. } => {
                let problem = self.gone(&self.waiting[at]);
                self.finish(at, Err(problem));
            }
        }
    }

    /// Updates an order from its entry. An entry of a later release counts as taken.
    fn update(&mut self, at: usize, entry: &Entry) {
        match state_of(entry) {
            None | Some(State::Taken | State::Recorded(_)) => self.set_taken(at),
            Some(State::Waiting) => {}
            Some(State::Answered(reply)) => self.set_answer(at, reply),
        }
    }

    fn set_taken(&mut self, at: usize) {
        let until = self.asker.clock.uptime() + ANSWER_WITHIN;
        let one = &mut self.waiting[at];
        if !one.taken {
            one.taken = true;
            one.until = until;
        }
    }

    fn set_answer(&mut self, at: usize, reply: Reply) {
        self.remove(&self.waiting[at]);
        let answer = match reply {
            Reply::Changed(changed) => Ok(changed),
            Reply::Refused(problem) => Err(problem),
        };
        self.finish(at, answer);
    }

    /// Ends the waiting for an order.
    fn finish(&mut self, at: usize, answer: Answered) {
        let one = self.waiting.swap_remove(at);
        self.answers[one.place] = Some(answer);
    }

    /// Ends orders after their deadlines, and orders that were taken by nodes that are down.
    fn expire(&mut self) {
        let now = self.asker.clock.uptime();
        let mut down = BTreeSet::new();
        if self.checked + CHECK <= now && self.waiting.iter().any(|one| one.taken) {
            self.checked = now;
            down = self.asker.nodes.down().unwrap_or_default();
        }
        for at in (0..self.waiting.len()).rev() {
            let one = &self.waiting[at];
            if one.taken && (one.until <= now || down.contains(&one.node)) {
                self.give_up(at);
            } else if !one.taken && one.until <= now {
                self.not_taken(at);
            }
        }
    }

    /// Withdraws an order that was not taken in time.
    fn not_taken(&mut self, at: usize) {
        let one = &self.waiting[at];
        let problem = match self.withdraw(one) {
            Ok(Withdrawal::Withdrawn) => self.asker.not_taken(&one.node),
            Ok(Withdrawal::Taken) => return self.set_taken(at),
            Ok(Withdrawal::Answered(reply)) => return self.set_answer(at, reply),
            Ok(Withdrawal::Gone) => self.gone(one),
            Err(_) => self.cut_off(one),
        };
        self.finish(at, Err(problem));
    }

    /// Ends an order that was taken and not answered in time.
    fn give_up(&mut self, at: usize) {
        let one = &self.waiting[at];
        self.remove(one);
        let problem = unanswered(&one.node, &self.asker.state_of(&one.node));
        self.finish(at, Err(problem));
    }

    fn cut_off(&self, one: &Waiting) -> Problem {
        let found = format!("{} is cut off from the store.", self.asker.node);
        unanswered(&one.node, &found)
    }

    fn gone(&self, one: &Waiting) -> Problem {
        let found = format!(
            "The request ({}) was removed from the store when the lease of {} ended.",
            one.key, self.asker.node
        );
        unanswered(&one.node, &found)
    }

    /// Removes an order unless a node took it.
    fn withdraw(&self, one: &Waiting) -> Result<Withdrawal, StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.asker.store.get(&one.key)? else {
                return Ok(Withdrawal::Gone);
            };
            match state_of(&entry) {
                None | Some(State::Taken | State::Recorded(_)) => return Ok(Withdrawal::Taken),
                Some(State::Answered(reply)) => return Ok(Withdrawal::Answered(reply)),
                Some(State::Waiting) => {}
            }
            let txn = Txn::new()
                .check(&one.key, entry.mod_revision)
                .delete(&one.key);
            if let Commit::Done { .. } = self.asker.store.commit(&txn)? {
                return Ok(Withdrawal::Withdrawn);
            }
        }
        Ok(Withdrawal::Taken)
    }

    /// Removes an order in any state. After a failure it ends with the lease.
    fn remove(&self, one: &Waiting) {
        drop(self.asker.store.commit(&Txn::new().delete(&one.key)));
    }

    /// The caller no longer waits: orders that were not taken are withdrawn.
    fn withdraw_all(&mut self) {
        for one in std::mem::take(&mut self.waiting) {
            if let Ok(Withdrawal::Taken | Withdrawal::Answered(_)) = self.withdraw(&one) {
                self.remove(&one);
            }
            let found = "The caller hung up.";
            self.answers[one.place] = Some(Err(unanswered(&one.node, found)));
        }
    }

    /// Changes may have been missed: the orders are read.
    fn begin_again(&mut self) {
        let nodes: Vec<&str> = self.waiting.iter().map(|one| one.node.as_str()).collect();
        match self.asker.store.watch(&prefix_of(&nodes), 0) {
            Ok(watch) => self.watch = watch,
            Err(_) => return self.asker.clock.sleep(RETRY),
        }
        for at in (0..self.waiting.len()).rev() {
            match self.asker.store.get(&self.waiting[at].key) {
                Ok(Some(entry)) => self.update(at, &entry),
                Ok(None) => {
                    let key = self.waiting[at].key.clone();
                    self.apply(&Change::Delete { key, revision: 0 });
                }
                Err(_) => {}
            }
        }
    }
}

/// The state of an order; none if a later release wrote it.
fn state_of(entry: &Entry) -> Option<State> {
    let stored = Stored::<Order>::read(entry).ok()?;
    Some(stored.value.state)
}

fn new_id() -> Result<Uuid, Problem> {
    random_uuid().map_err(|error| {
        let found = format!("The kernel provides no random number: {error}.");
        Problem::new(Code::AgentBusy, &[], found)
    })
}

#[cfg(test)]
mod tests;
