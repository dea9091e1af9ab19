//! Several at once.

use std::sync::Arc;
use std::thread;

use super::{Subject, done, must, revision, value};
use crate::{Commit, Store, Txn};

const THREADS: usize = 8;
const ROUNDS: usize = 25;

/// The number in a key, with the revision of its last change.
fn number(store: &dyn Store, key: &str) -> (usize, u64) {
    let entry = must(store.get(key));
    let text = entry.as_ref().map(|e| String::from_utf8_lossy(&e.value));
    let number = text.and_then(|text| text.parse().ok());
    (number.unwrap_or(0), entry.map_or(0, |e| e.mod_revision))
}

/// Runs one closure in several threads at once.
fn at_once<T: Send + 'static>(
    store: &Arc<dyn Store>,
    work: impl Fn(&dyn Store, usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let work = Arc::new(work);
    let threads: Vec<_> = (0..THREADS)
        .map(|n| {
            let (store, work) = (Arc::clone(store), Arc::clone(&work));
            thread::spawn(move || work(&*store, n))
        })
        .collect();
    let join = |thread: thread::JoinHandle<T>| match thread.join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    threads.into_iter().map(join).collect()
}

/// Many count one counter up by compare-and-swap: no count is lost.
pub fn counter(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let key = format!("{prefix}counter");
    let before = revision(&*store, &prefix);
    let counted = key.clone();
    at_once(&store, move |store, _| {
        for _ in 0..ROUNDS {
            loop {
                let (number, at) = number(store, &counted);
                let more = (number + 1).to_string();
                let txn = Txn::new().check(&*counted, at).put(&*counted, more);
                if let Commit::Done { .. } = must(store.commit(&txn)) {
                    break;
                }
            }
        }
    });
    let all = THREADS * ROUNDS;
    assert_eq!(number(&*store, &key), (all, before + all as u64));
}

/// Of several who make the same key one wins, and the others get a conflict.
pub fn one_winner(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    for round in 0..ROUNDS {
        let key = format!("{prefix}{round}");
        let made = key.clone();
        let commits = at_once(&store, move |store, n| {
            let txn = Txn::new().check(&*made, 0).put(&*made, n.to_string());
            (n, must(store.commit(&txn)))
        });
        let winners: Vec<_> = commits
            .into_iter()
            .filter(|(_, commit)| matches!(commit, Commit::Done { .. }))
            .map(|(n, _)| n.to_string().into_bytes())
            .collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(value(&*store, &key), winners.first().cloned());
    }
}

/// A caller that reads sees all of a transaction or nothing, and time goes forwards only.
pub fn readers_see_whole_transactions(subject: &mut impl Subject) {
    let (store, prefix) = (subject.store(), subject.prefix());
    let both = |n: usize| {
        Txn::new()
            .put(format!("{prefix}a"), n.to_string())
            .put(format!("{prefix}b"), n.to_string())
    };
    done(&*store, both(0));
    let below = prefix.clone();
    at_once(&store, move |store, n| {
        let mut last = 0;
        for round in 0..ROUNDS {
            if n == 0 {
                let number = (round + 1).to_string();
                let txn = Txn::new()
                    .put(format!("{below}a"), &*number)
                    .put(format!("{below}b"), &*number);
                done(store, txn);
            }
            let range = must(store.range(&below));
            let values: Vec<_> = range.entries.iter().map(|e| &e.value).collect();
            assert!(values.len() == 2 && values[0] == values[1], "{range:?}");
            assert!(range.revision >= last, "{} after {last}", range.revision);
            assert!(
                range
                    .entries
                    .iter()
                    .all(|e| e.mod_revision <= range.revision)
            );
            last = range.revision;
        }
    });
}
