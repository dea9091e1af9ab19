//! What is done to a store on a disk, and what it holds then.

use std::ops::Range as Indexes;
use std::time::Duration;

use crate::embedded::read;
use crate::embedded::tests::disk::Disk;
use crate::embedded::tests::on_disk::FakeClock;
use crate::{Change, Embedded, History, LeaseId, Range, Store, StoreError, Txn};

/// A short history, so that a few steps go beyond it.
const HISTORY: History = History {
    revisions: 6,
    bytes: 60_000,
};

/// Time to live of every lease.
const TTL: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Keys to put, with the size of the value and whether the lease holds them.
    Put(Vec<(u8, usize, bool)>),
    Delete(Vec<u8>),
    /// A lease, or the one there is for longer: each lease that ends is a revision of its own.
    Grant,
    Revoke,
    /// Time passes, every lease ends.
    Expire,
    /// Forgets all but so many revisions.
    Compact(u64),
    Reopen,
}

/// All that a store holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) range: Range,
    pub(super) oldest: u64,
    pub(super) changes: Vec<Change>,
    pub(super) leases: Vec<(LeaseId, Duration)>,
}

/// A store on a disk, and what became of it with each step.
pub(super) struct Run {
    pub(super) disk: Disk,
    pub(super) store: Option<Embedded>,
    clock: FakeClock,
    /// What it held, first and after each step, and the events between.
    pub(super) contents: Vec<Content>,
    pub(super) events: Vec<Indexes<usize>>,
}

impl Run {
    /// Opens the store on the disk, whatever state that is in.
    pub(super) fn open(disk: Disk) -> Self {
        let mut run = Self {
            disk,
            store: None,
            clock: FakeClock::default(),
            contents: Vec::new(),
            events: Vec::new(),
        };
        run.reopen().unwrap();
        run.contents.push(content(run.store()));
        run
    }

    pub(super) fn store(&self) -> &Embedded {
        self.store.as_ref().unwrap()
    }

    pub(super) fn last(&self) -> &Content {
        self.contents.last().unwrap()
    }

    /// Does the step, which must go well.
    pub(super) fn step(&mut self, step: &Step) {
        self.try_step(step).unwrap();
    }

    /// Does the step, and reads the store when it went well.
    pub(super) fn try_step(&mut self, step: &Step) -> Result<(), StoreError> {
        let from = self.disk.count();
        self.attempt(step)?;
        self.events.push(from..self.disk.count());
        self.contents.push(content(self.store()));
        Ok(())
    }

    fn attempt(&mut self, step: &Step) -> Result<(), StoreError> {
        let lease = self.last().leases.last().map(|(lease, _)| *lease);
        match step {
            Step::Put(puts) => {
                let fill = u8::try_from(self.contents.len() % 251).unwrap();
                let txn = puts.iter().fold(Txn::new(), |txn, (key, size, leased)| {
                    let value = vec![fill; *size];
                    txn.put_leased(name(*key), value, lease.filter(|_| *leased))
                });
                match self.store().commit(&txn) {
                    Err(StoreError::DuplicateKey { .. }) => Ok(()),
                    result => result.map(drop),
                }
            }
            Step::Delete(keys) => {
                let txn = keys
                    .iter()
                    .fold(Txn::new(), |txn, key| txn.delete(name(*key)));
                self.store().commit(&txn).map(drop)
            }
            Step::Grant => match lease {
                Some(lease) => self.store().keep_alive(lease),
                None => self.store().grant(TTL).map(drop),
            },
            Step::Revoke => lease.map_or(Ok(()), |lease| self.store().revoke(lease)),
            Step::Expire => {
                self.clock.advance(TTL);
                self.store().range("").map(drop)
            }
            Step::Compact(back) => {
                let revision = self.last().range.revision;
                match self.store().compact(revision.saturating_sub(*back)) {
                    Err(StoreError::Compacted { .. }) => Ok(()),
                    result => result,
                }
            }
            Step::Reopen => self.reopen(),
        }
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        self.store = None;
        self.store = Some(Embedded::on(
            self.disk.clone(),
            HISTORY,
            self.clock.uptime(),
        )?);
        Ok(())
    }
}

/// All that the store holds.
pub(super) fn content(store: &Embedded) -> Content {
    let oldest = store.engine.with(read::position).unwrap().oldest;
    let range = store.range("").unwrap();
    let mut watch = store.watch("", oldest).unwrap();
    let mut changes = Vec::new();
    loop {
        let more = watch.next(Duration::ZERO).unwrap();
        if more.is_empty() {
            break;
        }
        changes.extend(more);
    }
    Content {
        range,
        oldest,
        changes,
        leases: store.engine.with(read::leases).unwrap(),
    }
}

fn name(key: u8) -> String {
    format!("/key/{key}")
}

/// What an agent does, in short: settings, intents, inventories, leases; history goes by.
pub(super) fn realistic() -> Vec<Step> {
    let put = |puts: &[(u8, usize, bool)]| Step::Put(puts.to_vec());
    vec![
        put(&[(0, 40, false)]),
        put(&[(1, 300, false), (2, 20_000, false)]),
        Step::Grant,
        put(&[(3, 10, true), (4, 10, true)]),
        put(&[(2, 30_000, false)]),
        Step::Delete(vec![1]),
        Step::Reopen,
        put(&[(1, 100, false), (3, 70_000, true)]),
        put(&[(0, 41, false)]),
        Step::Expire,
        put(&[(2, 5_000, false)]),
        Step::Compact(1),
        Step::Grant,
        put(&[(3, 10, true)]),
        Step::Revoke,
        put(&[(5, 400_000, false)]),
        Step::Delete(vec![5, 2]),
        Step::Reopen,
        put(&[(0, 42, false)]),
    ]
}
