//! No change of the policy is missed, and a panic of the watcher ends the agent.

use std::sync::Mutex;
use std::time::Duration;

use accelnet_store::Txn;

use super::*;
use crate::broken::{Break, Breaking};
use crate::inbox::inbox;
use crate::vital::process;
use crate::vital::tests::end;

const LONG: Duration = Duration::from_secs(30);

#[test]
fn changes_before_the_watch_are_read() {
    let (breaks, until) = std::sync::mpsc::channel();
    let (inbox, messages) = inbox();
    let breaking = Breaking {
        first: Mutex::new(Some(until)),
        ..Breaking::new()
    };
    let store = breaking.store.clone();
    watch_policy(&inbox, Arc::new(breaking), &process());
    let next = || messages.next(LONG).unwrap();
    // Changes before the watch began.
    assert!(matches!(next(), Message::Policy(_)));
    // The watch misses this change.
    let _ = store.commit(&Txn::new().put("policy/turn", "")).unwrap();
    breaks.send(Break::Miss).unwrap();
    assert!(matches!(next(), Message::Policy(_)));
    // From then on each change is reported.
    let _ = store.commit(&Txn::new().put("policy/turn", "1")).unwrap();
    assert!(matches!(next(), Message::Policy(_)));
}

#[test]
fn a_panic_of_the_watcher_ends_the_agent() {
    let (breaks, until) = std::sync::mpsc::channel();
    let (inbox, _messages) = inbox();
    let breaking = Breaking {
        first: Mutex::new(Some(until)),
        ..Breaking::new()
    };
    let (end, ended) = end();
    watch_policy(&inbox, Arc::new(breaking), &end);
    breaks.send(Break::Panic).unwrap();
    assert!(ended.recv_timeout(LONG).is_ok());
}
