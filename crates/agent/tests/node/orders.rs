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

use crate::bench::{Bench, NODE};

const ID: &str = "0a1b2c3d-0000-4000-8000-0000000000aa";
const ASKER: &str = "node9";
/// Passes that a new agent may need.
const PASSES: u32 = 4;

/// A node with a VM, and a lease of the node that asks.
fn bench() -> (Bench, LeaseId) {
    let mut bench = Bench::enabled();
    bench.define("web", 1, 4);
    bench.reconcile();
    let lease = bench.store.grant(Duration::from_secs(60)).expect("a lease");
    (bench, lease.id)
}

fn key(id: &str) -> String {
    format!("nodes/{NODE}/orders/{id}")
}

fn enable(bench: &Bench) -> Value {
    let uuid = bench.machine.vms.uuid("web").expect("a VM");
    json!({"enable": {"names": [uuid], "performance": "low"}})
}

fn order(role: &str, request: &Value) -> Value {
    json!({"format": 1, "value": {
        "asker": ASKER, "who": "anna (uid 1000)", "role": role, "from": {"address": "socket"},
        "request": request, "state": "waiting",
    }})
}

fn put(bench: &Bench, id: &str, value: &Value, lease: Option<LeaseId>) {
    let txn = Txn::new().put_leased(key(id), value.to_string(), lease);
    let _ = bench.store.commit(&txn).expect("a store");
}

/// The state of an order.
fn state(bench: &Bench, id: &str) -> Value {
    let entry = bench
        .store
        .get(&key(id))
        .expect("a store")
        .expect("an order");
    assert!(entry.lease.is_some(), "it goes with the lease of its asker");
    let mut value: Value = serde_json::from_slice(&entry.value).expect("JSON");
    value["value"]["state"].take()
}

/// What was answered: whether it was done, or the code.
fn answer(bench: &Bench, id: &str) -> Result<(), Code> {
    let answered = state(bench, id)["answered"].take();
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

fn events(bench: &Bench) -> Vec<Event> {
    let journal = Journal::new(bench.store.clone(), NODE);
    let all = journal.since(None, 0, 1000).expect("events").into_iter();
    let asked = |event: &Event| event.user.as_deref() == Some("anna (uid 1000)");
    all.filter(asked).collect()
}

fn is_accelerated(bench: &Bench) -> bool {
    let uuid = bench.machine.vms.uuid("web").expect("a VM");
    let policy = bench.policy();
    let setting = policy.vm(&uuid);
    setting.is_some_and(|setting| setting.phase == Phase::Enabled)
}

#[test]
fn an_order_is_carried_out_and_recorded_as_a_request_is() {
    let (mut bench, lease) = bench();
    put(&bench, ID, &order("operator", &enable(&bench)), Some(lease));
    bench.agent().carry_out_orders();
    assert_eq!(answer(&bench, ID), Ok(()));
    assert!(is_accelerated(&bench));
    let events = events(&bench);
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
    bench.agent().carry_out_orders();
    assert_eq!(self::events(&bench).len(), 1, "it is not done twice");
}

#[test]
fn a_dry_run_changes_nothing() {
    let (mut bench, lease) = bench();
    let mut request = enable(&bench);
    request["enable"]["dry_run"] = true.into();
    put(&bench, ID, &order("reader", &request), Some(lease));
    bench.agent().carry_out_orders();
    assert_eq!(answer(&bench, ID), Ok(()));
    assert!(!is_accelerated(&bench));
    assert_eq!(events(&bench).len(), 0);
}

#[test]
fn the_role_is_checked_by_the_node_that_carries_it_out() {
    let (mut bench, lease) = bench();
    put(&bench, ID, &order("reader", &enable(&bench)), Some(lease));
    bench.agent().carry_out_orders();
    assert_eq!(answer(&bench, ID), Err(Code::NotAllowed));
    assert!(!is_accelerated(&bench));
    let events = events(&bench);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (events[0].kind, events[0].code),
        (EventKind::Refused, Some(Code::NotAllowed))
    );
}

#[test]
fn what_was_refused_as_a_whole_is_answered() {
    let (mut bench, lease) = bench();
    bench
        .agent()
        .disable(crate::bench::WHO, false)
        .expect("disabled");
    put(&bench, ID, &order("operator", &enable(&bench)), Some(lease));
    bench.agent().carry_out_orders();
    assert_eq!(answer(&bench, ID), Err(Code::ManagementDisabled));
}

/// What is no order is skipped and named, and hides no order.
#[test]
fn garbage_is_no_order() {
    let (mut bench, lease) = bench();
    let good = order("operator", &enable(&bench));
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
        put(&bench, &id, value, Some(lease));
    }
    put(&bench, "no-id", &good, Some(lease));
    let found = check(&*bench.store).expect("a store").unreadable;
    assert_eq!(found.len(), bad.len() + 1, "{found:?}");
    assert!(found.iter().all(|one| one.key.starts_with(&key(""))));
    bench.agent().carry_out_orders();
    assert!(!is_accelerated(&bench));
    put(&bench, ID, &good, Some(lease));
    bench.agent().carry_out_orders();
    assert_eq!(answer(&bench, ID), Ok(()));
}

#[test]
fn an_order_without_a_lease_is_not_carried_out() {
    let (mut bench, _) = bench();
    put(&bench, ID, &order("operator", &enable(&bench)), None);
    bench.agent().carry_out_orders();
    assert!(!is_accelerated(&bench));
}

#[test]
fn an_order_that_went_with_its_lease_is_not_carried_out() {
    let (mut bench, lease) = bench();
    put(&bench, ID, &order("operator", &enable(&bench)), Some(lease));
    bench.store.revoke(lease).expect("revoked");
    bench.agent().carry_out_orders();
    assert!(!is_accelerated(&bench));
    assert_eq!(events(&bench).len(), 0);
}

/// The lease of the asker ends while this node works: the change is made whole or not at all, recorded once, and
/// the order does not come back.
#[test]
fn a_lease_that_ends_at_any_step_leaves_one_outcome() {
    let asked = || {
        let (bench, lease) = bench();
        put(&bench, ID, &order("operator", &enable(&bench)), Some(lease));
        bench.steps.passed();
        (bench, lease)
    };
    let (mut whole, _) = asked();
    whole.agent().carry_out_orders();
    let mut changed = 0;
    for (step, times) in counted(whole.steps.passed()) {
        let what = format!("the lease ends at {step} ({times})");
        let (mut bench, lease) = asked();
        let store = bench.store.clone();
        bench.steps.act_at(&step, times, move || {
            store.revoke(lease).expect("revoked");
        });
        bench.agent().carry_out_orders();
        for _ in 0..PASSES {
            bench.reconcile();
            bench.agent().carry_out_orders();
        }
        assert_eq!(bench.store.get(&key(ID)).expect("a store"), None, "{what}");
        let is_done = is_accelerated(&bench);
        let events = events(&bench);
        assert_eq!(events.len(), usize::from(is_done), "{what}: {events:?}");
        changed += events.len();
    }
    assert!(changed > 0, "an order that was taken is carried out");
}

/// An order is for this node alone: a VM that is on another one is refused, and nothing is forwarded.
#[test]
fn an_order_is_never_forwarded() {
    let (mut bench, lease) = bench();
    let elsewhere = json!({"enable": {"names": [ID], "performance": "low"}});
    let order = order("operator", &elsewhere);
    put(&bench, ID, &order, Some(lease));
    bench.agent().carry_out_orders();
    assert_eq!(answer(&bench, ID), Err(Code::VmNotFound));
    let range = bench.store.range("nodes/").expect("a store");
    let keys = range.entries.iter().map(|entry| entry.key.as_str());
    let orders: Vec<&str> = keys.filter(|key| key.contains("/orders/")).collect();
    assert_eq!(orders, [key(ID)]);
}

/// A later release may order what this one does not know: it stays as it is, named, and hides no other order.
#[test]
fn an_order_in_a_later_format_is_left_to_its_asker() {
    let (mut bench, lease) = bench();
    let mut later = order("operator", &enable(&bench));
    later["format"] = 99.into();
    put(&bench, ID, &later, Some(lease));
    bench.agent().carry_out_orders();
    assert!(!is_accelerated(&bench));
    let entry = bench.store.get(&key(ID)).expect("a store");
    assert_eq!(
        entry.expect("as it was").value,
        later.to_string().into_bytes()
    );
    let found = check(&*bench.store).expect("a store").unreadable;
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_kill_at_any_step_of_enabling() {
    killed_everywhere(enable, |bench| drop(bench.machine.vms.virsh_start("web")));
}

#[test]
fn a_kill_at_any_step_of_disabling() {
    let disable = |bench: &Bench| {
        let uuid = bench.machine.vms.uuid("web").expect("a VM");
        json!({"disable": {"names": [uuid]}})
    };
    killed_everywhere(disable, |bench| {
        let low = accelnet_model::Performance::Low;
        assert!(bench.vm_enable("web", low).ok);
    });
}

/// Kills the agent at each step of an order; the next agent answers it with the state of the VM.
fn killed_everywhere(request: fn(&Bench) -> Value, before: fn(&mut Bench)) {
    let asked = || {
        let (mut bench, lease) = bench();
        before(&mut bench);
        bench.reconcile();
        put(
            &bench,
            ID,
            &order("operator", &request(&bench)),
            Some(lease),
        );
        bench.steps.passed();
        bench
    };
    let mut whole = asked();
    let was = is_accelerated(&whole);
    whole.agent().carry_out_orders();
    assert_eq!(answer(&whole, ID), Ok(()), "whole");
    assert_ne!(is_accelerated(&whole), was);
    for (step, times) in counted(whole.steps.passed()) {
        let what = format!("killed at {step} ({times})");
        let mut bench = asked();
        bench.steps.kill_at(&step, times);
        let ended = bench.attempt(|agent| agent.carry_out_orders());
        assert!(ended.is_none(), "{what}: no agent was killed");
        bench.start();
        for _ in 1..PASSES {
            bench.reconcile();
            // As the agent that starts hands in what it finds.
            bench.agent().carry_out_orders();
        }
        let is_done = is_accelerated(&bench) != was;
        let answered = answer(&bench, ID);
        assert_eq!(answered.is_ok(), is_done, "{what}: {answered:?}");
        let events = events(&bench);
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
