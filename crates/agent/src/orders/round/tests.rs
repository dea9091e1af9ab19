//! How long a node waits for an order, on a clock that the test moves.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use accelnet_api::Role;
use accelnet_api::types::{Origin, VmChange, VmDisable};
use accelnet_host::Clock;
use accelnet_store::{Close, Embedded, History, LeaseId, Store};

use super::super::asker::{ANSWER_WITHIN, TAKE_WITHIN};
use super::*;
use crate::cluster::OwnLease;
use crate::cluster::documents::{Alive, Down, Member};

const AT: &str = "2026-01-01T00:00:00Z";
const VM: &str = "0a1b2c3d-0000-4000-8000-0000000000aa";

/// A clock that a test moves.
#[derive(Default)]
struct Moved(AtomicU64);

impl Clock for Moved {
    fn now(&self) -> String {
        AT.to_owned()
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

/// What a node makes of the order at a key.
type Act = Box<dyn FnOnce(&dyn Store, &str) + Send>;

/// A watch in which nodes act one after the other, and then time passes.
struct Scripted {
    clock: Arc<Moved>,
    store: Arc<dyn Store>,
    acts: VecDeque<Act>,
}

impl Watch for Scripted {
    fn next(&mut self, within: Duration) -> Result<Vec<Change>, StoreError> {
        let Some(act) = self.acts.pop_front() else {
            self.clock.sleep(within);
            return Ok(Vec::new());
        };
        let entries = self.store.range("nodes/n2/orders/")?.entries;
        let key = entries.first().expect("an order").key.clone();
        act(&*self.store, &key);
        Ok(vec![match self.store.get(&key)? {
            Some(entry) => Change::Put(entry),
            None => Change::Delete { key, revision: 0 },
        }])
    }

    fn closer(&self) -> Arc<dyn Close> {
        Arc::new(Open)
    }
}

struct Open;

impl Close for Open {
    fn close(&self) {}
}

struct Fixture {
    store: Arc<dyn Store>,
    clock: Arc<Moved>,
    lease: Arc<Mutex<Option<LeaseId>>>,
}

impl Fixture {
    /// A store in which n2 sends heartbeats.
    fn new() -> Self {
        let clock = Arc::new(Moved::default());
        let time = clock.clone();
        let store = Embedded::in_memory(History::default(), move || time.uptime());
        let store: Arc<dyn Store> = Arc::new(store.expect("a store"));
        let hour = Duration::from_secs(3600);
        let lease = store.grant(hour).expect("a lease").id;
        let member = Member {
            joined_at: AT.to_owned(),
            version: "1".to_owned(),
        };
        let alive = Alive {
            since: AT.to_owned(),
            instance: None,
        };
        let txn = Txn::new().put_json("members/n2", &member).expect("JSON");
        let txn = txn.put_json_leased("alive/n2", &alive, lease);
        let _ = store.commit(&txn.expect("JSON")).expect("done");
        Fixture {
            store,
            clock,
            lease: Arc::new(Mutex::new(Some(lease))),
        }
    }

    /// What came of an order for n2, and after how many seconds, when `acts` are done one after the other.
    fn asks(&self, acts: Vec<Act>) -> (Answered, u64) {
        let asker = Asker::new(
            self.store.clone(),
            "n1".parse().expect("a name"),
            OwnLease::of(&self.lease),
            self.clock.clone(),
        );
        let watch = Scripted {
            clock: self.clock.clone(),
            store: self.store.clone(),
            acts: acts.into(),
        };
        let wanted = NewOrder {
            node: "n2".to_owned(),
            order: order(&asker),
        };
        let mut answers = Round::new(asker, Box::new(watch)).run(&[wanted]);
        let left = self.store.range("nodes/n2/orders/").expect("read").entries;
        assert!(left.is_empty(), "{left:?}");
        let seconds = self.clock.uptime().as_secs();
        (answers.pop().expect("an answer"), seconds)
    }
}

fn order(asker: &Asker) -> Order {
    let disable = VmDisable {
        names: vec![VM.to_owned()],
        dry_run: false,
    };
    Order {
        asker: asker.node.clone(),
        who: "anna".to_owned(),
        role: Role::Operator,
        from: Origin::command_line(),
        request: VmChange::Disable(disable),
        state: State::Waiting,
    }
}

/// n2 brings the order to its next state.
fn steps(state: State) -> Act {
    Box::new(move |store, key| {
        let entry = store.get(key).expect("read").expect("an order");
        let stored = Stored::<Order>::read(&entry).expect("an order");
        let order = Order {
            state,
            ..stored.value
        };
        let lease = entry.lease.expect("a lease");
        let txn = Txn::new().put_json_leased(key, &order, lease);
        let _ = store.commit(&txn.expect("JSON")).expect("done");
    })
}

fn does(act: impl FnOnce(&dyn Store, &str) + Send + 'static) -> Act {
    Box::new(act)
}

fn code(answered: Answered) -> (Code, String) {
    let problem = answered.expect_err("refused");
    (problem.code, problem.found)
}

#[test]
fn an_order_that_is_not_taken_is_withdrawn_after_half_a_minute() {
    let (answered, seconds) = Fixture::new().asks(Vec::new());
    let (code, found) = code(answered);
    assert_eq!((code, seconds), (Code::RequestNotTaken, 30));
    assert_eq!(found, "n2 is up; its agent is busy.");
    assert_eq!(TAKE_WITHIN.as_secs(), seconds);
}

#[test]
fn an_order_that_is_taken_is_waited_for_ten_minutes() {
    let (answered, seconds) = Fixture::new().asks(vec![steps(State::Taken)]);
    assert_eq!((code(answered).0, seconds), (Code::RequestUnanswered, 600));
    assert_eq!(ANSWER_WITHIN.as_secs(), seconds);
}

/// An outcome that is recorded is no answer yet: the node goes on.
#[test]
fn an_order_that_is_answered_late_is_answered() {
    let refusal = Problem::new(Code::VmNotFound, &[VM], "There is none.");
    let acts = vec![
        steps(State::Taken),
        steps(State::Recorded(Vec::new())),
        steps(State::Answered(Reply::Refused(refusal))),
    ];
    let (answered, _) = Fixture::new().asks(acts);
    assert_eq!(code(answered).0, Code::VmNotFound);
}

#[test]
fn a_node_that_goes_down_with_an_order_is_given_up_at_the_next_check() {
    let goes_down = does(|store, _| {
        let since = AT.to_owned();
        let txn = Txn::new().delete("alive/n2");
        let txn = txn.put_json("down/n2", &Down { since }).expect("JSON");
        let _ = store.commit(&txn).expect("done");
    });
    let (answered, seconds) = Fixture::new().asks(vec![steps(State::Taken), goes_down]);
    let (code, found) = code(answered);
    assert_eq!((code, seconds), (Code::RequestUnanswered, CHECK.as_secs()));
    assert!(found.contains("no heartbeat since"), "{found}");
}

/// The lease of the asker ends while the node works: whether the change is made cannot be known here.
#[test]
fn an_order_that_goes_with_its_lease_is_unanswered() {
    let ends = does(|store, key| {
        let _ = store.commit(&Txn::new().delete(key)).expect("done");
    });
    let (answered, seconds) = Fixture::new().asks(vec![steps(State::Taken), ends]);
    let (code, found) = code(answered);
    assert_eq!((code, seconds), (Code::RequestUnanswered, 0));
    assert!(found.contains("the lease of n1 ended"), "{found}");
}

/// A node of a later release wrote what this one cannot read: it may have carried out the order.
#[test]
fn an_order_in_a_later_format_is_one_that_was_taken() {
    let later = does(|store, key| {
        let lease = store.get(key).expect("read").expect("an order").lease;
        let value = r#"{"format":99,"value":{"state":"half-done"}}"#;
        let txn = Txn::new().put_leased(key, value, lease);
        let _ = store.commit(&txn).expect("done");
    });
    let (answered, seconds) = Fixture::new().asks(vec![later]);
    assert_eq!((code(answered).0, seconds), (Code::RequestUnanswered, 600));
}
