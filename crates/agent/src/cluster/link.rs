//! The way to the store: whether it answers and is the cluster's own, and what was read last while not.
//!
//! A node that is cut off goes on showing what it read last, and says since when; it changes
//! nothing, since nothing can be decided. A store that was emptied, replaced or set back, or whose file
//! is damaged, is taken for one that does not answer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::{Code, Problem};
use accelnet_store::{
    Change, Close, Commit, Entry, Json, Lease, LeaseId, Range, Store, StoreError, Txn, Watch,
};

use super::identity::{self, IDENTITY, Identity, Verdict};
use super::nodes::ALIVE;
use super::remembered::Remembered;
use crate::policy::POLICY;

/// Since when a node is cut off, and what it met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// RFC 3339, UTC.
    pub since: String,
    /// What was met, a fragment.
    pub found: String,
    /// Why the store does not count.
    pub why: Why,
    /// The same moment by the clock's uptime.
    pub uptime: Duration,
}

/// Why a store does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It does not answer.
    Silent,
    /// It is another cluster's, or an older state of this one's.
    Foreign,
    /// Its file is damaged.
    Damaged,
    /// Another live agent has this node's name.
    NameTaken,
}

impl CutOff {
    /// Why nothing can be changed.
    pub fn problem(&self) -> Problem {
        let CutOff {
            since, found, why, ..
        } = self;
        match why {
            Why::Silent => {
                let found = format!("The store has not answered since {since}: {found}.");
                Problem::new(Code::NodeCutOff, &[], found)
            }
            Why::Foreign => {
                let found = format!("Since {since}: {found}.");
                Problem::new(Code::StoreForeign, &[], found)
            }
            Why::NameTaken => {
                let (name, found) = found.split_once(": ").unwrap_or(("", found));
                let found = format!("Since {since}: {found}.");
                Problem::new(Code::NodeNameTaken, &[name], found)
            }
            Why::Damaged => {
                let found = format!("It failed to {found}.");
                Problem::new(Code::StoreFailed, &[], found).resolution(DAMAGED)
            }
        }
    }
}

/// How to go on without the file of a store.
const DAMAGED: &str = "VMs, VFs and networks are unchanged, and changes are refused. Put a backup in \
    its place, or continue with the last state that the agent read ('accelnet store restore \
    /var/lib/accelnet/store.last-read').";

type Returned = Box<dyn Fn(CutOff) + Send + Sync>;

/// What was seen of the store.
#[derive(Default)]
struct Seen {
    cut_off: Option<CutOff>,
    foreign: Option<CutOff>,
    taken: Option<CutOff>,
    /// By the clock's uptime: when it answered again after it had not.
    back: Option<Duration>,
}

/// Whether the store answers.
pub struct Link {
    seen: Mutex<Seen>,
    returned: OnceLock<Returned>,
    clock: Arc<dyn Clock + Send + Sync>,
}

impl Link {
    fn new(clock: Arc<dyn Clock + Send + Sync>) -> Self {
        Link {
            seen: Mutex::default(),
            returned: OnceLock::new(),
            clock,
        }
    }

    /// None while the store answers.
    pub fn cut_off(&self) -> Option<CutOff> {
        let seen = self.lock();
        let all = [&seen.cut_off, &seen.foreign, &seen.taken];
        all.into_iter().flatten().next().cloned()
    }

    /// Whether another live agent has this node's name, which is `name`; where, a fragment.
    pub(super) fn is_taken(&self, name: &str, found: Option<String>) {
        let mut seen = self.lock();
        match found {
            Some(found) => {
                let since = || self.clock.now();
                seen.taken.get_or_insert_with(|| CutOff {
                    since: since(),
                    found: format!("{name}: {found}"),
                    why: Why::NameTaken,
                    uptime: self.clock.uptime(),
                });
            }
            None => {
                let was = seen.taken.take();
                self.returns(seen, was);
            }
        }
    }

    fn taken(&self) -> Option<String> {
        let taken = self.lock().taken.clone();
        taken.map(|taken| taken.found)
    }

    fn is_foreign(&self) -> bool {
        self.lock().foreign.is_some()
    }

    /// What was judged of a reading: why the store is not the cluster's, if it is not.
    fn judged(&self, foreign: Option<&str>) {
        let mut seen = self.lock();
        match foreign {
            Some(found) => {
                let since = || self.clock.now();
                let foreign = seen.foreign.get_or_insert_with(|| CutOff {
                    since: since(),
                    found: found.to_owned(),
                    why: Why::Foreign,
                    uptime: self.clock.uptime(),
                });
                found.clone_into(&mut foreign.found);
            }
            None => {
                let was = seen.foreign.take();
                self.returns(seen, was);
            }
        }
    }

    fn returns(&self, mut seen: MutexGuard<'_, Seen>, was: Option<CutOff>) {
        let Some(was) = was else { return };
        seen.back = Some(self.clock.uptime());
        drop(seen);
        if let Some(returned) = self.returned.get() {
            returned(was);
        }
    }

    /// Whether the store did not answer at some moment of the last `time`.
    fn was_silent_within(&self, time: Duration) -> bool {
        let seen = self.lock();
        let ago = |back| self.clock.uptime().saturating_sub(back);
        seen.cut_off.is_some()
            || seen.foreign.is_some()
            || seen.back.is_some_and(|back| ago(back) < time)
    }

    /// What is called when the store answers again. The first one counts.
    pub fn when_back(&self, returned: Returned) {
        drop(self.returned.set(returned));
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T>(&self, result: &Result<T, StoreError>) {
        let mut seen = self.lock();
        let away = match result {
            Err(StoreError::CutOff { found, .. }) => Some((found.clone(), Why::Silent)),
            Err(error @ StoreError::Corrupt { .. }) => Some((error.to_string(), Why::Damaged)),
            _ => None,
        };
        if let Some((found, why)) = away {
            let since = || self.clock.now();
            seen.cut_off.get_or_insert_with(|| CutOff {
                since: since(),
                found,
                why,
                uptime: self.clock.uptime(),
            });
            return;
        }
        // Any other word is one of a store that answers.
        let was = seen.cut_off.take();
        self.returns(seen, was);
    }
}

/// A store, the way to it, and what was read of it last.
pub struct Linked {
    store: Arc<dyn Store>,
    link: Arc<Link>,
    remembered: Arc<Remembered>,
    /// Watches, which begin again when the store counts anew.
    watches: Mutex<Vec<Weak<dyn Close>>>,
}

impl Linked {
    /// `store` as the node called `node` uses it. What the node's own policy was is kept in
    /// `file`, so that a node that starts while it is cut off finds it.
    pub fn new(
        store: Arc<dyn Store>,
        node: &str,
        file: Option<PathBuf>,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Self {
        Linked {
            store,
            link: Arc::new(Link::new(clock)),
            remembered: Arc::new(Remembered::new(node, file)),
            watches: Mutex::default(),
        }
    }

    /// The way to it.
    pub fn link(&self) -> Arc<Link> {
        self.link.clone()
    }

    /// Reads the policy, and judges by it whether the store is the cluster's.
    fn read_policy(&self) -> Result<Range, StoreError> {
        let before = self.remembered.revision(POLICY);
        let (known, seen) = self.remembered.known();
        let mut range = self.noted(self.store.range(POLICY))?;
        let mut verdict = identity::judge(known.as_ref(), seen, &range);
        if verdict == Verdict::Nobodys {
            // The first agent of a cluster gives it one. What cannot be written is tried by the next reading.
            if self.give_identity().is_ok() {
                range = self.noted(self.store.range(POLICY))?;
                verdict = identity::judge(known.as_ref(), seen, &range);
            }
        }
        if verdict == Verdict::Same
            && let Some(found) = self.remembered.set_back(&range)
        {
            verdict = Verdict::Foreign(found);
        }
        match verdict {
            Verdict::Foreign(found) => {
                self.link.judged(Some(&found));
                return Err(StoreError::Foreign { found });
            }
            Verdict::Counts(identity) => {
                self.remembered.counts(identity, range.revision);
                self.begin_watches_again();
            }
            Verdict::Same | Verdict::Nobodys => {}
        }
        self.remembered.keep(POLICY, &range, before);
        self.link.judged(None);
        Ok(range)
    }

    fn give_identity(&self) -> Result<(), StoreError> {
        let identity = Identity::make().map_err(|error| StoreError::Refused {
            store: "of this node".to_owned(),
            found: format!("the kernel provides no random number: {error}"),
        })?;
        self.noted(self.store.put_json(IDENTITY, &identity, 0))
            .map(drop)
    }

    /// Refuses what is not to be done with a store that is not the cluster's. One that was found not to be
    /// is judged anew first.
    fn must_count(&self) -> Result<(), StoreError> {
        match self.link.is_foreign() {
            true => self.read_policy().map(drop),
            false => Ok(()),
        }
    }

    /// Whether the revision of an answer says that an older state was restored; then the store is judged.
    fn has_seen(&self, revision: u64, seen: u64) -> Result<(), StoreError> {
        match revision < seen {
            true => self.read_policy().map(drop),
            false => {
                self.remembered.has_seen(revision);
                Ok(())
            }
        }
    }

    fn begin_watches_again(&self) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        for watch in watches.drain(..).filter_map(|watch| watch.upgrade()) {
            watch.close();
        }
    }

    fn noted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.link.note(&result);
        result
    }
}

impl Store for Linked {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let found = self
            .must_count()
            .and_then(|()| self.noted(self.store.get(key)));
        match found {
            Err(error) if is_away(&error) => self.remembered.key(key).ok_or(error),
            other => other,
        }
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        let read = match prefix {
            POLICY => self.read_policy(),
            prefix => self.read(prefix),
        };
        match read {
            Err(error) if is_away(&error) => self.remembered.range(prefix).ok_or(error),
            other => other,
        }
    }

    fn range_since(&self, prefix: &str, revision: u64) -> Result<Range, StoreError> {
        let known = self.remembered.range_since(prefix, revision);
        known.map_or_else(|| self.range(prefix), Ok)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.must_count()?;
        let is_sign = txn.ops.iter().any(|op| op.key().starts_with(ALIVE));
        if let Some(found) = self.link.taken().filter(|_| !is_sign) {
            let store = "of the cluster under this name".to_owned();
            return Err(StoreError::Refused { store, found });
        }
        let (_, seen) = self.remembered.known();
        let commit = self.noted(self.store.commit(txn))?;
        let (Commit::Done { revision } | Commit::Conflict { revision, .. }) = &commit;
        self.has_seen(*revision, seen)?;
        Ok(commit)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.must_count()?;
        let era = self.remembered.era();
        let watch = self.noted(self.store.watch(prefix, from))?;
        let closer = watch.closer();
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Arc::downgrade(&closer));
        Ok(Box::new(Following {
            watch,
            closer: Arc::new(Ending {
                watch: closer,
                asked: AtomicBool::new(false),
            }),
            era,
            from: (prefix == POLICY && from > 0).then_some(from),
            link: self.link.clone(),
            remembered: self.remembered.clone(),
        }))
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.must_count()?;
        self.noted(self.store.compact(revision))
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.must_count()?;
        self.noted(self.store.grant(ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.must_count()?;
        self.noted(self.store.keep_alive(lease))
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.must_count()?;
        self.noted(self.store.revoke(lease))
    }

    fn last_readable(&self, key: &str) -> Option<Entry> {
        self.remembered.good(key)
    }

    fn was_silent_within(&self, time: Duration) -> bool {
        self.link.was_silent_within(time)
    }
}

impl Linked {
    fn read(&self, prefix: &str) -> Result<Range, StoreError> {
        self.must_count()?;
        let before = self.remembered.revision(prefix);
        let (_, seen) = self.remembered.known();
        let range = self.noted(self.store.range(prefix))?;
        self.has_seen(range.revision, seen)?;
        self.remembered.keep(prefix, &range, before);
        Ok(range)
    }
}

/// Whether the store does not count now, so that what was read last is shown.
fn is_away(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::CutOff { .. } | StoreError::Foreign { .. } | StoreError::Corrupt { .. }
    )
}

/// What ends a watch; whether somebody wanted that.
struct Ending {
    watch: Arc<dyn Close>,
    asked: AtomicBool,
}

impl Ending {
    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

impl Close for Ending {
    fn close(&self) {
        self.asked.store(true, Ordering::Release);
        self.watch.close();
    }
}

/// A watch; the policy is remembered as its watch tells it.
struct Following {
    watch: Box<dyn Watch>,
    closer: Arc<Ending>,
    /// When it began.
    era: u64,
    /// Of a watch of the policy the first revision that it has not told yet.
    from: Option<u64>,
    link: Arc<Link>,
    remembered: Arc<Remembered>,
}

impl Watch for Following {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let changes = self.watch.next(within);
        let lost = matches!(changes, Err(StoreError::Closed)) && !self.closer.is_asked();
        if lost || self.remembered.era() != self.era {
            // Its file was closed because it is damaged, or the revisions of before mean nothing any more.
            let asked = self.from.unwrap_or(0);
            return Err(StoreError::Compacted { asked, oldest: 0 });
        }
        let changes = changes?;
        let Some((last, from)) = changes.last().zip(self.from) else {
            return Ok(changes);
        };
        // Whoever reads after a change of the identity judges the store; until then nothing is believed.
        let doubtful = changes.iter().any(|change| change.key() == IDENTITY);
        if !doubtful && !self.link.is_foreign() {
            self.remembered.follow(from, &changes);
        }
        self.from = Some(last.revision() + 1);
        Ok(changes)
    }

    fn closer(&self) -> Arc<dyn Close> {
        self.closer.clone()
    }
}
