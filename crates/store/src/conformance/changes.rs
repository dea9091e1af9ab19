//! What a watch shows, and what compaction forgets.

use std::time::Duration;

use super::{Subject, done, keys_below, must, refused, revision};
use crate::{Change, Store, StoreError, Txn, Watch};

/// Long enough for what must come.
const LONG: Duration = Duration::from_secs(10);

/// The next `count` changes.
#[track_caller]
fn next(watch: &mut dyn Watch, count: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    while changes.len() < count {
        let more = must(watch.next(LONG));
        assert!(
            !more.is_empty(),
            "{count} changes must come, and {changes:?} came"
        );
        changes.extend(more);
    }
    assert_eq!(changes.len(), count, "more came: {changes:?}");
    changes
}

/// Nothing more comes.
#[track_caller]
fn nothing(watch: &mut dyn Watch) {
    assert_eq!(must(watch.next(Duration::from_millis(100))), []);
}

/// Each change as text: revision, key without the prefix, value.
fn as_text(changes: &[Change], prefix: &str) -> Vec<String> {
    let tell = |change: &Change| {
        let key = change.key().strip_prefix(prefix).unwrap_or("?");
        match change {
            Change::Put(e) => format!("{key}={}", String::from_utf8_lossy(&e.value)),
            Change::Delete { .. } => format!("{key} gone"),
        }
    };
    changes.iter().map(tell).collect()
}

/// Reads until the watch reports that its changes are forgotten; a store may report it at once.
fn forgotten(store: &dyn Store, prefix: &str, from: u64) -> StoreError {
    match store.watch(prefix, from) {
        Ok(mut watch) => refused(watch.next(LONG)),
        Err(error) => error,
    }
}

/// Puts and deletes come in order, as whole entries.
pub fn in_order(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let (a, b) = (format!("{prefix}a"), format!("{prefix}b"));
    let from = revision(&*store, &prefix) + 1;
    let mut watch = must(store.watch(&prefix, from));
    done(&*store, Txn::new().put(&*b, "1"));
    done(&*store, Txn::new().put(&*a, "2"));
    done(&*store, Txn::new().put(&*b, "3"));
    let entry = must(store.get(&b));
    done(&*store, Txn::new().delete(&*b));
    let changes = next(&mut *watch, 4);
    assert_eq!(as_text(&changes, &prefix), ["b=1", "a=2", "b=3", "b gone"]);
    let revisions: Vec<_> = changes.iter().map(Change::revision).collect();
    assert_eq!(revisions, [from, from + 1, from + 2, from + 3]);
    assert_eq!(Some(changes[2].clone()), entry.map(Change::Put));
    nothing(&mut *watch);
}

/// Only keys with the prefix.
pub fn of_one_prefix(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let mut watch = must(store.watch(&format!("{prefix}a/"), revision(&*store, &prefix) + 1));
    let put = |key: &str| done(&*store, Txn::new().put(format!("{prefix}{key}"), ""));
    for key in ["a", "a0", "a/1", "b", "a.", "a/"] {
        put(key);
    }
    let txn = Txn::new()
        .put(format!("{prefix}a/2"), "")
        .put(format!("{prefix}c"), "");
    done(&*store, txn);
    assert_eq!(
        as_text(&next(&mut *watch, 3), &prefix),
        ["a/1=", "a/=", "a/2="]
    );
    nothing(&mut *watch);
}

/// A watch from an old revision returns all since, and goes on with what is new.
pub fn from_an_old_revision(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let revisions: Vec<_> = (0..5)
        .map(|n| done(&*store, Txn::new().put(&*key, n.to_string())))
        .collect();
    let mut watch = must(store.watch(&prefix, revisions[2]));
    done(&*store, Txn::new().delete(&*key));
    let changes = next(&mut *watch, 4);
    assert_eq!(as_text(&changes, &prefix), ["a=2", "a=3", "a=4", "a gone"]);
    done(&*store, Txn::new().put(&*key, "5"));
    assert_eq!(as_text(&next(&mut *watch, 1), &prefix), ["a=5"]);
}

/// From 0: only what is new.
pub fn from_now(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    done(&*store, Txn::new().put(&*key, "old"));
    let mut watch = must(store.watch(&prefix, 0));
    nothing(&mut *watch);
    done(&*store, Txn::new().put(&*key, "new"));
    assert_eq!(as_text(&next(&mut *watch, 1), &prefix), ["a=new"]);
}

/// From a revision that is not there yet: what comes before it is not reported.
pub fn from_the_future(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let from = revision(&*store, &prefix) + 3;
    let mut watch = must(store.watch(&prefix, from));
    for n in 0..2 {
        done(&*store, Txn::new().put(&*key, n.to_string()));
        nothing(&mut *watch);
    }
    done(&*store, Txn::new().put(&*key, "2"));
    assert_eq!(as_text(&next(&mut *watch, 1), &prefix), ["a=2"]);
}

/// The changes of one revision come together, in the order of their ops.
pub fn whole_revisions(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let from = revision(&*store, &prefix) + 1;
    let mut watch = must(store.watch(&prefix, from));
    for round in 0..20 {
        let txn = ["c", "a", "b"].iter().fold(Txn::new(), |txn, key| {
            txn.put(format!("{prefix}{key}"), round.to_string())
        });
        done(&*store, txn);
    }
    let mut rounds = 0;
    while rounds < 20 {
        let changes = must(watch.next(LONG));
        assert!(
            !changes.is_empty(),
            "20 revisions must come, and {rounds} came"
        );
        for together in changes.chunks(3) {
            let expected = ["c", "a", "b"].map(|key| format!("{key}={rounds}"));
            assert_eq!(as_text(together, &prefix), expected);
            rounds += 1;
        }
    }
}

/// More than fits into one answer.
pub fn many_big_ones(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let from = revision(&*store, &prefix) + 1;
    let size = |n: usize| 400_000 + n;
    for n in 0..12 {
        let txn = Txn::new()
            .put(format!("{prefix}a"), vec![7; size(n)])
            .put(format!("{prefix}b"), vec![8; size(n)]);
        done(&*store, txn);
    }
    let mut watch = must(store.watch(&prefix, from));
    let changes = next(&mut *watch, 24);
    for (at, change) in changes.iter().enumerate() {
        assert_eq!(change.revision(), from + at as u64 / 2);
        assert!(matches!(change, Change::Put(e) if e.value.len() == size(at / 2)));
    }
}

/// What happened before the store was opened again is still reported.
pub fn outlive_reopening(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let from = done(&*store, Txn::new().put(&*key, "1"));
    done(&*store, Txn::new().delete(&*key));
    drop(store);
    subject.reopen();
    let store = subject.store();
    assert_eq!(done(&*store, Txn::new().put(&*key, "2")), from + 2);
    let mut watch = must(store.watch(&prefix, from));
    assert_eq!(
        as_text(&next(&mut *watch, 3), &prefix),
        ["a=1", "a gone", "a=2"]
    );
}

/// Compacted changes are reported as gone; what came later is not touched.
pub fn compacted(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let revisions: Vec<_> = (0..6)
        .map(|n| done(&*store, Txn::new().put(&*key, n.to_string())))
        .collect();
    must(store.compact(revisions[3]));
    for from in [revisions[0], revisions[2]] {
        let error = forgotten(&*store, &prefix, from);
        assert!(
            matches!(error, StoreError::Compacted { oldest, .. } if oldest == revisions[3]),
            "{error}"
        );
    }
    let mut watch = must(store.watch(&prefix, revisions[4]));
    assert_eq!(as_text(&next(&mut *watch, 2), &prefix), ["a=4", "a=5"]);
    drop((store, watch));
    subject.reopen();
    let error = forgotten(&*subject.store(), &prefix, revisions[2]);
    assert!(matches!(error, StoreError::Compacted { .. }), "{error}");
}

/// The same compaction again is refused.
pub fn compact_twice(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    done(&*store, Txn::new().put(format!("{prefix}a"), "1"));
    let at = done(&*store, Txn::new().put(format!("{prefix}a"), "2"));
    must(store.compact(at));
    for again in [at, at - 1] {
        let error = refused(store.compact(again));
        assert!(matches!(error, StoreError::Compacted { .. }), "{error}");
    }
}

/// What has not happened cannot be forgotten.
pub fn compact_the_future(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let at = done(&*store, Txn::new().put(format!("{prefix}a"), "1"));
    let error = refused(store.compact(at + 1));
    assert!(
        matches!(error, StoreError::FutureRevision { revision, .. } if revision == at),
        "{error}"
    );
}

/// Compaction takes no key away, and the revision stays.
pub fn compaction_keeps_keys(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    for key in ["a", "b", "c"] {
        done(&*store, Txn::new().put(format!("{prefix}{key}"), ""));
    }
    let at = done(&*store, Txn::new().delete(format!("{prefix}b")));
    let before = must(store.range(&prefix));
    must(store.compact(at));
    assert_eq!(must(store.range(&prefix)), before);
    assert_eq!(keys_below(&*store, &prefix), ["a", "c"]);
}
