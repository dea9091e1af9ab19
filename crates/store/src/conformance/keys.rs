//! Reading and writing single keys.

use super::{Subject, done, keys_below, must, refused, revision, value};
use crate::{StoreError, Txn};

/// A key that was never written.
pub fn absent_key(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    assert_eq!(must(store.get(&format!("{prefix}a"))), None);
    assert_eq!(must(store.range(&prefix)).entries, []);
}

/// What was put is there, and lasts.
pub fn put_and_get(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let before = revision(&*store, &prefix);
    let at = done(&*store, Txn::new().put(&*key, "one"));
    assert_eq!(at, before + 1);
    drop(store);
    subject.reopen();
    let store = subject.store();
    let range = must(store.range(&prefix));
    assert_eq!(range.revision, at);
    let entry = must(store.get(&key));
    assert_eq!(entry.as_ref(), range.entries.first());
    let Some(entry) = entry else {
        panic!("{key} is lost")
    };
    assert_eq!((&*entry.key, &*entry.value), (&*key, b"one".as_slice()));
    assert_eq!((entry.create_revision, entry.mod_revision), (at, at));
    assert_eq!((entry.version, entry.lease), (1, None));
}

/// Each put counts, and the revision of creation stays.
pub fn versions(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let first = done(&*store, Txn::new().put(&*key, "one"));
    let second = done(&*store, Txn::new().put(&*key, "one"));
    assert_eq!(second, first + 1, "the same value again is a change");
    let entry = must(store.get(&key)).map(|e| (e.create_revision, e.mod_revision, e.version));
    assert_eq!(entry, Some((first, second, 2)));
}

/// A key that comes back begins again.
pub fn create_again(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    done(&*store, Txn::new().put(&*key, "one"));
    done(&*store, Txn::new().put(&*key, "two"));
    done(&*store, Txn::new().delete(&*key));
    assert_eq!(value(&*store, &key), None);
    let at = done(&*store, Txn::new().put(&*key, "three"));
    let entry = must(store.get(&key)).map(|e| (e.create_revision, e.mod_revision, e.version));
    assert_eq!(entry, Some((at, at, 1)));
}

/// An empty key is refused everywhere.
pub fn empty_key(subject: &mut impl Subject) {
    let store = subject.store();
    for error in [
        refused(store.get("")),
        refused(store.commit(&Txn::new().put("", "one"))),
        refused(store.commit(&Txn::new().delete(""))),
        refused(store.commit(&Txn::new().check("", 0))),
    ] {
        assert!(matches!(error, StoreError::EmptyKey), "{error}");
    }
}

/// Any text is a key.
pub fn odd_keys(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let long = "k".repeat(4000);
    let odd = [
        "\0",
        "\0\0",
        " ",
        "\n",
        "%",
        "*",
        "..",
        "/",
        "//",
        "a\0b",
        "\u{7f}",
        "é",
        "ß",
        "日本",
        "\u{10ffff}",
        "🦀",
        &*long,
    ];
    for key in odd {
        done(&*store, Txn::new().put(format!("{prefix}{key}"), key));
    }
    for key in odd {
        let found = value(&*store, &format!("{prefix}{key}"));
        assert_eq!(found.as_deref(), Some(key.as_bytes()), "{key:?}");
    }
    assert_eq!(keys_below(&*store, &prefix).len(), odd.len());
}

/// A prefix takes what begins with it: itself, too, and no neighbour.
pub fn prefix_edges(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    for key in [
        "a",
        "a/",
        "a/b",
        "a0",
        "ab",
        "b",
        "a\u{7f}",
        "a\u{10ffff}",
        "A",
    ] {
        done(&*store, Txn::new().put(format!("{prefix}{key}"), ""));
    }
    let below = |key: &str| keys_below(&*store, &format!("{prefix}{key}"));
    assert_eq!(below("a/"), ["", "b"]);
    assert_eq!(
        below("a"),
        ["", "/", "/b", "0", "b", "\u{7f}", "\u{10ffff}"]
    );
    assert_eq!(below("a\u{7f}"), [""]);
    assert_eq!(below("a\u{10ffff}"), [""]);
    assert_eq!(below("c"), [""; 0]);
    assert_eq!(below("a/b/"), [""; 0]);
}

/// The empty prefix means every key.
pub fn every_key(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    done(
        &*store,
        Txn::new()
            .put(&*key, "")
            .put("\0", "")
            .put("\u{10ffff}", ""),
    );
    let all = must(store.range("")).entries;
    for key in [&*key, "\0", "\u{10ffff}"] {
        assert!(all.iter().any(|entry| entry.key == key), "{key:?}");
    }
    done(&*store, Txn::new().delete("\0").delete("\u{10ffff}"));
}

/// Keys come in the order of their bytes.
pub fn order(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let keys = [
        "\0", "\0a", " ", "10", "9", "A", "a", "a/", "a/a", "aa", "é", "日", "🦀",
    ];
    for key in keys.iter().rev() {
        done(&*store, Txn::new().put(format!("{prefix}{key}"), ""));
    }
    assert_eq!(keys_below(&*store, &prefix), keys);
}

/// An empty value is a value.
pub fn empty_value(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    done(&*store, Txn::new().put(&*key, ""));
    assert_eq!(value(&*store, &key), Some(Vec::new()));
}

/// Values of one mebibyte, of any bytes.
pub fn big_values(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let big = |seed: usize| -> Vec<u8> {
        (0..1 << 20)
            .map(|at| (at * 31 + at / 251 + seed) as u8)
            .collect()
    };
    for seed in 0..4 {
        done(
            &*store,
            Txn::new().put(format!("{prefix}{seed}"), big(seed)),
        );
    }
    drop(store);
    subject.reopen();
    let store = subject.store();
    for seed in 0..4 {
        let found = value(&*store, &format!("{prefix}{seed}"));
        assert!(found == Some(big(seed)), "value {seed} differs");
    }
}
