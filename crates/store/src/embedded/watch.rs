//! A watch of the embedded store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::embedded::engine::Engine;
use crate::embedded::read;
use crate::embedded::signal::Signal;
use crate::{Change, Close, StoreError, Watch};

/// Holds the store only while it reads, so that dropping the store closes the file.
pub(super) struct EmbeddedWatch {
    engine: Weak<Engine>,
    closer: Arc<Closer>,
    prefix: String,
    next: u64,
}

struct Closer {
    closed: AtomicBool,
    signal: Arc<Signal>,
}

impl Close for Closer {
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.signal.stir();
    }
}

impl EmbeddedWatch {
    pub(super) fn new(engine: &Arc<Engine>, prefix: &str, from: u64) -> Self {
        Self {
            engine: Arc::downgrade(engine),
            closer: Arc::new(Closer {
                closed: AtomicBool::new(false),
                signal: Arc::clone(&engine.signal),
            }),
            prefix: prefix.to_owned(),
            next: from,
        }
    }

    /// Changes there are; and until when nothing ends by itself.
    fn read_next(&mut self) -> Result<(Vec<Change>, Duration, Option<Duration>), StoreError> {
        let engine = self.engine.upgrade().ok_or(StoreError::Closed)?;
        engine.expire()?;
        loop {
            let batch = engine.with(|db| read::changes(db, &self.prefix, self.next))?;
            let on = batch.next > self.next;
            self.next = batch.next;
            if !on || !batch.changes.is_empty() {
                return Ok((batch.changes, engine.now(), engine.next_end()));
            }
        }
    }
}

impl Watch for EmbeddedWatch {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let signal = Arc::clone(&self.closer.signal);
        let mut left = within;
        let mut before = None;
        loop {
            let mark = signal.mark().ok_or(StoreError::Closed)?;
            if self.closer.closed.load(Ordering::Acquire) {
                return Err(StoreError::Closed);
            }
            let (changes, now, end) = self.read_next()?;
            if let Some(before) = before.replace(now) {
                left = left.saturating_sub(now.saturating_sub(before));
            }
            if !changes.is_empty() || left.is_zero() {
                return Ok(changes);
            }
            let until_end = end.map_or(left, |end| end.saturating_sub(now));
            let slice = left.min(until_end.max(Duration::from_millis(1)));
            if signal.wait(mark, slice) {
                // The clock may be one that stands still.
                left = left.saturating_sub(slice);
                before = None;
            }
        }
    }

    fn closer(&self) -> Arc<dyn Close> {
        Arc::clone(&self.closer) as Arc<dyn Close>
    }
}
