//! The suite, on a store in a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::conformance::Subject;
use crate::{Embedded, History, Store};

/// A clock that goes when it is asked to.
#[derive(Clone, Default)]
pub(super) struct FakeClock(Arc<AtomicU64>);

impl FakeClock {
    pub(super) fn advance(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }

    pub(super) fn uptime(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let millis = Arc::clone(&self.0);
        move || Duration::from_millis(millis.load(Ordering::SeqCst))
    }
}

struct OnDisk {
    store: Option<Arc<Embedded>>,
    clock: FakeClock,
    folder: TempDir,
}

impl OnDisk {
    fn open(&mut self) {
        let path = self.folder.path().join("store");
        let store = Embedded::open(&path, History::default(), self.clock.uptime()).unwrap();
        self.store = Some(Arc::new(store));
    }
}

impl Subject for OnDisk {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().unwrap()) as Arc<dyn Store>
    }

    fn prefix(&self) -> String {
        "/case/".to_owned()
    }

    fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn reopen(&mut self) {
        let store = self.store.take().unwrap();
        assert_eq!(
            Arc::strong_count(&store),
            1,
            "the case still holds the store"
        );
        drop(store);
        self.open();
    }
}

fn make() -> OnDisk {
    let mut subject = OnDisk {
        store: None,
        clock: FakeClock::default(),
        folder: TempDir::new().unwrap(),
    };
    subject.open();
    subject
}

crate::conformance!(make);
