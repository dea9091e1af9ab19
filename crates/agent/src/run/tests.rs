//! Whoever listens to the policy hears of what changed while it could not, and none ends unseen.

use std::sync::Mutex;

use accelnet_store::Txn;

use super::*;
use crate::broken::{Break, Breaking};
use crate::vital::tests::end;

const LONG: Duration = Duration::from_secs(30);

#[test]
fn what_changed_while_nobody_listened_is_read() {
    let (breaks, until) = std::sync::mpsc::channel();
    let (inbox, messages) = inbox();
    let breaking = Breaking {
        first: Mutex::new(Some(until)),
        ..Breaking::new()
    };
    let store = breaking.store.clone();
    listen_to_policy(&inbox, Arc::new(breaking), &vital::process());
    let next = || messages.next(LONG).unwrap();
    // What was decided before it began to listen.
    assert!(matches!(next(), Message::Policy(_)));
    // Of this the watch does not tell.
    let _ = store.commit(&Txn::new().put("policy/turn", "")).unwrap();
    breaks.send(Break::Miss).unwrap();
    assert!(matches!(next(), Message::Policy(_)));
    // From then on each change is heard of.
    let _ = store.commit(&Txn::new().put("policy/turn", "1")).unwrap();
    assert!(matches!(next(), Message::Policy(_)));
}

#[test]
fn a_panic_of_a_listener_ends_the_agent() {
    let (breaks, until) = std::sync::mpsc::channel();
    let (inbox, _messages) = inbox();
    let breaking = Breaking {
        first: Mutex::new(Some(until)),
        ..Breaking::new()
    };
    let (end, ended) = end();
    listen_to_policy(&inbox, Arc::new(breaking), &end);
    breaks.send(Break::Panic).unwrap();
    assert!(ended.recv_timeout(LONG).is_ok());
}
