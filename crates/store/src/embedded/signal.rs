//! Wakes waiting watches after a change.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Clone, Copy)]
struct State {
    revision: u64,
    /// Counts what is no revision: a new lease, a watch that closed.
    stirs: u64,
    closed: bool,
}

/// The newest revision, and a way to wait for the next.
#[derive(Debug)]
pub(super) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a watch saw before it began to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) revision: u64,
    stirs: u64,
}

impl Signal {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                revision: 0,
                stirs: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    pub(super) fn publish(&self, revision: u64) {
        let mut state = self.lock();
        state.revision = state.revision.max(revision);
        drop(state);
        self.changed.notify_all();
    }

    /// Lets everyone who waits check again.
    pub(super) fn stir(&self) {
        self.lock().stirs += 1;
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// What there is to see now; `None` when the store is gone.
    pub(super) fn mark(&self) -> Option<Mark> {
        let state = self.lock();
        (!state.closed).then_some(Mark {
            revision: state.revision,
            stirs: state.stirs,
        })
    }

    /// Waits until there is something else to see, for at most `within`. True when nothing was.
    pub(super) fn wait(&self, mark: Mark, within: Duration) -> bool {
        let same = |state: &mut State| {
            !state.closed && state.revision == mark.revision && state.stirs == mark.stirs
        };
        let (state, waited) = self
            .changed
            .wait_timeout_while(self.lock(), within, same)
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        waited.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
