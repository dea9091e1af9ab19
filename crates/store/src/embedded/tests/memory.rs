//! The suite, on a store in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::conformance::Subject;
use crate::embedded::tests::on_disk::FakeClock;
use crate::{Embedded, History, Store};

struct InMemory {
    store: Arc<Embedded>,
    clock: FakeClock,
}

impl Subject for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    fn prefix(&self) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        format!("/case/{}/", COUNT.fetch_add(1, Ordering::Relaxed))
    }

    fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }
}

fn make() -> InMemory {
    let clock = FakeClock::default();
    let store = Embedded::in_memory(History::default(), clock.uptime()).unwrap();
    InMemory {
        store: Arc::new(store),
        clock,
    }
}

crate::conformance!(make);
