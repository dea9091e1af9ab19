//! Orders of one request, written and waited for.

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_api::types::VmChanged;
use accelnet_model::{Code, Problem, Uuid};
use accelnet_store::{Change, Commit, Entry, StoreError, Stored, Txn, Watch};

use super::asking::Asker;
use super::order::{Order, Reply, State, orders_of};
use super::unanswered;
use crate::policy::store_failed;

/// How often the nodes that took an order are checked for heartbeats.
const CHECK: Duration = Duration::from_secs(30);
/// How long a failed watch rests.
const REST: Duration = Duration::from_secs(1);
/// How often a transaction on an order is repeated because the order changed.
const TURNS: u32 = 8;

/// What became of an order.
pub(super) type Answered = Result<VmChanged, Problem>;

/// An order to be written.
pub(super) struct Wanted {
    /// The node that it is for.
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
    /// Until when it has to be taken, or answered.
    until: Duration,
}

/// What was found when an order was to be withdrawn.
enum Found {
    Withdrawn,
    Taken,
    Answered(Reply),
    Gone,
}

/// One request's orders.
pub(super) struct Round {
    asker: Asker,
    watch: Box<dyn Watch>,
    waiting: Vec<Waiting>,
    answers: Vec<Option<Answered>>,
    /// When the nodes were checked for heartbeats.
    checked: Duration,
}

/// What the keys of the orders for `nodes` begin with.
pub(super) fn prefix_of(nodes: &[&str]) -> String {
    match nodes {
        [only] => orders_of(only),
        _ => "nodes/".to_owned(),
    }
}

impl Round {
    /// A round of `asker`; `watch` began before anything is written.
    pub fn new(asker: Asker, watch: Box<dyn Watch>) -> Self {
        Round {
            checked: asker.clock.uptime(),
            asker,
            watch,
            waiting: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Writes the orders and waits for their answers, in the order of `wanted`; until the watch is closed, which
    /// withdraws them.
    pub fn run(mut self, wanted: &[Wanted]) -> Vec<Answered> {
        for (place, one) in wanted.iter().enumerate() {
            let written = self.write(place, one);
            self.answers.push(written.err().map(Err));
        }
        while !self.waiting.is_empty() {
            self.expire();
            let within = self.next();
            match self.watch.next(within) {
                Ok(changes) => changes.iter().for_each(|change| self.hears(change)),
                Err(StoreError::Closed) => self.withdraw_all(),
                Err(StoreError::Compacted { .. }) => self.begin_again(),
                // It misses nothing.
                Err(_) => self.asker.clock.sleep(REST),
            }
        }
        self.answers.into_iter().flatten().collect()
    }

    /// Writes an order. Of one that may be written although the store did not answer, nothing is known.
    fn write(&mut self, place: usize, wanted: &Wanted) -> Result<(), Problem> {
        let key = format!("{}{}", orders_of(&wanted.node), new_id()?);
        let lease = self.asker.lease()?;
        let txn = Txn::new()
            .check(&key, 0)
            .put_json_leased(&key, &wanted.order, lease);
        let done = txn.and_then(|txn| self.asker.store.commit(&txn));
        let waiting = Waiting {
            place,
            node: wanted.node.clone(),
            key,
            taken: false,
            until: self.asker.clock.uptime() + self.asker.times.take,
        };
        let Err(error) = done else {
            self.waiting.push(waiting);
            return Ok(());
        };
        match self.withdraw(&waiting) {
            Ok(Found::Gone | Found::Withdrawn) => Err(store_failed(&error)),
            Ok(Found::Taken | Found::Answered(_)) => {
                self.waiting.push(waiting);
                Ok(())
            }
            Err(_) => Err(unanswered(&waiting.node, &cut_off(&self.asker))),
        }
    }

    /// How long to wait at once.
    fn next(&self) -> Duration {
        let now = self.asker.clock.uptime();
        let next = self.waiting.iter().map(|one| match one.taken {
            false => one.until.saturating_sub(now),
            true => one.until.saturating_sub(now).min(CHECK),
        });
        next.min().unwrap_or_default()
    }

    fn hears(&mut self, change: &Change) {
        let Some(at) = self.waiting.iter().position(|one| one.key == change.key()) else {
            return;
        };
        match change {
            Change::Put(entry) => self.has(at, entry),
            Change::Delete { .. } => {
                let one = self.waiting.swap_remove(at);
                let found = gone(&self.asker, &one.key);
                self.answers[one.place] = Some(Err(unanswered(&one.node, &found)));
            }
        }
    }

    /// An order is as `entry` has it. What a later release made of it is waited for like one that is taken.
    fn has(&mut self, at: usize, entry: &Entry) {
        match state_of(entry) {
            None | Some(State::Taken | State::Recorded(_)) => self.is_taken(at),
            Some(State::Waiting) => {}
            Some(State::Answered(reply)) => self.is_answered(at, reply),
        }
    }

    fn is_taken(&mut self, at: usize) {
        let until = self.asker.clock.uptime() + self.asker.times.answer;
        let one = &mut self.waiting[at];
        if !one.taken {
            one.taken = true;
            one.until = until;
        }
    }

    fn is_answered(&mut self, at: usize, reply: Reply) {
        let one = self.waiting.swap_remove(at);
        self.remove(&one);
        self.answers[one.place] = Some(match reply {
            Reply::Changed(changed) => Ok(changed),
            Reply::Refused(problem) => Err(problem),
        });
    }

    /// Ends what was waited for long enough, and what a node that is down took.
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
                self.gives_up(at);
            } else if !one.taken && one.until <= now {
                self.is_late(at);
            }
        }
    }

    /// An order was not taken in time.
    fn is_late(&mut self, at: usize) {
        let one = &self.waiting[at];
        let problem = match self.withdraw(one) {
            Ok(Found::Withdrawn) => self.asker.not_taken(&one.node),
            Ok(Found::Taken) => return self.is_taken(at),
            Ok(Found::Answered(reply)) => return self.is_answered(at, reply),
            Ok(Found::Gone) => unanswered(&one.node, &gone(&self.asker, &one.key)),
            Err(_) => unanswered(&one.node, &cut_off(&self.asker)),
        };
        let one = self.waiting.swap_remove(at);
        self.answers[one.place] = Some(Err(problem));
    }

    /// An order that was taken is not waited for any longer.
    fn gives_up(&mut self, at: usize) {
        let one = self.waiting.swap_remove(at);
        self.remove(&one);
        let found = self.asker.state_of(&one.node);
        self.answers[one.place] = Some(Err(unanswered(&one.node, &found)));
    }

    /// Removes an order unless a node took it.
    fn withdraw(&self, one: &Waiting) -> Result<Found, StoreError> {
        for _ in 0..TURNS {
            let Some(entry) = self.asker.store.get(&one.key)? else {
                return Ok(Found::Gone);
            };
            match state_of(&entry) {
                None | Some(State::Taken | State::Recorded(_)) => return Ok(Found::Taken),
                Some(State::Answered(reply)) => return Ok(Found::Answered(reply)),
                Some(State::Waiting) => {}
            }
            let txn = Txn::new()
                .check(&one.key, entry.mod_revision)
                .delete(&one.key);
            if let Commit::Done { .. } = self.asker.store.commit(&txn)? {
                return Ok(Found::Withdrawn);
            }
        }
        Ok(Found::Taken)
    }

    /// Removes an order, whatever its node does. What cannot be removed goes with the lease.
    fn remove(&self, one: &Waiting) {
        drop(self.asker.store.commit(&Txn::new().delete(&one.key)));
    }

    /// The caller hung up: what was not taken is withdrawn.
    fn withdraw_all(&mut self) {
        for one in std::mem::take(&mut self.waiting) {
            if let Ok(Found::Taken | Found::Answered(_)) = self.withdraw(&one) {
                self.remove(&one);
            }
            let found = "The caller hung up.";
            self.answers[one.place] = Some(Err(unanswered(&one.node, found)));
        }
    }

    /// Something may have been missed: the orders are read.
    fn begin_again(&mut self) {
        let nodes: Vec<&str> = self.waiting.iter().map(|one| one.node.as_str()).collect();
        match self.asker.store.watch(&prefix_of(&nodes), 0) {
            Ok(watch) => self.watch = watch,
            Err(_) => return self.asker.clock.sleep(REST),
        }
        for at in (0..self.waiting.len()).rev() {
            match self.asker.store.get(&self.waiting[at].key) {
                Ok(Some(entry)) => self.has(at, &entry),
                Ok(None) => {
                    let key = self.waiting[at].key.clone();
                    self.hears(&Change::Delete { key, revision: 0 });
                }
                Err(_) => {}
            }
        }
    }
}

/// The state of an order; none where this release cannot read what its node made of it.
fn state_of(entry: &Entry) -> Option<State> {
    let stored = Stored::<Order>::read(entry).ok()?;
    Some(stored.value.state)
}

fn new_id() -> Result<Uuid, Problem> {
    let no_number = |why: String| {
        let found = format!("The kernel provides no random number: {why}.");
        Problem::new(Code::AgentBusy, &[], found)
    };
    let random = std::fs::read_to_string("/proc/sys/kernel/random/uuid");
    let random = random.map_err(|error| no_number(error.to_string()))?;
    let id: Result<Uuid, _> = random.trim().parse();
    id.map_err(|error| no_number(error.to_string()))
}

fn cut_off(asker: &Asker) -> String {
    format!("{} is cut off from the store.", asker.node)
}

fn gone(asker: &Asker, key: &str) -> String {
    format!(
        "The request ({key}) was removed from the store when the lease of {} ended.",
        asker.node
    )
}

#[cfg(test)]
mod tests;
