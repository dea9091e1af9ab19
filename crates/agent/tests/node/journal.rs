//! Events: in order, each with a number of its own, and only the newest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::journal::{Journal, NewEvent};
use accelnet_api::types::{Event, EventKind};
use accelnet_store::{Embedded, History, Store};

const AT: &str = "2026-05-01T12:00:00Z";

fn store() -> Arc<dyn Store> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO);
    Arc::new(store.expect("a store"))
}

fn event(message: &str) -> NewEvent {
    NewEvent::of(EventKind::Changed, "lan", message)
}

fn messages(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| &*event.message).collect()
}

#[test]
fn two_journals_of_a_node_lose_nothing_in_the_same_second() {
    let store = store();
    let [one, other] = [(); 2].map(|()| Journal::new(store.clone(), "node1"));
    let far = Journal::new(store.clone(), "node0");
    one.record(AT, event("a"));
    other.record_all(AT, &["b", "c"].map(event));
    one.record(AT, event("d"));
    far.record(AT, event("e"));
    other.record(AT, event("f"));
    let events = far.since(None, 0, 100).expect("events");
    assert_eq!(messages(&events), ["a", "b", "c", "d", "e", "f"]);
    let numbers: BTreeSet<u64> = events.iter().map(|event| event.number).collect();
    assert_eq!(
        numbers.len(),
        6,
        "each has a number of its own: {numbers:?}"
    );
    assert!(events.is_sorted_by_key(|event| event.number));
    let after = far.since(None, events[2].number, 100).expect("events");
    assert_eq!(messages(&after), ["d", "e", "f"]);
    assert_eq!(
        messages(&far.since(None, 0, 2).expect("events")),
        ["e", "f"]
    );
    // The newest of a node, not the node's among the newest.
    let of_one = |node| far.since(Some(node), 0, 1).expect("events");
    assert_eq!(messages(&of_one("node0")), ["e"]);
    assert_eq!(messages(&of_one("node1")), ["f"]);
}

#[test]
fn the_newest_thousand_are_kept_whoever_told_them() {
    let store = store();
    let journals: Vec<Journal> = (1..=50)
        .map(|node| Journal::new(store.clone(), &format!("node{node}")))
        .collect();
    for round in 0..60 {
        for journal in &journals {
            journal.record(AT, event(&format!("{round}")));
        }
    }
    let events = journals[0].since(None, 0, usize::MAX).expect("events");
    assert_eq!(events.len(), 1000);
    assert_eq!(events[0].message, "40");
    assert_eq!(events[999].message, "59");
    let there = store.range("events/").expect("events").entries.len();
    assert!((1000..1500).contains(&there), "{there} are there");
}
