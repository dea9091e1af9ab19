//! Keys that accelnet did not write.

use std::time::Duration;

use super::super::convert::{bytes_of, key_below};
use crate::testing::EtcdServer;
use crate::{Change, Store, Txn};

#[test]
fn a_key_that_is_no_text_is_shown_and_found_again() {
    for key in [
        &b"policy/web01"[..],
        b"policy/\xff\xfe",
        b"\xc3",
        "policy/\u{fffd}".as_bytes(),
    ] {
        let shown = key_below(&[b"/accelnet/", key].concat(), "/accelnet/");
        assert_eq!(bytes_of(&shown), key, "{shown:?}");
    }
}

#[test]
fn a_key_that_is_no_text_hides_no_other() {
    let server = EtcdServer::start();
    let store = server.store("keys");
    let mut watch = store.watch("policy/", 0).expect("a watch");
    let _ = store.commit(&Txn::new().put("policy/a", "1")).expect("put");
    // As printf '/keys/policy/\xff' would write it.
    let bad = "policy/\u{fffd}ff";
    let _ = store.commit(&Txn::new().put(bad, "2")).expect("put");
    let _ = store.commit(&Txn::new().put("policy/b", "3")).expect("put");
    let all = store.range("policy/").expect("a range").entries;
    let keys: Vec<&str> = all.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["policy/a", "policy/b", bad]);
    let mut heard: Vec<String> = Vec::new();
    while heard.len() < 3 {
        let changes = watch.next(Duration::from_secs(10)).expect("changes");
        assert!(!changes.is_empty(), "{heard:?}");
        heard.extend(changes.iter().map(Change::key).map(str::to_owned));
    }
    assert_eq!(heard, ["policy/a", bad, "policy/b"]);
    let _ = store.commit(&Txn::new().delete(bad)).expect("deleted");
    assert_eq!(store.range("policy/").expect("a range").entries.len(), 2);
}
