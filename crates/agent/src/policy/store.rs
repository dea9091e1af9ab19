//! The policy in the store, and the values beside it that only this node writes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accelnet_model::Problem;
use accelnet_model::intent::BoundAdapter;
use accelnet_store::{
    Commit, Document, Entry, Json, MAX_OPS, Range, Store, StoreError, Stored, Txn,
};

use super::change::{Change, fitting};
use super::content::Policy;
use super::documents::{BoundDocument, DisruptionDocument};
use super::keys::{MANAGEMENT, POLICY, TURN};
use super::request::{Disruption, Request};
use crate::problems::failed;

/// Operations of changes in one transaction. An admission adds two checks and an operation.
const CHANGE_OPS: usize = MAX_OPS - 4;

/// The policy of a cluster, in its store. The errors are those of the store.
#[derive(Clone)]
pub struct PolicyStore {
    store: Arc<dyn Store>,
    node: String,
    own: Arc<Mutex<Own>>,
    /// The policy that was read last, for values that have become unreadable.
    last: Arc<Mutex<Arc<Policy>>>,
    /// Revision of the last change that was made here.
    written: Arc<AtomicU64>,
}

/// Values that only this node writes, as read since its last write; by intent.
#[derive(Default)]
struct Own {
    bound: Option<BTreeMap<String, Vec<BoundAdapter>>>,
    disruptions: Option<BTreeMap<String, Disruption>>,
    request: Option<BTreeMap<String, Request>>,
}

/// Parts of the first and of the last transaction of several changes.
#[derive(Default)]
struct Ends {
    first: Txn,
    last: Txn,
}

/// The greater number of checks or operations.
fn size(txn: &Txn) -> usize {
    txn.ops.len().max(txn.checks.len())
}

impl PolicyStore {
    /// The policy in `store`, for the node called `node`.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        PolicyStore {
            store,
            node: node.to_owned(),
            own: Arc::default(),
            last: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Reads the policy.
    pub fn read(&self) -> Result<Policy, Problem> {
        let all = self.store.range(POLICY).map_err(failed)?;
        Ok(self.parse(&all))
    }

    /// The policy after the watched change at `revision`, and after the changes that were made here. It may
    /// be older than that of [`PolicyStore::read`].
    pub(crate) fn read_since(&self, revision: u64) -> Result<Policy, Problem> {
        let revision = revision.max(self.written.load(Ordering::Acquire));
        let all = self.store.range_since(POLICY, revision).map_err(failed)?;
        Ok(self.parse(&all))
    }

    /// Parses the policy. An unreadable value is replaced by the last readable one, also of an earlier agent
    /// of this node.
    fn parse(&self, range: &Range) -> Policy {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut policy = Policy::of(range, &last);
        let unread = policy.unreadable.iter();
        let earlier: Vec<Entry> = unread
            .filter_map(|one| self.store.last_readable(&one.key))
            .collect();
        if !earlier.is_empty() {
            let mut known = Policy::clone(&last);
            known.replace_by(Policy::of_entries(&earlier));
            policy = Policy::of(range, &known);
        }
        if policy.revision != last.revision {
            *last = Arc::new(policy.clone());
        }
        policy
    }

    /// Makes `changes`, if the values that they depend on are as in `policy`; `judged` changes depend on all
    /// of it. True if all were made. Those of one transaction are made all or none; of more, the first ones
    /// may have been made when a later one is refused.
    pub(crate) fn change(
        &self,
        policy: &Policy,
        changes: &[Change],
        judged: bool,
    ) -> Result<bool, Problem> {
        self.try_change(policy, changes, judged, Ends::default())
            .map_err(failed)
    }

    fn try_change(
        &self,
        policy: &Policy,
        changes: &[Change],
        judged: bool,
        Ends { mut first, last }: Ends,
    ) -> Result<bool, StoreError> {
        let mut turn = 0;
        if judged {
            // Admissions exclude each other: each depends on all others.
            turn = self.store.get(TURN)?.map_or(0, |entry| entry.mod_revision);
            if turn > policy.revision {
                return Ok(false);
            }
        }
        let mut rest = changes;
        // Each part is decided by itself: an interruption leaves no VM half changed, and a later part is
        // refused if another admission came in between.
        loop {
            let space = CHANGE_OPS.saturating_sub(size(&first));
            let (fits, taken) = fitting(rest, space);
            let is_last = fits == rest.len() && taken + size(&last) <= space;
            let (some, more) = rest.split_at(fits);
            let mut txn = std::mem::take(&mut first);
            if is_last || rest.is_empty() {
                txn.checks.extend(last.checks);
                txn.ops.extend(last.ops);
                let last = self.commit_some(policy, some, judged.then_some(turn), txn)?;
                return Ok(last.is_some());
            }
            match self.commit_some(policy, some, judged.then_some(turn), txn)? {
                Some(revision) => turn = revision,
                None => return Ok(false),
            }
            rest = more;
        }
    }

    /// Makes changes in one transaction; its revision, or none if a value that they depend on has changed.
    fn commit_some(
        &self,
        policy: &Policy,
        changes: &[Change],
        turn: Option<u64>,
        mut txn: Txn,
    ) -> Result<Option<u64>, StoreError> {
        let is_management = |change: &Change| matches!(change, Change::Management(_));
        if turn.is_some() || changes.iter().any(is_management) {
            txn = txn.check(MANAGEMENT, policy.management_revision);
        }
        if let Some(turn) = turn {
            txn = txn.check(TURN, turn).put(TURN, "");
        }
        for change in changes {
            txn = change.add_to(txn, policy)?;
        }
        match self.store.commit(&txn)? {
            Commit::Done { revision } => {
                self.written.fetch_max(revision, Ordering::Release);
                Ok(Some(revision))
            }
            Commit::Conflict { .. } => Ok(None),
        }
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The adapters that are bound to an intent on this node.
    pub fn bound(&self, intent: &str) -> Result<Option<Vec<BoundAdapter>>, Problem> {
        Ok(self.bound_by_intent()?.remove(intent))
    }

    /// The bound adapters of this node, with their intents.
    pub(crate) fn all_bound(&self) -> Result<Vec<(String, Vec<BoundAdapter>)>, Problem> {
        Ok(self.bound_by_intent()?.into_iter().collect())
    }

    fn bound_by_intent(&self) -> Result<BTreeMap<String, Vec<BoundAdapter>>, Problem> {
        self.read_own(
            "bound/",
            |own| &mut own.bound,
            |stored: BoundDocument| stored.0,
        )
    }

    /// This node's own values below `prefix`, by the rest of their keys.
    fn read_own<D: Document, T: Clone>(
        &self,
        prefix: &str,
        known: fn(&mut Own) -> &mut Option<BTreeMap<String, T>>,
        inner: fn(D) -> T,
    ) -> Result<BTreeMap<String, T>, Problem> {
        let mut own = self.own();
        if let Some(known) = known(&mut own) {
            return Ok(known.clone());
        }
        let prefix = self.key(prefix);
        let all = self.store.range_json::<D>(&prefix).map_err(failed)?;
        let unread = all.unreadable.iter();
        let earlier = unread.filter_map(|one| self.store.last_readable(&one.key));
        let earlier = earlier.filter_map(|entry| Stored::read(&entry).ok());
        let earlier: Vec<Stored<D>> = earlier.collect();
        let all = all.values.into_iter().chain(earlier);
        let named = |key: &str| key.strip_prefix(&prefix).unwrap_or(key).to_owned();
        let all = all.map(|stored| (named(&stored.key), inner(stored.value)));
        Ok(known(&mut own).insert(all.collect()).clone())
    }

    /// Binds adapters to an intent on this node; with none, unbinds them.
    pub(crate) fn bind(
        &self,
        intent: &str,
        adapters: Option<&[BoundAdapter]>,
    ) -> Result<(), Problem> {
        let adapters = adapters.map(|adapters| BoundDocument(adapters.to_vec()));
        self.put(self.key(&format!("bound/{intent}")), adapters.as_ref())
    }

    /// The disruptive change of an intent that this node is in the middle of.
    pub fn disruption(&self, intent: &str) -> Result<Option<Disruption>, Problem> {
        let inner = |stored: DisruptionDocument| stored.0;
        let all = self.read_own("disruption/", |own| &mut own.disruptions, inner);
        Ok(all?.remove(intent))
    }

    /// Records a disruptive change; with none, clears it.
    pub(crate) fn disrupt(
        &self,
        intent: &str,
        disruption: Option<&Disruption>,
    ) -> Result<(), Problem> {
        let disruption = disruption.map(|disruption| DisruptionDocument(disruption.clone()));
        self.put(
            self.key(&format!("disruption/{intent}")),
            disruption.as_ref(),
        )
    }

    fn put(&self, key: String, document: Option<&impl Document>) -> Result<(), Problem> {
        let txn = match document {
            Some(document) => Txn::new().put_json(key, document),
            None => Ok(Txn::new().delete(key)),
        };
        let done = txn.and_then(|txn| self.store.commit(&txn));
        // Also after a failure: the value may have been written.
        self.forget_own();
        done.map(drop).map_err(failed)
    }

    /// The next call reads this node's own values again: after the store did not answer, earlier reads may
    /// have returned remembered values.
    pub(crate) fn forget_own(&self) {
        *self.own() = Own::default();
    }

    /// The request for VMs that this node is in the middle of.
    pub(crate) fn request(&self) -> Result<Option<Request>, Problem> {
        let all = self.read_own(
            "request",
            |own| &mut own.request,
            |request: Request| request,
        );
        Ok(all?.into_values().next())
    }

    /// Makes the first changes of a request as [`PolicyStore::change`] does, and records the request with the
    /// first transaction.
    pub(crate) fn decide(
        &self,
        policy: &Policy,
        changes: &[Change],
        judged: bool,
        request: &Request,
    ) -> Result<bool, Problem> {
        let first = Txn::new().put_json(self.key("request"), request);
        let last = Txn::new();
        let done =
            first.and_then(|first| self.try_change(policy, changes, judged, Ends { first, last }));
        // Unless all of it was written, the next call reads what was.
        let known = || BTreeMap::from([(String::new(), request.clone())]);
        self.own().request = matches!(done, Ok(true)).then(known);
        done.map_err(failed)
    }

    /// Makes the last changes of a request, and ends it with the last transaction; `txn` is part of that and
    /// records the event.
    pub(crate) fn conclude(
        &self,
        policy: &Policy,
        changes: &[Change],
        txn: Txn,
    ) -> Result<bool, Problem> {
        let ends = Ends {
            first: Txn::new(),
            last: txn.delete(self.key("request")),
        };
        let done = self.try_change(policy, changes, false, ends);
        match done {
            Ok(true) => self.own().request = Some(BTreeMap::new()),
            Ok(false) => {}
            Err(_) => self.own().request = None,
        }
        done.map_err(failed)
    }

    /// A key of this node's own values.
    fn key(&self, rest: &str) -> String {
        format!("nodes/{}/{rest}", self.node)
    }
}
