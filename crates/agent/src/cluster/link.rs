//! Whether the store answers and is the cluster's own.
//!
//! A node that is cut off shows what it read last, and since when; it changes nothing. A store that was
//! emptied, replaced or restored to an older state, or whose file is damaged, counts as one that does not answer.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::{Code, Problem};
use accelnet_store::StoreError;

/// Since when a node is cut off from the store, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// RFC 3339, UTC.
    pub since: String,
    /// What was found, a fragment.
    pub found: String,
    /// Why the store is not used.
    pub why: Why,
    /// The uptime at that moment.
    pub uptime: Duration,
}

/// Why a store is not used.
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
    /// Why a change is refused.
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

/// How to continue without the file of a store.
const DAMAGED: &str = "VMs, VFs and networks are unchanged, and changes are refused. Put a backup in \
    its place, or continue with the last state that the agent read ('accelnet store restore \
    /var/lib/accelnet/store.last-read').";

type OnReturn = Box<dyn Fn(CutOff) + Send + Sync>;

/// The state of the store.
#[derive(Default)]
struct State {
    cut_off: Option<CutOff>,
    foreign: Option<CutOff>,
    name_taken: Option<CutOff>,
    /// The uptime when it answered again.
    back: Option<Duration>,
}

/// The connection of a node to its store.
pub struct Link {
    state: Mutex<State>,
    on_return: OnceLock<OnReturn>,
    clock: Arc<dyn Clock + Send + Sync>,
}

impl Link {
    pub(super) fn new(clock: Arc<dyn Clock + Send + Sync>) -> Self {
        Link {
            state: Mutex::default(),
            on_return: OnceLock::new(),
            clock,
        }
    }

    /// Why the store is not used; none if it is.
    pub fn cut_off(&self) -> Option<CutOff> {
        let state = self.lock();
        let all = [&state.cut_off, &state.foreign, &state.name_taken];
        all.into_iter().flatten().next().cloned()
    }

    /// Sets, or with none clears, a reason why the store is not used. The text of the first moment remains,
    /// unless the store is foreign.
    fn set(&self, part: fn(&mut State) -> &mut Option<CutOff>, found: Option<(String, Why)>) {
        let mut state = self.lock();
        if let Some((found, why)) = found {
            let cut_off = part(&mut state).get_or_insert_with(|| CutOff {
                since: self.clock.now(),
                found: found.clone(),
                why,
                uptime: self.clock.uptime(),
            });
            if why == Why::Foreign {
                cut_off.found = found;
            }
        } else if let Some(was) = part(&mut state).take() {
            state.back = Some(self.clock.uptime());
            drop(state);
            if let Some(on_return) = self.on_return.get() {
                on_return(was);
            }
        }
    }

    /// Sets where another live agent with this node's name, `name`, runs, a fragment; none if there is none.
    pub(super) fn set_name_taken(&self, name: &str, found: Option<String>) {
        let found = found.map(|found| (format!("{name}: {found}"), Why::NameTaken));
        self.set(|state| &mut state.name_taken, found);
    }

    /// Sets why the store is not the cluster's; none if it is.
    pub(super) fn set_foreign(&self, found: Option<&str>) {
        let found = found.map(|found| (found.to_owned(), Why::Foreign));
        self.set(|state| &mut state.foreign, found);
    }

    /// Records whether the store answered; any other error is an answer.
    pub(super) fn note<T>(&self, result: &Result<T, StoreError>) {
        let found = match result {
            Err(StoreError::CutOff { found, .. }) => Some((found.clone(), Why::Silent)),
            Err(error @ StoreError::Corrupt { .. }) => Some((error.to_string(), Why::Damaged)),
            _ => None,
        };
        self.set(|state| &mut state.cut_off, found);
    }

    /// Where another live agent with this node's name runs.
    pub(super) fn name_taken(&self) -> Option<String> {
        let taken = self.lock().name_taken.clone();
        taken.map(|taken| taken.found)
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.lock().foreign.is_some()
    }

    /// Whether the store did not answer at some moment of the last `time`.
    pub(super) fn was_silent_within(&self, time: Duration) -> bool {
        let state = self.lock();
        let ago = |back| self.clock.uptime().saturating_sub(back);
        state.cut_off.is_some()
            || state.foreign.is_some()
            || state.back.is_some_and(|back| ago(back) < time)
    }

    /// Calls `on_return` when the store is used again. Only the first call of this has an effect.
    pub(crate) fn when_back(&self, on_return: OnReturn) {
        drop(self.on_return.set(on_return));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
