//! A watch of a linked store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accelnet_store::{Change, Close, StoreError, Watch};

use crate::cluster::identity::IDENTITY;
use crate::cluster::link::Link;
use crate::cluster::remembered::Remembered;

/// Closes a watch, and records that its user requested it.
pub(super) struct Closer {
    watch: Arc<dyn Close>,
    requested: AtomicBool,
}

impl Closer {
    /// Closes `watch`.
    pub fn of(watch: Arc<dyn Close>) -> Arc<Self> {
        let requested = AtomicBool::new(false);
        Arc::new(Closer { watch, requested })
    }
}

impl Close for Closer {
    fn close(&self) {
        self.requested.store(true, Ordering::Release);
        self.watch.close();
    }
}

/// A watch. The changes of a watch of the policy are remembered.
pub(super) struct LinkedWatch {
    pub watch: Box<dyn Watch>,
    pub closer: Arc<Closer>,
    /// The era in which it began.
    pub era: u64,
    /// For a watch of the policy, the first revision that it has not reported yet.
    pub from: Option<u64>,
    pub link: Arc<Link>,
    pub remembered: Arc<Remembered>,
}

impl Watch for LinkedWatch {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let changes = self.watch.next(within);
        let requested = self.closer.requested.load(Ordering::Acquire);
        let lost = matches!(changes, Err(StoreError::Closed)) && !requested;
        if lost || self.remembered.era() != self.era {
            // The damaged file was closed, or earlier revisions have no meaning any more.
            return Err(StoreError::Compacted {
                asked: self.from.unwrap_or(0),
                oldest: 0,
            });
        }
        let changes = changes?;
        let Some((last, from)) = changes.last().zip(self.from) else {
            return Ok(changes);
        };
        // After a change of the identity, the next reading decides whether the store is accepted.
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
