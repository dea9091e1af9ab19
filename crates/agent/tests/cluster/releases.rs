//! Agents one release apart: the later one has added fields to everything that it writes, checks with
//! codes of their own, and kinds of events.

use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::journal::Journal;
use accelnet_api::types::{Event, EventKind, IntentSet, Set};
use accelnet_model::Code;
use accelnet_model::check::CheckName;
use accelnet_model::intent::IntentState;
use accelnet_model::vm_setting::Phase;
use accelnet_store::{
    Commit, Embedded, Entry, History, Lease, LeaseId, Op, Range, Store, StoreError, Txn, Watch,
};
use serde_json::Value;

use crate::fixture::{
    INTENT, Machine, WHO, enable, intent_add, only, policy, vm_disable, vm_enable,
};

/// What the later release has added.
const ADDED: &str = "added_by_a_later_release";

/// A store as the later release writes into it.
struct Later(Arc<dyn Store>);

impl Later {
    /// Adds a field to every object, but to the form of what is unknown; a check to those of a node;
    /// and has other kinds of events.
    fn add(value: &mut Value) {
        match value {
            Value::Array(all) => {
                if let Some(check) = all.first().filter(|one| one.get("outcome").is_some()) {
                    let mut check = check.clone();
                    check["name"] = Value::from(ADDED);
                    check["code"] = Value::from(ADDED);
                    all.push(check);
                }
                all.iter_mut().for_each(Later::add);
            }
            Value::Object(fields) if !fields.contains_key("unknown") => {
                if fields.contains_key("kind") && fields.contains_key("message") {
                    fields.insert("kind".to_owned(), Value::from(ADDED));
                }
                fields.values_mut().for_each(Later::add);
                fields.insert(ADDED.to_owned(), Value::from(1));
            }
            _ => {}
        }
    }
}

impl Store for Later {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.0.get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.0.range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        let mut txn = txn.clone();
        for op in &mut txn.ops {
            let Op::Put { value, .. } = op else { continue };
            // Whose turn it is is no document.
            if let Ok(mut document) = serde_json::from_slice::<Value>(value) {
                Later::add(&mut document["value"]);
                *value = serde_json::to_vec(&document).expect("JSON");
            }
        }
        self.0.commit(&txn)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.0.watch(prefix, from)
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.0.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.0.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.0.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.0.revoke(lease)
    }
}

#[test]
fn an_agent_works_beside_one_of_the_next_release() {
    let embedded = Embedded::in_memory(History::default(), || Duration::ZERO);
    let store: Arc<dyn Store> = Arc::new(embedded.expect("a store"));
    let later: Arc<dyn Store> = Arc::new(Later(store.clone()));
    let machines = [Machine::boot(1), Machine::boot(2)];
    let (mut old, mut new) = (machines[0].agent(store.clone()), machines[1].agent(later));
    for machine in &machines {
        machine.define(1);
    }
    new.reconcile().expect("the store");
    old.reconcile().expect("the store");

    // What the later one declares the earlier one does, and the other way round.
    new.add_intent(WHO, &intent_add(3)).expect("an intent");
    old.reconcile().expect("the store");
    new.enable(WHO, &enable(0)).expect("enabled");
    old.reconcile().expect("the store");
    new.reconcile().expect("the store");
    let vm = |machine: usize| machines[machine].vm(1);
    only(new.change_vms(WHO, &vm_enable(&vm(1)))).expect("a VF");
    only(old.change_vms(WHO, &vm_enable(&vm(0)))).expect("a VF");
    let set = IntentSet {
        roles: None,
        adapters: None,
        vfs: Some(4),
        disruptive: true,
        dry_run: false,
        trust: None,
        spoof_check: None,
    };
    old.set_intent(WHO, INTENT, &set).expect("changed");
    new.reconcile().expect("the store");
    let set = Set {
        node_reserve_percentage: Some(50),
        ..Set::default()
    };
    new.set(WHO, &set).expect("changed");
    old.reconcile().expect("the store");

    let now = policy(&store);
    assert_eq!(now.management.node_reserve_percentage, 50);
    let settings: Vec<(&str, Phase)> = now
        .vms
        .iter()
        .map(|(vm, _)| (vm.name.as_str(), vm.phase))
        .collect();
    assert_eq!(settings.len(), 2, "{settings:?}");
    assert!(
        settings.iter().all(|(_, phase)| *phase == Phase::Enabled),
        "{settings:?}"
    );
    for agent in [&old, &new] {
        let report = agent.report();
        let status = &report.intents[0];
        assert_eq!((status.state, status.vfs), (IntentState::Completed, 4));
        assert_eq!(report.vms.len(), 1);
    }
    only(old.change_vms(WHO, &vm_disable(&vm(0)))).expect("taken back");
    only(new.change_vms(WHO, &vm_disable(&vm(1)))).expect("taken back");
    assert_eq!(policy(&store).vms, []);

    // What the earlier one has no word for, it shows as that.
    let checks = old.prereq(None).expect("checks").checks;
    let added = checks
        .iter()
        .find(|check| check.node == "node2" && check.name == CheckName::OfLaterRelease);
    let added = added.expect("the check that the later one has added");
    assert_eq!(added.code, Some(Code::OfLaterRelease));
    assert!(!added.message.is_empty());
    let events = Journal::new(store.clone(), "node1").since(None, 0, 1000);
    let events = events.expect("events");
    let reported = events.iter().filter(|event| event.node == "node2");
    let reported: Vec<&Event> = reported.collect();
    assert!(!reported.is_empty());
    assert!(
        reported
            .iter()
            .all(|event| event.kind == EventKind::Noticed)
    );

    // It was not all alike: what the later one wrote had the field.
    let reports = store.range("reports/").expect("reports");
    let has = |node: &str| {
        let mut entries = reports.entries.iter();
        let report = entries.find(|entry| entry.key.ends_with(node));
        let text = String::from_utf8_lossy(&report.expect("a report").value).into_owned();
        text.contains(ADDED)
    };
    assert!(has("node2") && !has("node1"));
}
