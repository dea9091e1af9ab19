//! An etcd that does not answer, and what becomes of calls and watches meanwhile.

use std::time::Duration;

use crate::testing::{EtcdServer, Proxy, until, wait};
use crate::{Change, Commit, Etcd, Store, StoreError, Txn};

const LONG: Duration = Duration::from_secs(30);

fn put(store: &dyn Store, key: &str, value: &str) -> u64 {
    match store.commit(&Txn::new().put(key, value)).expect("written") {
        Commit::Done { revision } => revision,
        conflict @ Commit::Conflict { .. } => panic!("{conflict:?}"),
    }
}

fn is_cut_off<T: std::fmt::Debug>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::CutOff { .. }))
}

fn values(changes: &[Change]) -> Vec<String> {
    let value = |change: &Change| match change {
        Change::Put(entry) => String::from_utf8_lossy(&entry.value).into_owned(),
        Change::Delete { .. } => "gone".to_owned(),
    };
    changes.iter().map(value).collect()
}

#[test]
fn a_missing_server_is_no_error_before_the_first_request() {
    let proxy = Proxy::to(1);
    let store = proxy.store("a");
    assert!(is_cut_off(store.get("a")));
    assert!(is_cut_off(store.commit(&Txn::new().put("a", ""))));
    assert!(is_cut_off(store.grant(LONG)));
}

#[test]
fn a_paused_etcd_is_given_up_and_found_again() {
    let server = EtcdServer::start();
    let store = server.store("a");
    put(&store, "a", "1");
    server.pause();
    for _ in 0..2 {
        assert!(is_cut_off(store.get("a")));
        assert!(is_cut_off(store.commit(&Txn::new().put("b", "1"))));
    }
    server.resume();
    assert!(until(|| store.get("a").is_ok()));
    put(&store, "a", "2");
}

#[test]
fn a_watch_goes_on_over_everything_that_happens_to_the_wire() {
    let mut server = EtcdServer::start();
    let proxy = Proxy::to(server.port());
    let (near, far) = (server.store("a"), proxy.store("a"));
    let mut watch = far.watch("", 0).expect("a watch");
    put(&near, "k", "1");
    assert_eq!(values(&watch.next(LONG).unwrap()), ["1"]);
    proxy.cut();
    put(&near, "k", "2");
    proxy.repair();
    assert_eq!(values(&watch.next(LONG).unwrap()), ["2"]);
    // Long enough that a keepalive is missed.
    proxy.silence();
    put(&near, "k", "3");
    wait(Duration::from_secs(12));
    proxy.repair();
    assert_eq!(values(&watch.next(LONG).unwrap()), ["3"]);
    server.start_again();
    put(&near, "k", "4");
    assert_eq!(values(&watch.next(LONG).unwrap()), ["4"]);
}

#[test]
fn a_watch_that_missed_compacted_changes_reports_it() {
    let server = EtcdServer::start();
    let proxy = Proxy::to(server.port());
    let (near, far) = (server.store("a"), proxy.store("a"));
    let mut watch = far.watch("", 0).expect("a watch");
    proxy.cut();
    let mut last = 0;
    for number in 0..5 {
        last = put(&near, "k", &number.to_string());
    }
    near.compact(last).expect("compacted");
    proxy.repair();
    let error = watch.next(LONG).expect_err("they are forgotten");
    assert!(
        matches!(error, StoreError::Compacted { oldest, .. } if oldest == last),
        "{error}"
    );
    let mut again = far.watch("", last).expect("a watch");
    assert_eq!(values(&again.next(LONG).unwrap()), ["4"]);
}

#[test]
fn a_member_that_is_away_is_passed_over() {
    let server = EtcdServer::start();
    // No server listens on the first one's port.
    let address = format!("etcd://127.0.0.1:1,127.0.0.1:{}/a", server.port());
    let store = Etcd::open(&address.parse().expect("an address"), None).expect("a store");
    put(&store, "a", "1");
    let mut watch = store.watch("", 0).expect("a watch");
    put(&store, "a", "2");
    assert_eq!(values(&watch.next(LONG).unwrap()), ["2"]);
}

#[test]
fn an_etcd_without_room_reports_it_and_is_still_read() {
    let server = EtcdServer::start_with(&["--quota-backend-bytes", "1048576"]);
    let store = server.store("a");
    put(&store, "a", "first");
    let full = (0..200).find_map(|number| {
        let txn = Txn::new().put(format!("fill/{number}"), vec![7; 100_000]);
        store.commit(&txn).err()
    });
    assert!(matches!(full, Some(StoreError::NoSpace { .. })), "{full:?}");
    let found = store.get("a").expect("read").expect("a key");
    assert_eq!(found.value, b"first");
}

#[test]
fn stores_with_other_prefixes_see_nothing_of_each_other() {
    let server = EtcdServer::start();
    let (one, other) = (server.store("one"), server.store("one/two"));
    put(&one, "a", "1");
    put(&other, "a", "2");
    assert_eq!(other.range("").unwrap().entries.len(), 1);
    assert_eq!(one.get("a").unwrap().unwrap().value, b"1");
    assert_eq!(server.store("on").range("").unwrap().entries, []);
}
