//! Transactions: checks, ops, and what is refused.

use super::{Subject, done, keys_below, must, refused, revision, value};
use crate::{Commit, MAX_OPS, MAX_TXN_BYTES, StoreError, Txn};

/// One check that does not hold, and nothing is done.
pub fn all_or_nothing(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let (a, b) = (format!("{prefix}a"), format!("{prefix}b"));
    let at = done(&*store, Txn::new().put(&*a, "one"));
    let txn = Txn::new()
        .check(&*a, at)
        .check(&*b, 7)
        .put(&*a, "two")
        .delete(&*b);
    let conflict = Commit::Conflict {
        key: b.clone(),
        found_revision: 0,
        revision: at,
    };
    assert_eq!(must(store.commit(&txn)), conflict);
    assert_eq!(value(&*store, &a).as_deref(), Some(b"one".as_slice()));
    assert_eq!(revision(&*store, &prefix), at);
}

/// All ops of a transaction share one revision.
pub fn one_revision(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = |name: &str| format!("{prefix}{name}");
    let before = done(&*store, Txn::new().put(key("gone"), ""));
    let txn = Txn::new()
        .put(key("b"), "")
        .delete(key("gone"))
        .put(key("a"), "");
    assert_eq!(done(&*store, txn), before + 1);
    let entries = must(store.range(&prefix)).entries;
    let found: Vec<_> = entries
        .iter()
        .map(|e| (e.key.clone(), e.mod_revision))
        .collect();
    assert_eq!(found, [(key("a"), before + 1), (key("b"), before + 1)]);
}

/// Revision 0 means that the key must not exist.
pub fn check_absent(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let create = Txn::new().check(&*key, 0).put(&*key, "one");
    let at = done(&*store, create.clone());
    let again = must(store.commit(&create));
    let conflict = Commit::Conflict {
        key: key.clone(),
        found_revision: at,
        revision: at,
    };
    assert_eq!(again, conflict);
    done(&*store, Txn::new().delete(&*key));
    done(&*store, create);
}

/// Any other revision must be the key's last change, not the store's.
pub fn check_present(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let first = done(&*store, Txn::new().put(&*key, "one"));
    done(&*store, Txn::new().put(format!("{prefix}b"), ""));
    let second = done(&*store, Txn::new().check(&*key, first).put(&*key, "two"));
    assert_eq!(second, first + 2);
    for wrong in [0, first, first + 1, second + 1, u64::MAX >> 1] {
        let found = must(store.commit(&Txn::new().check(&*key, wrong).delete(&*key)));
        assert!(
            matches!(found, Commit::Conflict { found_revision, .. } if found_revision == second),
            "{wrong}: {found:?}"
        );
    }
}

/// Of several checks the first that does not hold is reported.
pub fn conflict_names_the_first(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = |name: &str| format!("{prefix}{name}");
    let at = done(&*store, Txn::new().put(key("b"), ""));
    let txn = Txn::new()
        .check(key("c"), 0)
        .check(key("b"), 1)
        .check(key("a"), 1);
    let conflict = Commit::Conflict {
        key: key("b"),
        found_revision: at,
        revision: at,
    };
    assert_eq!(must(store.commit(&txn)), conflict);
}

/// Deleting what is not there changes nothing, not even the revision.
pub fn deletes_of_nothing(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let before = revision(&*store, &prefix);
    let txn = Txn::new()
        .delete(format!("{prefix}a"))
        .delete(format!("{prefix}b"));
    assert_eq!(done(&*store, txn), before);
    assert_eq!(revision(&*store, &prefix), before);
}

/// No ops, no change.
pub fn empty(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let before = revision(&*store, &prefix);
    assert_eq!(done(&*store, Txn::new()), before);
    assert_eq!(revision(&*store, &prefix), before);
}

/// Checks alone show whether something still is as it was.
pub fn checks_only(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let at = done(&*store, Txn::new().put(&*key, ""));
    assert_eq!(done(&*store, Txn::new().check(&*key, at)), at);
    let found = must(store.commit(&Txn::new().check(&*key, 0)));
    assert!(matches!(found, Commit::Conflict { .. }), "{found:?}");
}

/// A key is put once in a transaction; deleting it twice is one delete.
pub fn duplicate_keys(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let error = refused(store.commit(&Txn::new().put(&*key, "one").put(&*key, "two")));
    assert!(matches!(error, StoreError::DuplicateKey { .. }), "{error}");
    assert_eq!(value(&*store, &key), None);
    let at = done(&*store, Txn::new().put(&*key, "one"));
    assert_eq!(
        done(&*store, Txn::new().delete(&*key).delete(&*key)),
        at + 1
    );
}

/// A key is not both put and deleted in a transaction.
pub fn put_and_delete(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    for txn in [
        Txn::new().put(&*key, "one").delete(&*key),
        Txn::new().delete(&*key).put(&*key, "one"),
    ] {
        let error = refused(store.commit(&txn));
        assert!(matches!(error, StoreError::DuplicateKey { .. }), "{error}");
    }
    assert_eq!(value(&*store, &key), None);
}

/// More steps than go.
pub fn too_many_ops(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let ops = (0..=MAX_OPS).fold(Txn::new(), |txn, n| txn.put(format!("{prefix}{n}"), ""));
    let checks = (0..=MAX_OPS).fold(Txn::new(), |txn, n| txn.check(format!("{prefix}{n}"), 0));
    for txn in [ops, checks] {
        let error = refused(store.commit(&txn));
        assert!(
            matches!(error, StoreError::TooManyOps { found } if found == MAX_OPS + 1),
            "{error}"
        );
    }
    assert_eq!(keys_below(&*store, &prefix), [""; 0]);
}

/// As many steps as go.
pub fn as_many_as_allowed(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let txn = (0..MAX_OPS).fold(Txn::new(), |txn, n| {
        let key = format!("{prefix}{n}");
        txn.check(&*key, 0).put(key, "")
    });
    done(&*store, txn);
    assert_eq!(keys_below(&*store, &prefix).len(), MAX_OPS);
}

/// As many bytes as go, and one more.
pub fn too_large(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let most = MAX_TXN_BYTES - 64 - key.len();
    let error = refused(store.commit(&Txn::new().put(&*key, vec![7; most + 1])));
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    assert_eq!(value(&*store, &key), None);
    done(&*store, Txn::new().put(&*key, vec![7; most]));
    assert_eq!(value(&*store, &key).map(|value| value.len()), Some(most));
}
