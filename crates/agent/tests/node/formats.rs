//! Values of format 1, as earlier agents left them in a store, are read with the names of today.

use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::journal::Journal;
use accelnet_agent::policy::PolicyStore;
use accelnet_agent::reports::Reports;
use accelnet_api::types::EventKind;
use accelnet_store::{Embedded, History, Store, Txn};
use serde_json::{Value, json};

/// A store with values of format 1.
fn store(values: &[(&str, Value)]) -> Arc<dyn Store> {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    for (key, value) in values {
        let text = json!({"format": 1, "value": value}).to_string();
        let _ = store.commit(&Txn::new().put(*key, text)).expect("written");
    }
    Arc::new(store)
}

#[test]
fn performance_settings_and_bound_adapters() {
    let setting = |pairs, weight| json!({"queue_pairs": pairs, "transmit_weight": weight});
    let management = json!({
        "enabled": true, "intent": "lan", "node_reserve_percentage": 25,
        "performance": {"low": setting(2, 20), "medium": setting(3, 40), "high": setting(8, 90)},
    });
    let bound = json!([{"called": "ens1", "mac": "52:54:00:00:00:01", "address": "0000:01:00.0"}]);
    let store = store(&[
        ("policy/management", management),
        ("nodes/node1/bound/lan", bound),
    ]);
    let policies = PolicyStore::new(store, "node1");
    let policy = policies.read().expect("a policy");
    assert_eq!(policy.unreadable, []);
    let read = serde_json::to_value(&policy.management).expect("JSON");
    let setting = |pairs, limit| json!({"queue_pairs": pairs, "rate_limit_percent": limit});
    assert_eq!(
        read["performance"],
        json!({"low": setting(2, 20), "medium": setting(3, 40), "high": setting(8, 90)})
    );
    let bound = policies.bound("lan").expect("read").expect("bound");
    assert_eq!(bound[0].name, "ens1");
}

#[test]
fn events() {
    let event = json!({
        "number": 0, "at": "2026-01-01T00:00:00Z", "node": "node1", "kind": "mended", "subject": "lan",
        "message": "Repaired.", "who": "root", "role": "administrator",
        "from": {"address": "socket"}, "more_outcomes": 3,
    });
    let store = store(&[("events/2026-01-01T00:00:00Z/node1/000000000001", event)]);
    let events = Journal::new(store, "node1")
        .since(None, 0, 10)
        .expect("events");
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(event.kind, EventKind::Repaired);
    assert_eq!(event.user.as_deref(), Some("root"));
    assert!(event.origin.as_ref().expect("an origin").is_socket());
    assert_eq!(event.omitted_outcomes, 3);
}

/// A VM as an agent reported it in format 1.
fn vm(name: &str) -> Value {
    json!({
        "name": name, "uuid": "0a1b2c3d-0000-4000-8000-000000000001", "node": "node2", "state": "running",
        "vcpus": 4, "acceleration": "accelerated", "performance": "low", "phase": "enabled", "path": "vf",
        "adapter": "ens1", "vf": "0000:01:10.0", "vnics": [], "carried": ["VLAN 5"],
        "verified": [{"what": "MAC", "so": true, "seen": "52:54:00:00:00:02"}],
        "remarks": ["Its guest has no agent."],
    })
}

fn report(parts: &[&str]) -> Value {
    json!({
        "node": "node2", "observed_at": "2026-01-01T00:00:00Z", "smt": false,
        "adapters": [{
            "node": "node2", "adapter": "ens1", "address": "0000:01:00.0", "mac": null, "vfs": 7,
            "vfs_in_use": 3, "vfs_promised": 2, "queue_pairs": 28, "queue_pairs_promised": 4,
            "queue_pairs_per_vf": 4, "queue_pairs_in_use": 2, "vfs_foreign": 1, "queue_pairs_foreign": 4,
        }],
        "all_adapters": [{
            "name": "ens1", "address": "0000:01:00.0", "model": "82576", "driver": "igb", "link": true,
            "supported": true, "reasons": [], "vfs_total": 7, "vfs": 7, "vfs_in_use": 3, "vfs_in_doubt": 1,
            "queue_pairs": 2, "queue_pairs_total": 28,
        }],
        "intents": [{
            "intent": "lan", "node": "node2", "state": "completed", "intent_revision": 4,
            "since": "2026-01-01T00:00:00Z", "verified_at": null, "bridge": "acn-lan", "vfs": 7,
            "adapters": [{"called": "ens1", "mac": null, "address": "0000:01:00.0"}],
            "problem": null, "warnings": [],
        }],
        "vms": [vm("web01")], "macs": [], "faults": [], "parts": parts,
    })
}

#[test]
fn reports_and_their_parts() {
    let part = json!({"vms": [vm("web02")], "macs": [], "faults": []});
    let store = store(&[
        ("reports/node2", report(&["0123456789abcdef"])),
        ("report-parts/node2/0123456789abcdef", part),
    ]);
    let reports = Reports::new(store, "node1").all().expect("reports");
    let report = serde_json::to_value(&reports[0]).expect("JSON");
    let adapter = &report["adapters"][0];
    assert_eq!(adapter["vfs_allocated"], 2);
    assert_eq!(adapter["queue_pairs_allocated"], 4);
    assert_eq!(adapter["vfs_in_use_by_others"], 1);
    assert_eq!(adapter["queue_pairs_in_use_by_others"], 4);
    assert_eq!(report["all_adapters"][0]["vfs_use_unknown"], 1);
    assert_eq!(report["intents"][0]["adapters"][0]["name"], "ens1");
    for (vm, name) in [(0, "web01"), (1, "web02")] {
        let vm = &report["vms"][vm];
        assert_eq!(vm["name"], name);
        assert_eq!(vm["vnic_settings"], json!(["VLAN 5"]));
        assert_eq!(vm["conditions"], json!(["Its guest has no agent."]));
        let verified = json!({"check": "MAC", "ok": true, "detail": "52:54:00:00:00:02"});
        assert_eq!(vm["verified"][0], verified);
    }
}
