use std::time::Duration;

use accelnet_store::{Embedded, History, LeaseId, Store, Txn};
use serde_json::{Value, json};

use super::*;
use crate::inbox::{Message, Outbox, inbox};

const VM: &str = "0a1b2c3d-0000-4000-8000-0000000000aa";

/// The order watcher of n2, whose engine is busy.
struct Fixture {
    watcher: OrderWatcher,
    outbox: Outbox,
    store: Arc<dyn Store>,
    lease: LeaseId,
    number: u32,
}

impl Fixture {
    fn new() -> Self {
        let store = Embedded::in_memory(History::default(), || SystemClock.uptime());
        let store: Arc<dyn Store> = Arc::new(store.expect("a store"));
        let lease = store.grant(Duration::from_secs(3600)).expect("a lease").id;
        let (inbox, outbox) = inbox();
        let watcher = OrderWatcher {
            inbox,
            orders: Orders::new(store.clone(), "n2"),
            queued: Arc::default(),
        };
        Fixture {
            watcher,
            outbox,
            store,
            lease,
            number: 0,
        }
    }

    /// Another order comes in; the code with which it is refused at once.
    fn comes(&mut self, role: &str) -> Option<Code> {
        self.number += 1;
        let key = format!(
            "nodes/n2/orders/0a1b2c3d-0000-4000-8000-{:012}",
            self.number
        );
        let dry_run = role == "reader";
        let order: Value = json!({"format": 1, "value": {
            "asker": "n1", "who": "anna", "role": role, "from": {"address": "socket"},
            "request": {"disable": {"names": [VM], "dry_run": dry_run}}, "state": "waiting",
        }});
        let txn = Txn::new().put_leased(&key, order.to_string(), Some(self.lease));
        let _ = self.store.commit(&txn).expect("done");
        let held = self.watcher.orders.held(&key).expect("read");
        self.watcher.queue(&held.expect("an order"));
        let held = self.watcher.orders.held(&key).expect("read");
        match held.expect("an order").order.state {
            State::Answered(Reply::Refused(problem)) => Some(problem.code),
            _ => None,
        }
    }

    /// The engine is done with one.
    fn done(&self) {
        let next = self.outbox.next(Duration::ZERO).expect("an order");
        assert!(matches!(next, Message::Run(_)));
    }
}

#[test]
fn orders_that_wait_for_the_engine_are_limited() {
    let mut fixture = Fixture::new();
    for _ in 0..MAX_QUEUED {
        assert_eq!(fixture.comes("operator"), None);
    }
    assert_eq!(fixture.comes("operator"), Some(Code::AgentBusy));
    fixture.done();
    assert_eq!(fixture.comes("operator"), None, "a place is free again");
    assert_eq!(fixture.comes("administrator"), Some(Code::AgentBusy));
}

/// Dry runs of readers have places of their own, which leave room for changes.
#[test]
fn dry_runs_of_readers_do_not_keep_changes_out() {
    let mut fixture = Fixture::new();
    let refused = (0..MAX_QUEUED)
        .filter_map(|_| fixture.comes("reader"))
        .count();
    assert!(refused > 0, "readers are limited before others");
    assert_eq!(fixture.comes("operator"), None);
    fixture.done();
    assert_eq!(fixture.comes("operator"), None);
}

/// What this release cannot read is left to its asker, which withdraws it.
#[test]
fn an_order_in_a_later_format_is_not_handed_in() {
    let fixture = Fixture::new();
    let key = format!("nodes/n2/orders/{VM}");
    let value = json!({"format": 99, "value": {"asker": "n1"}}).to_string();
    let txn = Txn::new().put_leased(&key, value, Some(fixture.lease));
    let _ = fixture.store.commit(&txn).expect("done");
    assert!(fixture.watcher.orders.held(&key).expect("read").is_none());
    let entry = fixture.store.get(&key).expect("read").expect("an entry");
    assert!(Held::of(&entry).is_none());
    assert!(
        crate::unread::error::<super::super::Order>(&entry).is_some(),
        "it is named"
    );
}
