//! A watch of a linked store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accelnet_store::{Change, Close, StoreError, Watch};

use super::Link;
use crate::cluster::identity::IDENTITY;
use crate::cluster::remembered::Remembered;

/// Closes a watch, and records that its user requested it.
struct Closer {
    watch: Arc<dyn Close>,
    requested: AtomicBool,
}

impl Close for Closer {
    fn close(&self) {
        self.requested.store(true, Ordering::Release);
        self.watch.close();
    }
}

/// A watch. The changes of a watch of the policy are remembered.
pub(super) struct LinkedWatch {
    watch: Box<dyn Watch>,
    closer: Arc<Closer>,
    /// The era in which it began.
    era: u64,
    /// For a watch of the policy, the first revision that it has not reported yet.
    from: Option<u64>,
    link: Arc<Link>,
    remembered: Arc<Remembered>,
}

impl LinkedWatch {
    /// `watch`, which began in `era`; a watch of the policy begins at `from`.
    pub fn new(
        watch: Box<dyn Watch>,
        era: u64,
        from: Option<u64>,
        link: Arc<Link>,
        remembered: Arc<Remembered>,
    ) -> Self {
        let closer = Closer {
            watch: watch.closer(),
            requested: AtomicBool::new(false),
        };
        LinkedWatch {
            watch,
            closer: Arc::new(closer),
            era,
            from,
            link,
            remembered,
        }
    }
}

impl Watch for LinkedWatch {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let changes = self.watch.next(within);
        let requested = self.closer.requested.load(Ordering::Acquire);
        let lost = matches!(changes, Err(StoreError::Closed)) && !requested;
        if lost || self.remembered.era() != self.era {
            // The damaged file was closed, or earlier revisions have no meaning any more.
            let asked = self.from.unwrap_or(0);
            return Err(StoreError::Compacted { asked, oldest: 0 });
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
