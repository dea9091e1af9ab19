//! What every store must do, as one suite. A store's tests name
//! `accelnet_store::conformance!(make)`, where `make` returns a [`Subject`].
//!
//! Each case works below a prefix of its own and counts revisions from where the store stands, so
//! that a store that cannot be emptied can be tried; cases must not run at once on one store.

pub mod changes;
pub mod concurrent;
pub mod keys;
pub mod leases;
pub mod transactions;
pub mod watches;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::{Commit, Store, StoreError, Txn};

/// A store to be tried.
pub trait Subject {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// A prefix below which nothing is, ending in `/`.
    fn prefix(&self) -> String;

    /// Lets that much time pass for leases.
    fn advance(&self, time: Duration);

    /// Closes the store and opens it again, when it can be: its content must last.
    fn reopen(&mut self) {}
}

/// Makes a test of each case of the suite.
#[macro_export]
macro_rules! conformance {
    ($make:ident) => {
        $crate::conformance!($make;
            keys: [absent_key, put_and_get, versions, create_again, empty_key, odd_keys, prefix_edges,
                every_key, order, empty_value, big_values];
            transactions: [all_or_nothing, one_revision, check_absent, check_present,
                conflict_names_the_first, deletes_of_nothing, empty, checks_only, duplicate_keys,
                put_and_delete, too_many_ops, as_many_as_allowed, too_large];
            changes: [in_order, of_one_prefix, from_an_old_revision, from_now, from_the_future,
                whole_revisions, many_big_ones, outlive_reopening, compacted, compact_twice,
                compact_the_future, compaction_keeps_keys];
            watches: [nothing_within, woken_by_a_commit, closed_while_waiting, closed_for_good,
                two_at_once];
            leases: [expire, kept_alive, revoked, put_again_without, put_again_with_another,
                deleted_key, unknown, conflict_before_unknown, expiry_wakes_a_watch,
                keys_vanish_at_once, without_keys, not_used_twice, start_again];
            concurrent: [counter, one_winner, readers_see_whole_transactions];
        );
    };
    ($make:ident; $($topic:ident: [$($case:ident),* $(,)?];)*) => {$(
        mod $topic {
            $(
                #[test]
                fn $case() {
                    let mut subject = super::$make();
                    $crate::conformance::$topic::$case(&mut subject);
                }
            )*
        }
    )*};
}

/// What must go well.
#[track_caller]
fn must<T>(result: Result<T, StoreError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("failed to {error}"),
    }
}

/// What must be refused.
#[track_caller]
fn refused<T: Debug>(result: Result<T, StoreError>) -> StoreError {
    match result {
        Ok(value) => panic!("it must be refused and was not: {value:?}"),
        Err(error) => error,
    }
}

/// Commits what has no conflict, and returns the revision.
#[track_caller]
fn done(store: &dyn Store, txn: Txn) -> u64 {
    match must(store.commit(&txn)) {
        Commit::Done { revision } => revision,
        conflict @ Commit::Conflict { .. } => panic!("no conflict was to be: {conflict:?}"),
    }
}

/// The store's revision.
#[track_caller]
fn revision(store: &dyn Store, prefix: &str) -> u64 {
    must(store.range(prefix)).revision
}

/// Keys below the prefix, without it.
#[track_caller]
fn keys_below(store: &dyn Store, prefix: &str) -> Vec<String> {
    let entries = must(store.range(prefix)).entries;
    let short = |key: &str| key.strip_prefix(prefix).map(str::to_owned);
    entries.iter().filter_map(|e| short(&e.key)).collect()
}

/// The value of a key.
#[track_caller]
fn value(store: &dyn Store, key: &str) -> Option<Vec<u8>> {
    must(store.get(key)).map(|entry| entry.value)
}
