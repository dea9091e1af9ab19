//! Leases.

use std::num::NonZeroU64;
use std::thread;
use std::time::Duration;

use super::{Subject, done, keys_below, must, refused, revision, value};
use crate::{Change, Commit, Lease, LeaseId, Store, StoreError, Txn};

/// Short, but longer than what a store may add for itself.
const TTL: Duration = Duration::from_secs(3);
/// What may lie between the end of a lease and the end of its keys.
const SLACK: Duration = Duration::from_secs(2);

/// A key with a new lease.
#[track_caller]
fn leased(store: &dyn Store, key: &str) -> Lease {
    let lease = must(store.grant(TTL));
    assert!(lease.ttl >= TTL, "{lease:?}");
    done(store, Txn::new().put_leased(key, "", Some(lease.id)));
    assert_eq!(must(store.get(key)).and_then(|e| e.lease), Some(lease.id));
    lease
}

/// A lease that does not exist.
#[track_caller]
fn unknown_lease(store: &dyn Store) -> LeaseId {
    let lease = must(store.grant(TTL));
    must(store.revoke(lease.id));
    lease.id
}

#[track_caller]
fn not_found(error: &StoreError) {
    assert!(matches!(error, StoreError::LeaseNotFound { .. }), "{error}");
}

/// Keys vanish with their lease, and the lease is gone.
pub fn expire(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let lease = leased(&*store, &key);
    subject.advance(lease.ttl / 2);
    assert!(
        value(&*store, &key).is_some(),
        "it vanished before its time"
    );
    subject.advance(lease.ttl / 2 + SLACK);
    assert_eq!(value(&*store, &key), None);
    not_found(&refused(store.keep_alive(lease.id)));
    not_found(&refused(store.revoke(lease.id)));
}

/// A lease that is kept alive does not end.
pub fn kept_alive(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let lease = leased(&*store, &key);
    let before = revision(&*store, &prefix);
    for _ in 0..4 {
        subject.advance(lease.ttl / 2);
        must(store.keep_alive(lease.id));
    }
    assert!(
        value(&*store, &key).is_some(),
        "it vanished while kept alive"
    );
    assert_eq!(
        revision(&*store, &prefix),
        before,
        "keeping alive changes nothing"
    );
    subject.advance(lease.ttl + SLACK);
    assert_eq!(value(&*store, &key), None);
}

/// A lease ends when it is revoked, and its keys with it.
pub fn revoked(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let lease = leased(&*store, &key);
    must(store.revoke(lease.id));
    assert_eq!(value(&*store, &key), None);
    not_found(&refused(store.revoke(lease.id)));
    not_found(&refused(store.keep_alive(lease.id)));
}

/// A put without a lease frees the key of it.
pub fn put_again_without(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let lease = leased(&*store, &key);
    done(&*store, Txn::new().put(&*key, "free"));
    must(store.revoke(lease.id));
    assert_eq!(value(&*store, &key).as_deref(), Some(b"free".as_slice()));
    assert_eq!(must(store.get(&key)).and_then(|e| e.lease), None);
}

/// A put with another lease ties the key to that one.
pub fn put_again_with_another(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let first = leased(&*store, &key);
    let second = leased(&*store, &key);
    assert_ne!(first.id, second.id);
    must(store.revoke(first.id));
    assert!(
        value(&*store, &key).is_some(),
        "it went with the first lease"
    );
    must(store.revoke(second.id));
    assert_eq!(value(&*store, &key), None);
}

/// A key that was deleted and came back has nothing to do with its old lease.
pub fn deleted_key(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let lease = leased(&*store, &key);
    done(&*store, Txn::new().delete(&*key));
    done(&*store, Txn::new().put(&*key, "new"));
    must(store.revoke(lease.id));
    assert!(value(&*store, &key).is_some(), "it went with its old lease");
}

/// A key cannot be tied to a lease that is not there; nothing of the transaction is done.
pub fn unknown(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let never = NonZeroU64::MIN.saturating_add(0x7fff_ffff_ffff_fff0);
    for lease in [unknown_lease(&*store), LeaseId(never)] {
        let txn = Txn::new().put(format!("{prefix}a"), "").put_leased(
            format!("{prefix}b"),
            "",
            Some(lease),
        );
        not_found(&refused(store.commit(&txn)));
    }
    assert_eq!(keys_below(&*store, &prefix), [""; 0]);
}

/// Checks are judged before leases.
pub fn conflict_before_unknown(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let gone = unknown_lease(&*store);
    let txn = Txn::new().check(&*key, 5).put_leased(&*key, "", Some(gone));
    let found = must(store.commit(&txn));
    assert!(matches!(found, Commit::Conflict { .. }), "{found:?}");
}

/// A waiting watch returns when a lease ends; no other process needs to use the store.
pub fn expiry_wakes_a_watch(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}a");
    let lease = leased(&*store, &key);
    let mut watch = must(store.watch(&prefix, revision(&*store, &prefix) + 1));
    let waiting = thread::spawn(move || watch.next(Duration::from_secs(60)));
    subject.advance(lease.ttl + SLACK);
    let Ok(changes) = waiting.join() else {
        panic!("the watch panicked")
    };
    let changes = must(changes);
    assert!(
        matches!(&*changes, [Change::Delete { key: gone, .. }] if *gone == key),
        "{changes:?}"
    );
}

/// All keys of a lease vanish in one revision.
pub fn keys_vanish_at_once(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let lease = must(store.grant(TTL));
    for key in ["c", "a", "b"] {
        let key = format!("{prefix}{key}");
        done(&*store, Txn::new().put_leased(key, "", Some(lease.id)));
    }
    done(&*store, Txn::new().put(format!("{prefix}stays"), ""));
    let before = revision(&*store, &prefix);
    let mut watch = must(store.watch(&prefix, before + 1));
    must(store.revoke(lease.id));
    let changes = must(watch.next(Duration::from_secs(10)));
    let revisions: Vec<_> = changes.iter().map(Change::revision).collect();
    assert_eq!(revisions, [before + 1; 3]);
    assert_eq!(keys_below(&*store, &prefix), ["stays"]);
}

/// A lease without keys comes and goes without a change.
pub fn without_keys(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let before = revision(&*store, &prefix);
    unknown_lease(&*store);
    assert_eq!(revision(&*store, &prefix), before);
}

/// Leases have names of their own, also after reopening.
pub fn not_used_twice(subject: &mut impl Subject) {
    let store = subject.store();
    let mut leases = vec![unknown_lease(&*store), unknown_lease(&*store)];
    drop(store);
    subject.reopen();
    let store = subject.store();
    leases.push(unknown_lease(&*store));
    leases.push(unknown_lease(&*store));
    leases.sort();
    leases.dedup();
    assert_eq!(leases.len(), 4);
}

/// After reopening a lease still lives and still ends, and its keys with it.
pub fn start_again(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let (a, b) = (format!("{prefix}a"), format!("{prefix}b"));
    let lease = leased(&*store, &a);
    let kept = leased(&*store, &b);
    drop(store);
    subject.reopen();
    let store = subject.store();
    assert!(value(&*store, &a).is_some(), "it vanished with the restart");
    must(store.keep_alive(kept.id));
    must(store.revoke(kept.id));
    assert_eq!(value(&*store, &b), None);
    subject.advance(lease.ttl + SLACK);
    assert_eq!(value(&*store, &a), None);
}
