//! Policy: what administrators asked for, in the store.

mod documents;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use accelnet_api::types::Drained;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Code, Intent, IntentName, Management, Problem, Uuid, VmSetting};
use accelnet_store::{
    Commit, Document, Entry, Json, MAX_OPS, Range, Store, StoreError, Stored, Txn, Unreadable,
};
use serde::{Deserialize, Serialize};

use crate::cluster::identity::{IDENTITY, Identity};
use documents::{
    BoundDocument, DisruptionDocument, DrainedDocument, IntentDocument, ManagementDocument,
    RemovedDocument, VmDocument,
};
pub use request::{Asked, Request};

/// Where all policy is.
pub(crate) const POLICY: &str = "policy/";
const MANAGEMENT: &str = "policy/management";
const INTENTS: &str = "policy/intents/";
const VMS: &str = "policy/vms/";
const DRAINED: &str = "policy/drained/";
/// Intents that were removed. An intent that is merely missing may have been lost: what it made stays.
const REMOVED: &str = "policy/removed/";

/// A disruptive change of the number of VFs that a node is in the middle of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disruption {
    /// The number of VFs of each adapter before it; all when none.
    pub before: Option<u32>,
    /// Whether it failed, and the number before is to come back.
    pub going_back: bool,
}

/// All policy at one moment.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Revision of its last change.
    pub revision: u64,
    /// Management settings.
    pub management: Management,
    /// Revision of the management settings; 0 when there are none yet.
    pub management_revision: u64,
    /// Intents, by name, each with its revision.
    pub intents: Vec<(Intent, u64)>,
    /// Settings of VMs, in the order of their UUIDs, each with its revision.
    pub vms: Vec<(VmSetting, u64)>,
    /// Nodes that are drained, each with its revision.
    pub drained: Vec<(String, Drained, u64)>,
    /// Intents that were removed, and not declared again.
    pub removed: BTreeSet<IntentName>,
    /// What cannot be read. Where an earlier value is known, that one stands above.
    pub unreadable: Vec<Unreadable>,
    /// Of what cannot be read, and was never read: nothing is decided about it.
    pub held: Held,
}

/// What policy has and cannot be read, and was never read by this agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The management settings.
    pub management: bool,
    /// VMs whose settings these are.
    pub vms: BTreeSet<Uuid>,
}

impl Policy {
    /// What `range` holds; of a value that cannot be read, what `last` had.
    fn of(range: &Range, last: &Policy) -> Policy {
        let mut policy = Policy::default();
        let mut unreadable = Vec::new();
        for entry in &range.entries {
            policy.revision = policy.revision.max(entry.mod_revision);
            let (key, revision) = (entry.key.as_str(), entry.mod_revision);
            if key == MANAGEMENT {
                let read = documents::read::<ManagementDocument>(entry, &mut unreadable);
                let was_read = last.management_revision > 0 && !last.held.management;
                let known = || was_read.then(|| last.management.clone());
                let management = read.map(|read| read.0).or_else(known);
                policy.held.management = management.is_none();
                policy.management = management.unwrap_or_default();
                policy.management_revision = revision;
            } else if let Some(name) = key.strip_prefix(INTENTS) {
                let read = documents::read::<IntentDocument>(entry, &mut unreadable);
                let intent = read.map(|read| read.0);
                let intent = intent.or_else(|| last.intent(name).cloned());
                policy
                    .intents
                    .extend(intent.map(|intent| (intent, revision)));
            } else if key.starts_with(VMS) {
                let read = documents::read::<VmDocument>(entry, &mut unreadable);
                let uuid = documents::uuid_of(key);
                let known = || last.vm(uuid.as_deref()?).cloned();
                match read.map(|read| read.0).or_else(known) {
                    Some(vm) => policy.vms.push((vm, revision)),
                    None => policy.held.vms.extend(uuid),
                }
            } else if let Some(node) = key.strip_prefix(DRAINED) {
                let read = documents::read::<DrainedDocument>(entry, &mut unreadable);
                let known = || last.drained(node).cloned();
                let drained = read.map(|read| read.0).or_else(known);
                let drained = drained.map(|drained| (node.to_owned(), drained, revision));
                policy.drained.extend(drained);
            } else if key == IDENTITY {
                // Whoever stands before the store has judged it.
                documents::read::<Identity>(entry, &mut unreadable);
            } else if key.starts_with(REMOVED) {
                let read = documents::read::<RemovedDocument>(entry, &mut unreadable);
                policy.removed.extend(read.map(|read| read.0));
            }
        }
        policy.unreadable = unreadable;
        policy
    }

    fn of_entries(entries: &[Entry]) -> Policy {
        let range = Range {
            entries: entries.to_vec(),
            revision: 0,
        };
        Policy::of(&range, &Policy::default())
    }

    /// What `earlier` has takes the place of what this one has of the same keys.
    fn learn(&mut self, earlier: Policy) {
        if earlier.management_revision > 0 && !earlier.held.management {
            self.management = earlier.management.clone();
            self.management_revision = earlier.management_revision;
            self.held.management = false;
        }
        self.intents
            .retain(|(old, _)| earlier.intent(&old.name).is_none());
        self.intents.extend(earlier.intents);
        self.vms.retain(|(old, _)| {
            let mut others = earlier.vms.iter();
            others.all(|(vm, _)| vm.uuid != old.uuid)
        });
        self.vms.extend(earlier.vms);
        self.drained.retain(|(old, ..)| {
            let mut others = earlier.drained.iter();
            others.all(|(node, ..)| node != old)
        });
        self.drained.extend(earlier.drained);
    }

    /// The intents alone.
    pub fn plain_intents(&self) -> Vec<Intent> {
        self.intents
            .iter()
            .map(|(intent, _)| intent.clone())
            .collect()
    }

    /// The intent called `name`.
    pub fn intent(&self, name: &str) -> Option<&Intent> {
        let mut all = self.intents.iter();
        all.find(|(intent, _)| intent.name == name)
            .map(|(intent, _)| intent)
    }

    /// Revision of the intent called `name`; 0 without one.
    pub fn intent_revision(&self, name: &str) -> u64 {
        let mut all = self.intents.iter();
        all.find(|(intent, _)| intent.name == name)
            .map_or(0, |(_, revision)| *revision)
    }

    /// The intent that management is set to.
    pub fn managed_intent(&self) -> Option<&Intent> {
        self.intent(self.management.intent.as_deref()?)
    }

    /// The setting of the VM with `uuid`.
    pub fn vm(&self, uuid: &str) -> Option<&VmSetting> {
        self.entry_of(uuid).map(|(vm, _)| vm)
    }

    fn entry_of(&self, uuid: &str) -> Option<&(VmSetting, u64)> {
        let found = self
            .vms
            .binary_search_by(|(vm, _)| vm.uuid.as_str().cmp(uuid));
        self.vms.get(found.ok()?)
    }

    /// Whether there is an intent called `name` that cannot be read.
    pub fn has_unreadable_intent(&self, name: &str) -> bool {
        let mut keys = self.unreadable.iter().map(|one| one.key.as_str());
        keys.any(|key| key.strip_prefix(INTENTS) == Some(name))
    }

    /// What of management cannot be read, and was never read.
    pub fn unreadable_of_management(&self) -> Option<&Unreadable> {
        let intent = self.management.intent.as_deref();
        let lost = intent.filter(|name| self.intent(name).is_none());
        let lost = lost.map(|name| format!("{INTENTS}{name}"));
        self.unreadable.iter().find(|one| match one.key.as_str() {
            MANAGEMENT => self.held.management,
            key => lost.as_deref() == Some(key),
        })
    }

    /// Whether the VM with `uuid` surely has no setting: none that cannot be read either.
    pub fn has_no(&self, uuid: &str) -> bool {
        !self.held.management && !self.held.vms.contains(uuid) && self.vm(uuid).is_none()
    }

    /// Who drained the node called `name`; none when it is not drained.
    pub fn drained(&self, name: &str) -> Option<&Drained> {
        let mut all = self.drained.iter();
        all.find(|(node, ..)| node == name)
            .map(|(_, drained, _)| drained)
    }

    fn drained_revision(&self, name: &str) -> u64 {
        let mut all = self.drained.iter();
        all.find(|(node, ..)| node == name)
            .map_or(0, |(_, _, revision)| *revision)
    }

    /// Revision of a VM's setting; 0 without one.
    fn vm_revision(&self, uuid: &str) -> u64 {
        self.entry_of(uuid).map_or(0, |(_, revision)| *revision)
    }
}

/// A change of policy, made against the policy that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets management.
    Management(Management),
    /// Sets an intent.
    Intent(Intent),
    /// Removes an intent.
    NoIntent(IntentName),
    /// Sets the setting of a VM.
    Vm(VmSetting),
    /// Removes the setting of the VM with that UUID.
    NoVm(Uuid),
    /// Drains a node, or with none lets it have VFs again.
    Drained(String, Option<Drained>),
}

/// The policy of a cluster, in its store.
#[derive(Clone)]
pub struct PolicyStore {
    store: Arc<dyn Store>,
    node: String,
    own: Arc<Mutex<Own>>,
    /// What was read last, for values that cannot be read since then.
    last: Arc<Mutex<Arc<Policy>>>,
    /// Revision of the last change that was made here.
    written: Arc<AtomicU64>,
}

/// What nobody but this node writes, as it was read since this node wrote it last; by intent.
#[derive(Default)]
struct Own {
    bound: Option<BTreeMap<String, Vec<BoundAdapter>>>,
    disruptions: Option<BTreeMap<String, Disruption>>,
    request: Option<Option<Request>>,
}

/// What goes together with the first and the last of several changes.
struct Ends {
    first: Txn,
    last: Txn,
}

/// The store's words as a problem.
pub fn store_failed(error: &StoreError) -> Problem {
    let code = match error {
        StoreError::CutOff { .. } => Code::NodeCutOff,
        StoreError::Foreign { .. } => Code::StoreForeign,
        _ => Code::StoreFailed,
    };
    Problem::new(code, &[], format!("It failed to {error}."))
}

impl PolicyStore {
    /// The policy in `store`, as the node called `node` sees it.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        PolicyStore {
            store,
            node: node.to_owned(),
            own: Arc::default(),
            last: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Reads all policy.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn read(&self) -> Result<Policy, Problem> {
        let all = self.store.range(POLICY);
        let all = all.map_err(|error| store_failed(&error))?;
        Ok(self.parse(&all))
    }

    /// All policy as it is after the change at `revision`, which was heard of, and after those that
    /// were made here. It may be older than what [`PolicyStore::read`] finds.
    ///
    /// # Errors
    ///
    /// As for [`PolicyStore::read`].
    pub fn read_since(&self, revision: u64) -> Result<Policy, Problem> {
        let revision = revision.max(self.written.load(Ordering::Acquire));
        let all = self.store.range_since(POLICY, revision);
        let all = all.map_err(|error| store_failed(&error))?;
        Ok(self.parse(&all))
    }

    /// What the store holds; of a value that cannot be read, what was read before, here or by an agent of this
    /// node before this one.
    fn parse(&self, range: &Range) -> Policy {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut policy = Policy::of(range, &last);
        let unread = policy.unreadable.iter();
        let earlier: Vec<Entry> = unread
            .filter_map(|one| self.store.last_readable(&one.key))
            .collect();
        if !earlier.is_empty() {
            let mut known = Policy::clone(&last);
            known.learn(Policy::of_entries(&earlier));
            policy = Policy::of(range, &known);
        }
        if policy.revision != last.revision {
            *last = Arc::new(policy.clone());
        }
        policy
    }

    /// Makes `changes`, if nothing that they rest on has changed since `policy` was read; `judged` says
    /// that they rest on all of it. True when all were made. As many as go into one transaction are made all
    /// or none; of more the first ones may have been made when a later one is refused.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn change(
        &self,
        policy: &Policy,
        changes: &[Change],
        judged: bool,
    ) -> Result<bool, Problem> {
        let ends = Ends {
            first: Txn::new(),
            last: Txn::new(),
        };
        self.try_change(policy, changes, judged, ends)
            .map_err(|error| store_failed(&error))
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
            // Admissions exclude each other: each rests on all others.
            turn = self.store.get(TURN)?.map_or(0, |entry| entry.mod_revision);
            if turn > policy.revision {
                return Ok(false);
            }
        }
        let mut rest = changes;
        // More than goes at once: one part after the other. Each is decided by itself, so that whoever
        // stops in between leaves no VM half done, and a later part is refused when another admission
        // came in between.
        loop {
            let room = ROOM.saturating_sub(size(&first));
            let (fits, taken) = fitting(rest, room);
            let is_last = fits == rest.len() && taken + size(&last) <= room;
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

    /// Makes some changes at once; the revision with them, or none when they rest on what has changed.
    fn commit_some(
        &self,
        policy: &Policy,
        changes: &[Change],
        turn: Option<u64>,
        mut txn: Txn,
    ) -> Result<Option<u64>, StoreError> {
        if let Some(turn) = turn {
            txn = txn.check(MANAGEMENT, policy.management_revision);
            txn = txn.check(TURN, turn).put(TURN, "");
        }
        let judged = turn.is_some();
        for change in changes {
            txn = match change {
                Change::Management(management) => {
                    let txn = match judged {
                        true => txn,
                        false => txn.check(MANAGEMENT, policy.management_revision),
                    };
                    txn.put_json(MANAGEMENT, &ManagementDocument(management.clone()))?
                }
                Change::Intent(intent) => {
                    let revision = policy.intent_revision(&intent.name);
                    let key = format!("{INTENTS}{}", intent.name);
                    let txn = match policy.removed.contains(&intent.name) {
                        true => txn.delete(removed_key(&intent.name)),
                        false => txn,
                    };
                    txn.check(&key, revision)
                        .put_json(key, &IntentDocument(intent.clone()))?
                }
                Change::NoIntent(name) => {
                    let key = format!("{INTENTS}{name}");
                    txn.check(&key, policy.intent_revision(name))
                        .delete(key)
                        .put_json(removed_key(name), &RemovedDocument::of(name))?
                }
                Change::Vm(vm) => {
                    let key = format!("{VMS}{}", vm.uuid);
                    txn.check(&key, policy.vm_revision(&vm.uuid))
                        .put_json(key, &VmDocument(vm.clone()))?
                }
                Change::Drained(node, drained) => {
                    let key = drained_key(node);
                    let txn = txn.check(&key, policy.drained_revision(node));
                    match drained {
                        Some(drained) => txn.put_json(key, &DrainedDocument(drained.clone()))?,
                        None => txn.delete(key),
                    }
                }
                Change::NoVm(uuid) => {
                    let key = format!("{VMS}{uuid}");
                    txn.check(&key, policy.vm_revision(uuid)).delete(key)
                }
            };
        }
        match self.store.commit(&txn)? {
            Commit::Done { revision } => {
                self.written.fetch_max(revision, Ordering::Release);
                Ok(Some(revision))
            }
            Commit::Conflict { .. } => Ok(None),
        }
    }

    /// The adapters of an intent on this node, as they were bound.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn bound(&self, intent: &str) -> Result<Option<Vec<BoundAdapter>>, Problem> {
        self.with_bound(|all| all.get(intent).cloned())
    }

    /// Every adapter that is bound on this node, with its intent.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all_bound(&self) -> Result<Vec<(String, Vec<BoundAdapter>)>, Problem> {
        self.with_bound(|all| {
            let all = all.iter();
            all.map(|(intent, bound)| (intent.clone(), bound.clone()))
                .collect()
        })
    }

    fn with_bound<T>(
        &self,
        look: impl FnOnce(&BTreeMap<String, Vec<BoundAdapter>>) -> T,
    ) -> Result<T, Problem> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let all = match own.bound.take() {
            Some(known) => known,
            None => self.read_own::<BoundDocument, _>(&self.bound_key(""), |stored| stored.0)?,
        };
        Ok(look(own.bound.insert(all)))
    }

    /// What stands below `prefix`, by the rest of its keys.
    fn read_own<D: Document, T>(
        &self,
        prefix: &str,
        inner: fn(D) -> T,
    ) -> Result<BTreeMap<String, T>, Problem> {
        let all = self.store.range_json::<D>(prefix);
        let all = all.map_err(|error| store_failed(&error))?;
        let unread = all.unreadable.iter();
        let earlier = unread.filter_map(|one| self.store.last_readable(&one.key));
        let earlier: Vec<Stored<D>> = earlier
            .filter_map(|entry| Stored::read(&entry).ok())
            .collect();
        let all = all.values.into_iter().chain(earlier);
        let named = |key: &str| key.strip_prefix(prefix).unwrap_or(key).to_owned();
        Ok(all
            .map(|stored| (named(&stored.key), inner(stored.value)))
            .collect())
    }

    /// Binds adapters to an intent on this node; none unbinds.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn bind(&self, intent: &str, adapters: Option<&[BoundAdapter]>) -> Result<(), Problem> {
        let key = self.bound_key(intent);
        let txn = match adapters {
            Some(adapters) => Txn::new().put_json(key, &BoundDocument(adapters.to_vec())),
            None => Ok(Txn::new().delete(key)),
        };
        self.put(txn)
    }

    /// The disruptive change of an intent that this node is in the middle of.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn disruption(&self, intent: &str) -> Result<Option<Disruption>, Problem> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let all = match own.disruptions.take() {
            Some(known) => known,
            None => {
                let prefix = self.disruption_key("");
                self.read_own::<DisruptionDocument, _>(&prefix, |stored| stored.0)?
            }
        };
        Ok(own.disruptions.insert(all).get(intent).cloned())
    }

    /// Begins, or with none ends, a disruptive change.
    ///
    /// # Errors
    ///
    /// The store cannot be written.
    pub fn disrupt(&self, intent: &str, disruption: Option<&Disruption>) -> Result<(), Problem> {
        let key = self.disruption_key(intent);
        let txn = match disruption {
            Some(disruption) => Txn::new().put_json(key, &DisruptionDocument(disruption.clone())),
            None => Ok(Txn::new().delete(key)),
        };
        self.put(txn)
    }

    fn put(&self, txn: Result<Txn, StoreError>) -> Result<(), Problem> {
        let done = txn.and_then(|txn| self.store.commit(&txn));
        // Also when it failed: it may be written all the same.
        self.forget_own();
        match done {
            Ok(_) => Ok(()),
            Err(error) => Err(store_failed(&error)),
        }
    }

    /// What only this node writes is read anew: the store did not answer for a while, and what was
    /// read then was remembered.
    pub(crate) fn forget_own(&self) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Own::default();
    }

    /// That no node is called `name`.
    pub(crate) fn no_such_node(&self, name: &str) -> Problem {
        let found = crate::cluster::membership::not_found(&*self.store, name);
        found.unwrap_or_else(|problem| problem)
    }

    fn bound_key(&self, intent: &str) -> String {
        format!("nodes/{}/bound/{intent}", self.node)
    }

    fn disruption_key(&self, intent: &str) -> String {
        format!("nodes/{}/disruption/{intent}", self.node)
    }
}

fn removed_key(intent: &IntentName) -> String {
    format!("{REMOVED}{intent}")
}

/// Where it stands that a node is drained.
pub(crate) fn drained_key(node: &str) -> String {
    format!("{DRAINED}{node}")
}

/// Operations of changes that go into one transaction: a judged one has two checks and an operation more.
const ROOM: usize = MAX_OPS - 4;

/// Checks or operations of a transaction, of which there are more.
fn size(txn: &Txn) -> usize {
    txn.ops.len().max(txn.checks.len())
}

/// Operations of a change at most.
fn weight(change: &Change) -> usize {
    match change {
        Change::Intent(_) | Change::NoIntent(_) => 2,
        _ => 1,
    }
}

/// How many of the first changes have `room` operations at most, and how many operations those have.
fn fitting(changes: &[Change], room: usize) -> (usize, usize) {
    let mut taken = 0;
    let fits = changes.iter().take_while(|change| {
        let fits = taken + weight(change) <= room;
        taken += if fits { weight(change) } else { 0 };
        fits
    });
    (fits.count(), taken)
}

/// Whose turn it is to admit.
const TURN: &str = "policy/turn";

/// Why a value of the policy, or of what only one node writes, cannot be read.
pub(crate) fn judge(entry: &Entry) -> Option<Unreadable> {
    let mut found = Vec::new();
    let key = entry.key.as_str();
    let own = key
        .strip_prefix("nodes/")
        .and_then(|rest| rest.split_once('/'));
    let read = match (key, own) {
        (TURN, _) => true,
        (IDENTITY, _) => documents::read::<Identity>(entry, &mut found).is_some(),
        (MANAGEMENT, _) => documents::read::<ManagementDocument>(entry, &mut found).is_some(),
        (key, _) if key.starts_with(INTENTS) => {
            documents::read::<IntentDocument>(entry, &mut found).is_some()
        }
        (key, _) if key.starts_with(VMS) => {
            documents::read::<VmDocument>(entry, &mut found).is_some()
        }
        (key, _) if key.starts_with(DRAINED) => {
            documents::read::<DrainedDocument>(entry, &mut found).is_some()
        }
        (key, _) if key.starts_with(REMOVED) => {
            documents::read::<RemovedDocument>(entry, &mut found).is_some()
        }
        (_, Some((_, own))) if own.starts_with("bound/") => {
            documents::read::<BoundDocument>(entry, &mut found).is_some()
        }
        (_, Some((_, own))) if own.starts_with("disruption/") => {
            documents::read::<DisruptionDocument>(entry, &mut found).is_some()
        }
        (_, Some((_, "request"))) => documents::read::<Request>(entry, &mut found).is_some(),
        _ => false,
    };
    if !read && found.is_empty() {
        found.push(Unreadable {
            key: entry.key.clone(),
            mod_revision: entry.mod_revision,
            reason: "accelnet has no such key".to_owned(),
            newer_format: false,
        });
    }
    found.pop()
}
