use accelnet_api::types::Origin;

use super::*;
use crate::journal::NewEvent;

fn event(kind: EventKind, who: Option<&str>, from: Option<&str>, number: u64) -> Event {
    let new = NewEvent {
        who: who.map(str::to_owned),
        from: from.map(|address| Origin {
            address: address.to_owned(),
            certificate: None,
            node: None,
        }),
        ..NewEvent::of(kind, "web", "Done.")
    };
    Event {
        number,
        ..new.event("2026-05-01T12:00:00Z", "node1")
    }
}

/// Those of `events` that are kept.
fn left(events: &[Event]) -> Vec<&Event> {
    let kept = kept(events.iter());
    events
        .iter()
        .zip(kept)
        .filter(|(_, kept)| *kept)
        .map(|(event, _)| event)
        .collect()
}

fn of(events: &[&Event], who: &str) -> usize {
    events
        .iter()
        .filter(|event| event.user.as_deref() == Some(who))
        .count()
}

#[test]
fn a_flood_of_one_source_pushes_out_its_own_only() {
    let mut events = Vec::new();
    for number in 0..100 {
        events.push(event(EventKind::Changed, Some("anna"), None, number));
        events.push(event(EventKind::Refused, Some("anna"), None, number));
        events.push(event(EventKind::Repaired, None, None, number));
    }
    for number in 100..5000 {
        events.push(event(EventKind::Refused, Some("eve"), None, number));
        events.push(event(EventKind::Changed, Some("eve"), None, number));
        let port = format!("10.0.0.9:{number}");
        events.push(event(EventKind::Refused, None, Some(&port), number));
    }
    let left = left(&events);
    assert_eq!(of(&left, "anna"), 200);
    assert_eq!(
        left.iter()
            .filter(|event| event.kind == EventKind::Repaired)
            .count(),
        100
    );
    let newest = left
        .iter()
        .rev()
        .find(|event| event.user.as_deref() == Some("eve"));
    assert_eq!(newest.map(|event| event.number), Some(4999));
    // Changes: 100 of anna's, and all other room; refusals: an equal share for eve and the address.
    assert_eq!(of(&left, "eve"), (CHANGES - 100) + (REFUSALS - 100) / 2);
    assert!(left.len() <= CHANGES + REFUSALS + OWN);
}

#[test]
fn many_sources_have_equal_shares() {
    let mut events = Vec::new();
    for number in 0..100 {
        for who in 0..50 {
            let who = format!("user{who}");
            events.push(event(EventKind::Changed, Some(&who), None, number));
        }
    }
    let left = left(&events);
    assert_eq!(left.len(), CHANGES);
    for who in 0..50 {
        assert_eq!(of(&left, &format!("user{who}")), CHANGES / 50);
    }
    assert!(
        left.iter().all(|event| event.number >= 80),
        "the newest of each"
    );
}

#[test]
fn what_has_room_is_kept_whole() {
    let events: Vec<Event> = (0..1000)
        .map(|number| event(EventKind::Changed, Some("anna"), None, number))
        .collect();
    assert_eq!(left(&events).len(), 1000);
    assert!(kept([].into_iter()).is_empty());
}
