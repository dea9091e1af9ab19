use accelnet_host::SystemClock;
use accelnet_store::{Embedded, History};

use super::*;

fn asker() -> (Asker, Arc<Mutex<Option<LeaseId>>>) {
    let store = Embedded::in_memory(History::default(), || SystemClock.uptime());
    let store: Arc<dyn Store> = Arc::new(store.expect("a store"));
    let lease = store.grant(Duration::from_secs(60)).expect("a lease").id;
    let lease = Arc::new(Mutex::new(Some(lease)));
    let node = "n1".parse().expect("a name");
    let own = OwnLease::of(&lease);
    (Asker::new(store, node, own, Arc::new(SystemClock)), lease)
}

#[test]
fn requests_that_wait_are_limited_for_each_caller_and_node() {
    let (asker, _lease) = asker();
    let slot = || asker.slot("n2", "anna");
    let mut slots: Vec<Slot> = (0..MAX_WAITING).map(|_| slot().expect("a place")).collect();
    let refused = slot().err().expect("no place");
    assert_eq!(refused.code, Code::AgentBusy);
    assert_eq!(refused.found, "8 requests of anna wait for n2 already.");
    assert!(asker.slot("n2", "ben").is_ok(), "another caller");
    assert!(asker.slot("n3", "anna").is_ok(), "another node");
    drop(slots.pop());
    slots.push(slot().expect("the place of one that was answered"));
    assert!(slot().is_err());
    drop(slots);
    assert!(lock(&asker.counts).is_empty(), "nothing is left of them");
}

#[test]
fn an_agent_without_a_lease_writes_no_order() {
    let (asker, lease) = asker();
    assert!(asker.lease().is_ok());
    *lock_lease(&lease) = None;
    assert_eq!(asker.lease().expect_err("none").code, Code::NodeCutOff);
}

fn lock_lease(lease: &Mutex<Option<LeaseId>>) -> MutexGuard<'_, Option<LeaseId>> {
    lease.lock().expect("a lease")
}
