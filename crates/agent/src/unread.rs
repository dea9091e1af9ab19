//! Values of the store that cannot be read: they hide nothing else, and a fault names each of them.

use std::sync::{Arc, Mutex, PoisonError};

use accelnet_model::outside::short;
use accelnet_model::{Code, Problem};
use accelnet_store::{Document, Entry, Stored, Unreadable};

/// Values that are named one by one; further ones are counted.
pub(crate) const MAX_NAMED: usize = 16;
/// Characters of a key that are shown.
const MAX_KEY: usize = 120;
/// Characters of a reason that are shown.
const MAX_REASON: usize = 300;

/// The values that one reader of the store could not read last. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unread(Arc<Mutex<Vec<Unreadable>>>);

impl Unread {
    /// Keeps the values of the last reading.
    pub fn set(&self, found: Vec<Unreadable>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// The values of the last reading.
    pub fn get(&self) -> Vec<Unreadable> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }
}

/// Why the value of `entry` is not a `T`; none if it is one.
pub(crate) fn error<T: Document>(entry: &Entry) -> Option<Unreadable> {
    Stored::<T>::read_or_why(entry).err()
}

/// The key of `entry` is of no kind that accelnet has.
pub(crate) fn unknown_key(entry: &Entry) -> Unreadable {
    Unreadable {
        key: entry.key.clone(),
        mod_revision: entry.mod_revision,
        reason: "accelnet has no such key".to_owned(),
        newer_format: false,
    }
}

/// A key as it is shown.
pub fn shown(key: &str) -> String {
    short(key, MAX_KEY)
}

/// The problem of a value.
pub fn problem(unreadable: &Unreadable) -> Problem {
    let found = format!("{}.", sentence(&unreadable.reason));
    let names = [&*shown(&unreadable.key)];
    let problem = Problem::new(Code::StoreValueUnreadable, &names, found);
    match unreadable.newer_format {
        true => problem.resolution(
            "A later release of accelnet wrote the value. Update accelnet on this node to that release. All other values \
             work, and the node remains unchanged.",
        ),
        false => problem,
    }
}

/// The problems of values: the first ones one by one, the rest in one.
pub fn problems(all: &[Unreadable]) -> Vec<Problem> {
    let mut problems: Vec<Problem> = all.iter().take(MAX_NAMED).map(problem).collect();
    if let Some(more) = all.len().checked_sub(MAX_NAMED).filter(|more| *more > 0) {
        let found = format!("{more} more cannot be read.");
        let names = ["further keys"];
        problems.push(Problem::new(Code::StoreValueUnreadable, &names, found));
    }
    problems
}

/// A fragment as a sentence without its full stop.
fn sentence(fragment: &str) -> String {
    let fragment = short(fragment, MAX_REASON);
    let mut letters = fragment.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
