//! Orders of other nodes: carried out once, by whom they may be given, and answered after a kill at any step.

use std::time::Duration;

use accelnet_agent::check::check;
use accelnet_agent::journal::Journal;
use accelnet_api::Role;
use accelnet_api::types::{Event, EventKind};
use accelnet_model::Code;
use accelnet_model::vm_setting::Phase;
use accelnet_store::{LeaseId, Txn};
use serde_json::{Value, json};

use crate::fixture::{Fixture, NODE};

const ID: &str = "0a1b2c3d-0000-4000-8000-0000000000aa";
const ASKER: &str = "node9";
/// Passes that a new agent may need.
const PASSES: u32 = 4;

/// A node with a VM, and a lease of the node that asks.
fn fixture() -> (Fixture, LeaseId) {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    fixture.reconcile();
    let lease = fixture
        .store
        .grant(Duration::from_secs(60))
        .expect("a lease");
    (fixture, lease.id)
}

fn key(id: &str) -> String {
    format!("nodes/{NODE}/orders/{id}")
}

fn enable(fixture: &Fixture) -> Value {
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    json!({"enable": {"names": [uuid], "performance": "low"}})
}

fn order(role: &str, request: &Value) -> Value {
    json!({"format": 1, "value": {
        "asker": ASKER, "who": "anna (uid 1000)", "role": role, "from": {"address": "socket"},
        "request": request, "state": "waiting",
    }})
}

fn put(fixture: &Fixture, id: &str, value: &Value, lease: Option<LeaseId>) {
    let txn = Txn::new().put_leased(key(id), value.to_string(), lease);
    let _ = fixture.store.commit(&txn).expect("a store");
}

/// The state of an order.
fn state(fixture: &Fixture, id: &str) -> Value {
    let entry = fixture
        .store
        .get(&key(id))
        .expect("a store")
        .expect("an order");
    assert!(entry.lease.is_some(), "it goes with the lease of its asker");
    let mut value: Value = serde_json::from_slice(&entry.value).expect("JSON");
    value["value"]["state"].take()
}

/// What was answered: whether it was done, or the code.
fn answer(fixture: &Fixture, id: &str) -> Result<(), Code> {
    let answered = state(fixture, id)["answered"].take();
    let code = |problem: &Value| {
        let code = problem["code"].as_str().expect("a code");
        code.parse::<Code>().expect("a code")
    };
    match (&answered["refused"], &answered["changed"]) {
        (Value::Null, changed) if changed["ok"] == true => Ok(()),
        (Value::Null, changed) => Err(code(&changed["results"][0]["problem"])),
        (refused, _) => Err(code(refused)),
    }
}

fn events(fixture: &Fixture) -> Vec<Event> {
    let journal = Journal::new(fixture.store.clone(), NODE);
    let all = journal.since(None, 0, 1000).expect("events").into_iter();
    let requested = |event: &Event| event.user.as_deref() == Some("anna (uid 1000)");
    all.filter(requested).collect()
}

fn is_accelerated(fixture: &Fixture) -> bool {
    let uuid = fixture.machine.vms.uuid("web").expect("a VM");
    let policy = fixture.policy();
    let setting = policy.vm(&uuid);
    setting.is_some_and(|setting| setting.phase == Phase::Enabled)
}

#[test]
fn an_order_is_carried_out_and_recorded_as_a_request_is() {
    let (mut fixture, lease) = fixture();
    put(
        &fixture,
        ID,
        &order("operator", &enable(&fixture)),
        Some(lease),
    );
    fixture.agent().carry_out_orders();
    assert_eq!(answer(&fixture, ID), Ok(()));
    assert!(is_accelerated(&fixture));
    let events = events(&fixture);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (events[0].kind, events[0].role),
        (EventKind::Changed, Some(Role::Operator))
    );
    let from = events[0].origin.as_ref().expect("an origin");
    assert_eq!(
        (from.address.as_str(), from.node.as_deref()),
        ("socket", Some(ASKER))
    );
    fixture.agent().carry_out_orders();
    assert_eq!(self::events(&fixture).len(), 1, "it is not done twice");
}

#[test]
fn a_dry_run_changes_nothing() {
    let (mut fixture, lease) = fixture();
    let mut request = enable(&fixture);
    request["enable"]["dry_run"] = true.into();
    put(&fixture, ID, &order("reader", &request), Some(lease));
    fixture.agent().carry_out_orders();
    assert_eq!(answer(&fixture, ID), Ok(()));
    assert!(!is_accelerated(&fixture));
    assert_eq!(events(&fixture).len(), 0);
}

#[test]
fn the_role_is_checked_by_the_node_that_carries_it_out() {
    let (mut fixture, lease) = fixture();
    put(
        &fixture,
        ID,
        &order("reader", &enable(&fixture)),
        Some(lease),
    );
    fixture.agent().carry_out_orders();
    assert_eq!(answer(&fixture, ID), Err(Code::NotAllowed));
    assert!(!is_accelerated(&fixture));
    let events = events(&fixture);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (events[0].kind, events[0].code),
        (EventKind::Refused, Some(Code::NotAllowed))
    );
}

#[test]
fn what_was_refused_as_a_whole_is_answered() {
    let (mut fixture, lease) = fixture();
    fixture
        .agent()
        .disable(crate::fixture::WHO, false)
        .expect("disabled");
    put(
        &fixture,
        ID,
        &order("operator", &enable(&fixture)),
        Some(lease),
    );
    fixture.agent().carry_out_orders();
    assert_eq!(answer(&fixture, ID), Err(Code::ManagementDisabled));
}

/// What is no order is skipped and named, and hides no order.
#[test]
fn garbage_is_no_order() {
    let (mut fixture, lease) = fixture();
    let good = order("operator", &enable(&fixture));
    let changed = |change: fn(&mut Value)| {
        let mut order = good.clone();
        change(&mut order["value"]);
        order
    };
    let bad = [
        json!("{}"),
        changed(|order| order["asker"] = "../x".into()),
        changed(|order| order["who"] = "".into()),
        changed(|order| order["role"] = "king".into()),
        changed(|order| order["state"] = "asleep".into()),
        changed(|order| order["request"]["enable"]["names"] = json!([])),
        changed(|order| order["request"]["enable"]["names"] = json!(["*"])),
        changed(|order| order["request"]["enable"]["names"] = json!(vec![ID; 501])),
        changed(|order| order["request"]["enable"]["later"] = true.into()),
    ];
    for (number, value) in bad.iter().enumerate() {
        let id = format!("0a1b2c3d-0000-4000-8000-{number:012}");
        put(&fixture, &id, value, Some(lease));
    }
    put(&fixture, "no-id", &good, Some(lease));
    let found = check(&*fixture.store).expect("a store").unreadable;
    assert_eq!(found.len(), bad.len() + 1, "{found:?}");
    assert!(found.iter().all(|one| one.key.starts_with(&key(""))));
    fixture.agent().carry_out_orders();
    assert!(!is_accelerated(&fixture));
    put(&fixture, ID, &good, Some(lease));
    fixture.agent().carry_out_orders();
    assert_eq!(answer(&fixture, ID), Ok(()));
}

#[test]
fn an_order_without_a_lease_is_not_carried_out() {
    let (mut fixture, _) = fixture();
    put(&fixture, ID, &order("operator", &enable(&fixture)), None);
    fixture.agent().carry_out_orders();
    assert!(!is_accelerated(&fixture));
}

#[test]
fn an_order_that_went_with_its_lease_is_not_carried_out() {
    let (mut fixture, lease) = fixture();
    put(
        &fixture,
        ID,
        &order("operator", &enable(&fixture)),
        Some(lease),
    );
    fixture.store.revoke(lease).expect("revoked");
    fixture.agent().carry_out_orders();
    assert!(!is_accelerated(&fixture));
    assert_eq!(events(&fixture).len(), 0);
}

/// The lease of the asker ends while this node works: the change is made whole or not at all, recorded once, and
/// the order does not come back.
#[test]
fn a_lease_that_ends_at_any_step_leaves_one_outcome() {
    let requested = || {
        let (fixture, lease) = fixture();
        put(
            &fixture,
            ID,
            &order("operator", &enable(&fixture)),
            Some(lease),
        );
        fixture.steps.passed();
        (fixture, lease)
    };
    let (mut whole, _) = requested();
    whole.agent().carry_out_orders();
    let mut changed = 0;
    for (step, times) in counted(whole.steps.passed()) {
        let what = format!("the lease ends at {step} ({times})");
        let (mut fixture, lease) = requested();
        let store = fixture.store.clone();
        fixture.steps.act_at(&step, times, move || {
            store.revoke(lease).expect("revoked");
        });
        fixture.agent().carry_out_orders();
        for _ in 0..PASSES {
            fixture.reconcile();
            fixture.agent().carry_out_orders();
        }
        assert_eq!(
            fixture.store.get(&key(ID)).expect("a store"),
            None,
            "{what}"
        );
        let is_done = is_accelerated(&fixture);
        let events = events(&fixture);
        assert_eq!(events.len(), usize::from(is_done), "{what}: {events:?}");
        changed += events.len();
    }
    assert!(changed > 0, "an order that was taken is carried out");
}

/// An order is for this node alone: a VM that is on another one is refused, and nothing is forwarded.
#[test]
fn an_order_is_never_forwarded() {
    let (mut fixture, lease) = fixture();
    let elsewhere = json!({"enable": {"names": [ID], "performance": "low"}});
    let order = order("operator", &elsewhere);
    put(&fixture, ID, &order, Some(lease));
    fixture.agent().carry_out_orders();
    assert_eq!(answer(&fixture, ID), Err(Code::VmNotFound));
    let range = fixture.store.range("nodes/").expect("a store");
    let keys = range.entries.iter().map(|entry| entry.key.as_str());
    let orders: Vec<&str> = keys.filter(|key| key.contains("/orders/")).collect();
    assert_eq!(orders, [key(ID)]);
}

/// A later release may order what this one does not know: it stays as it is, named, and hides no other order.
#[test]
fn an_order_in_a_later_format_is_left_to_its_asker() {
    let (mut fixture, lease) = fixture();
    let mut later = order("operator", &enable(&fixture));
    later["format"] = 99.into();
    put(&fixture, ID, &later, Some(lease));
    fixture.agent().carry_out_orders();
    assert!(!is_accelerated(&fixture));
    let entry = fixture.store.get(&key(ID)).expect("a store");
    assert_eq!(
        entry.expect("as it was").value,
        later.to_string().into_bytes()
    );
    let found = check(&*fixture.store).expect("a store").unreadable;
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_kill_at_any_step_of_enabling() {
    killed_everywhere(enable, |fixture| {
        drop(fixture.machine.vms.virsh_start("web"))
    });
}

#[test]
fn a_kill_at_any_step_of_disabling() {
    let disable = |fixture: &Fixture| {
        let uuid = fixture.machine.vms.uuid("web").expect("a VM");
        json!({"disable": {"names": [uuid]}})
    };
    killed_everywhere(disable, |fixture| {
        let low = accelnet_model::Performance::Low;
        assert!(fixture.vm_enable("web", low).ok);
    });
}

/// Kills the agent at each step of an order; the next agent answers it with the state of the VM.
fn killed_everywhere(request: fn(&Fixture) -> Value, before: fn(&mut Fixture)) {
    let requested = || {
        let (mut fixture, lease) = fixture();
        before(&mut fixture);
        fixture.reconcile();
        put(
            &fixture,
            ID,
            &order("operator", &request(&fixture)),
            Some(lease),
        );
        fixture.steps.passed();
        fixture
    };
    let mut whole = requested();
    let was = is_accelerated(&whole);
    whole.agent().carry_out_orders();
    assert_eq!(answer(&whole, ID), Ok(()), "whole");
    assert_ne!(is_accelerated(&whole), was);
    for (step, times) in counted(whole.steps.passed()) {
        let what = format!("killed at {step} ({times})");
        let mut fixture = requested();
        fixture.steps.kill_at(&step, times);
        let ended = fixture.attempt(|agent| agent.carry_out_orders());
        assert!(ended.is_none(), "{what}: no agent was killed");
        fixture.start();
        for _ in 1..PASSES {
            fixture.reconcile();
            // As the agent that starts hands in what it finds.
            fixture.agent().carry_out_orders();
        }
        let is_done = is_accelerated(&fixture) != was;
        let answered = answer(&fixture, ID);
        assert_eq!(answered.is_ok(), is_done, "{what}: {answered:?}");
        let events = events(&fixture);
        let changes = events
            .iter()
            .filter(|event| event.kind == EventKind::Changed);
        assert_eq!(changes.count(), usize::from(is_done), "{what}: {events:?}");
        assert!(events.len() <= 1, "{what}: {events:?}");
    }
}

/// The steps, each with how often it was passed before.
fn counted(steps: Vec<String>) -> Vec<(String, u32)> {
    let mut often = std::collections::BTreeMap::<String, u32>::new();
    let counted = steps.into_iter().map(|step| {
        let times = often.entry(step.clone()).or_default();
        *times += 1;
        (step, *times - 1)
    });
    counted.collect()
}
