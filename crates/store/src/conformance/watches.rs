//! How a watch waits, wakes and ends.

use std::thread;
use std::time::Duration;

use super::{Subject, done, must, refused, revision};
use crate::{StoreError, Txn};

/// Longer than any test takes: what ends before it was woken.
const LONG: Duration = Duration::from_secs(60);

/// Nothing happens, nothing is reported, and the watch goes on.
pub fn nothing_within(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let mut watch = must(store.watch(&prefix, revision(&*store, &prefix) + 1));
    assert_eq!(must(watch.next(Duration::ZERO)), []);
    assert_eq!(must(watch.next(Duration::from_millis(50))), []);
    done(&*store, Txn::new().put(format!("{prefix}a"), ""));
    assert_eq!(must(watch.next(LONG)).len(), 1);
}

/// A commit elsewhere ends the wait.
pub fn woken_by_a_commit(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let mut watch = must(store.watch(&prefix, revision(&*store, &prefix) + 1));
    let waiting = thread::spawn(move || watch.next(LONG).map(|changes| changes.len()));
    done(&*store, Txn::new().put(format!("{prefix}a"), ""));
    let Ok(changes) = waiting.join() else {
        panic!("the watch panicked")
    };
    assert_eq!(must(changes), 1);
}

/// Closing ends the wait.
pub fn closed_while_waiting(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let mut watch = must(store.watch(&prefix, revision(&*store, &prefix) + 1));
    let closer = watch.closer();
    let waiting = thread::spawn(move || watch.next(LONG));
    closer.close();
    let Ok(closed) = waiting.join() else {
        panic!("the watch panicked")
    };
    let error = refused(closed);
    assert!(matches!(error, StoreError::Closed), "{error}");
}

/// A closed watch stays closed, whatever happens; another is not touched.
pub fn closed_for_good(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let from = revision(&*store, &prefix) + 1;
    let mut closed = must(store.watch(&prefix, from));
    let mut open = must(store.watch(&prefix, from));
    closed.closer().close();
    closed.closer().close();
    done(&*store, Txn::new().put(format!("{prefix}a"), ""));
    for _ in 0..2 {
        let error = refused(closed.next(LONG));
        assert!(matches!(error, StoreError::Closed), "{error}");
    }
    assert_eq!(must(open.next(LONG)).len(), 1);
}

/// Every watch returns all changes.
pub fn two_at_once(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let from = revision(&*store, &prefix) + 1;
    let watches: Vec<_> = (0..4).map(|_| must(store.watch(&prefix, from))).collect();
    let waiting: Vec<_> = watches
        .into_iter()
        .map(|mut watch| {
            thread::spawn(move || {
                let mut revisions = Vec::new();
                while revisions.len() < 50 {
                    let changes = must(watch.next(LONG));
                    assert!(!changes.is_empty(), "50 must come: {revisions:?}");
                    revisions.extend(changes.iter().map(crate::Change::revision));
                }
                revisions
            })
        })
        .collect();
    for _ in 0..50 {
        done(&*store, Txn::new().put(format!("{prefix}a"), ""));
    }
    let expected: Vec<_> = (from..from + 50).collect();
    for thread in waiting {
        let Ok(revisions) = thread.join() else {
            panic!("a watch panicked")
        };
        assert_eq!(revisions, expected);
    }
}
