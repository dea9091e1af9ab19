use std::time::Duration;

use accelnet_store::{Embedded, History, Json};

use super::*;

const AT: &str = "2026-05-01T12:00:00Z";
const MANAGEMENT: &str =
    r#"{"format":1,"value":{"enabled":true,"intent":"lan","node_reserve_percentage":10}}"#;

fn store(content: &[(&str, &str)]) -> Embedded {
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    for (key, value) in content {
        let _ = store.commit(&Txn::new().put(*key, *value)).expect("put");
    }
    store
}

fn identity(id: u8, epoch: u64) -> String {
    let id = format!("0a1b2c3d-0000-4000-8000-0000000000{id:02x}");
    format!(r#"{{"format":1,"value":{{"id":"{id}","epoch":{epoch}}}}}"#)
}

fn identity_in(store: &Embedded) -> Identity {
    let found = store.get_json::<Identity>(IDENTITY).expect("a store");
    found.expect("an identity").value
}

#[test]
fn a_backup_reads_back_and_is_put_into_an_emptied_store() {
    let own = identity(1, 4);
    let before = store(&[
        (IDENTITY, &own),
        ("policy/management", MANAGEMENT),
        ("alive/node1", "passes"),
        (
            "cluster",
            r#"{"format":1,"value":{"at":"2026-01-01T00:00:00Z"}}"#,
        ),
    ]);
    let backup = Backup::take(&before, AT).expect("a backup");
    let text = serde_json::to_vec(&backup).expect("JSON");
    assert_eq!(Backup::read(&text).expect("a backup"), backup);
    let emptied = store(&[("policy/turn", ""), ("policy/vms/x", "later")]);
    let dry = restore(&emptied, "memory", &backup, AT, 7, true).expect("a plan");
    assert!(
        emptied.get(IDENTITY).expect("a store").is_none(),
        "it was a dry run"
    );
    let restored = restore(&emptied, "memory", &backup, AT, 7, false).expect("restored");
    assert_eq!(dry, restored);
    assert_eq!(restored.written, 1);
    assert_eq!(restored.removed, ["policy/turn", "policy/vms/x"]);
    assert_eq!(identity_in(&emptied).epoch, 7);
    let management = emptied.get("policy/management").expect("a store");
    assert_eq!(management.expect("there").value, MANAGEMENT.as_bytes());
    assert!(emptied.get("alive/node1").expect("a store").is_none());
    assert!(emptied.get(CLUSTER).expect("a store").is_some());
}

#[test]
fn what_cannot_be_read_is_not_put_back() {
    let backup = Backup::take(&store(&[("policy/management", "{}")]), AT).expect("a backup");
    let into = store(&[]);
    let restored = restore(&into, "memory", &backup, AT, 1, false).expect("restored");
    assert_eq!(restored.unreadable, ["policy/management"]);
    assert!(into.get("policy/management").expect("a store").is_none());
    let mut binary = store(&[]);
    let _ = binary
        .commit(&Txn::new().put("policy/management", vec![0xff, 0]))
        .expect("put");
    let backup = Backup::take(&binary, AT).expect("a backup");
    assert_eq!(backup.entries[0].entry().value, [0xff, 0]);
    binary = store(&[]);
    drop(binary);
    for text in [
        "",
        "[]",
        r#"{"format":2,"kind":"accelnet store backup","at":"","revision":1,"entries":[]}"#,
    ] {
        Backup::read(text.as_bytes()).expect_err("no backup");
    }
}

#[test]
fn another_clusters_store_is_not_accepted() {
    let other = store(&[(IDENTITY, &identity(2, 1))]);
    let known: Identity = Backup::take(&store(&[(IDENTITY, &identity(1, 9))]), AT)
        .expect("a backup")
        .identity()
        .expect("an identity");
    let refused = accept(&other, "memory", Some(&known), 5, false).expect_err("refused");
    assert_eq!(refused.code, Code::ClusterRefused);
    let emptied = store(&[]);
    accept(&emptied, "memory", Some(&known), 5, false).expect("accepted");
    let now = identity_in(&emptied);
    assert_eq!((now.id, now.epoch), (known.id, 10));
}
