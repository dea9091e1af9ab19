//! What was found in the store that cannot be read: it hides nothing else, and is named by a fault.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_host::Clock;
use accelnet_model::outside::short;
use accelnet_model::{Code, Problem};
use accelnet_store::{Store, Unreadable};

use crate::check::judge;
use crate::cluster::{CLUSTER, MIGRATION, OBSERVERS};
use crate::orders::orders_of;
use crate::report::parts::PARTS;

/// Most of them that are named one by one.
const NAMED: usize = 16;
/// Most characters of a key that are shown.
const KEY: usize = 120;
/// Most characters of a reason that are shown.
const REASON: usize = 300;

/// What one reader of the store found last. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unread(Arc<Mutex<Vec<Unreadable>>>);

impl Unread {
    /// Remembers what was found by the last reading.
    pub fn set(&self, found: Vec<Unreadable>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// What was found by the last reading.
    pub fn get(&self) -> Vec<Unreadable> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }
}

/// How long what was found of keys that are read seldom is shown before they are read again.
const AGAIN: Duration = Duration::from_secs(2);

/// Keys that an agent reads once or never: who belongs to the cluster is decided by them, or what only this
/// node writes is in them.
pub(crate) struct Seldom {
    store: Arc<dyn Store>,
    prefixes: [String; 8],
    clock: Arc<dyn Clock + Send + Sync>,
    found: Mutex<Option<(Duration, Vec<Unreadable>)>>,
}

impl Seldom {
    /// Those of the store as the node called `node` has it.
    pub fn new(store: Arc<dyn Store>, node: &str, clock: Arc<dyn Clock + Send + Sync>) -> Self {
        Seldom {
            store,
            prefixes: [
                format!("nodes/{node}/bound/"),
                format!("nodes/{node}/disruption/"),
                format!("nodes/{node}/request"),
                orders_of(node),
                format!("{PARTS}{node}/"),
                OBSERVERS.to_owned(),
                CLUSTER.to_owned(),
                MIGRATION.to_owned(),
            ],
            clock,
            found: Mutex::default(),
        }
    }

    /// What of them cannot be read, as it was a few seconds ago at most.
    pub fn unreadable(&self) -> Vec<Unreadable> {
        let now = self.clock.uptime();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = &*found
            && now.saturating_sub(*at) < AGAIN
        {
            return found.clone();
        }
        let read = self
            .prefixes
            .iter()
            .filter_map(|prefix| self.store.range(prefix).ok());
        let all: Vec<Unreadable> = read
            .flat_map(|range| range.entries)
            .filter_map(|entry| judge(&entry))
            .collect();
        *found = Some((now, all.clone()));
        all
    }
}

/// A key as it is shown.
pub fn shown(key: &str) -> String {
    short(key, KEY)
}

/// The problem with a value of the store.
pub fn problem(unreadable: &Unreadable) -> Problem {
    let found = format!("{}.", sentence(&unreadable.reason));
    let problem = Problem::new(
        Code::StoreValueUnreadable,
        &[&shown(&unreadable.key)],
        found,
    );
    match unreadable.newer_format {
        true => problem.resolution(
            "A later release of accelnet wrote the value. Update accelnet on this node to that release. All other values \
             work, and the node remains unchanged.",
        ),
        false => problem,
    }
}

/// The problems with values of the store: the first few one by one, the rest in one.
pub fn problems(all: &[Unreadable]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = all.iter().take(NAMED).map(problem).collect();
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let found = format!("{more} more cannot be read.");
        problems.push(Problem::new(
            Code::StoreValueUnreadable,
            &["further keys"],
            found,
        ));
    }
    problems
}

/// A fragment as a sentence without its full stop.
fn sentence(fragment: &str) -> String {
    let fragment = short(fragment, REASON);
    let mut letters = fragment.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
