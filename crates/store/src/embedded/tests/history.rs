//! The history is bounded by itself.

use std::time::Duration;

use crate::{Commit, Embedded, History, Store, StoreError, Txn};

fn store(revisions: u64, bytes: u64) -> Embedded {
    Embedded::in_memory(History { revisions, bytes }, || Duration::ZERO).unwrap()
}

fn put(store: &Embedded, size: usize) -> u64 {
    match store.commit(&Txn::new().put("a", vec![7; size])).unwrap() {
        Commit::Done { revision } => revision,
        conflict @ Commit::Conflict { .. } => panic!("{conflict:?}"),
    }
}

/// The oldest revision that a watch can begin from.
fn oldest(store: &Embedded) -> u64 {
    match store.watch("", 1) {
        Err(StoreError::Compacted { oldest, .. }) => oldest,
        Err(error) => panic!("{error}"),
        Ok(_) => 1,
    }
}

fn known(store: &Embedded, from: u64) -> usize {
    store
        .watch("", from)
        .unwrap()
        .next(Duration::ZERO)
        .unwrap()
        .len()
}

#[test]
fn by_revisions() {
    let store = store(10, u64::MAX);
    for _ in 0..9 {
        put(&store, 1);
    }
    assert_eq!(oldest(&store), 1);
    for _ in 0..20 {
        let revision = put(&store, 1);
        assert_eq!(oldest(&store), revision - 9);
        assert_eq!(known(&store, revision - 9), 10);
    }
}

#[test]
fn by_bytes() {
    let store = store(u64::MAX, 1000);
    for _ in 0..20 {
        put(&store, 300);
    }
    let oldest = oldest(&store);
    let revision = store.range("").unwrap().revision;
    assert_eq!(
        revision - oldest + 1,
        2,
        "two of 300 bytes and what belongs to them fit"
    );
    assert_eq!(known(&store, oldest), 2);
}

#[test]
fn the_last_change_stays_however_big() {
    let store = store(1, 1);
    for _ in 0..3 {
        let revision = put(&store, 1000);
        assert_eq!(oldest(&store), revision);
        assert_eq!(known(&store, revision), 1);
    }
}

#[test]
fn bytes_are_counted_back_by_compaction() {
    let store = store(u64::MAX, 1000);
    put(&store, 400);
    let last = put(&store, 400);
    store.compact(last).unwrap();
    put(&store, 400);
    assert_eq!(oldest(&store), last, "two of 400 bytes fit");
}

#[test]
fn a_watch_that_was_too_slow_is_reported() {
    let store = store(10, u64::MAX);
    let mut watch = store.watch("", 0).unwrap();
    for _ in 0..11 {
        put(&store, 1);
    }
    let error = watch.next(Duration::ZERO).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Compacted {
                asked: 2,
                oldest: 3
            }
        ),
        "{error}"
    );
}
