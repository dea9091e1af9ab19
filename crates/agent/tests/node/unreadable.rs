//! Values of the store that are not what their keys promise: each is skipped, hides nothing else, and
//! nothing that runs is taken away because of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use accelnet_agent::journal::Journal;
use accelnet_api::types::EventKind;
use accelnet_model::{Code, Performance};
use accelnet_store::Txn;

use crate::fixture::{Fixture, INTENT, WHO, enable};

const UUID: &str = "0a1b2c3d-0000-4000-8000-0000000000ff";

/// Values that somebody could have put.
fn garbage() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"\xff\xfe\x00".to_vec(),
        b"{}".to_vec(),
        br#"{"format":1,"value":[null,null]}"#.to_vec(),
        br#"{"format":7,"value":{"of":"a later release"}}"#.to_vec(),
        vec![b'['; 200_000],
    ]
}

fn put(fixture: &Fixture, key: &str, value: impl Into<Vec<u8>>) {
    let _ = fixture
        .store
        .commit(&Txn::new().put(key, value))
        .expect("a store");
}

/// A node with a VM that runs on its VF, and one that has no setting yet.
fn running() -> Fixture {
    let mut fixture = Fixture::enabled();
    fixture.run("web1", 1, 4);
    fixture.define("web2", 2, 4);
    assert!(fixture.vm_enable("web1", Performance::Low).ok);
    fixture
}

fn networks(fixture: &Fixture) -> usize {
    use accelnet_host::Vms;
    fixture.machine.vms.networks().expect("networks").len()
}

#[test]
fn garbage_beside_every_key_hides_nothing() {
    for (number, value) in garbage().into_iter().enumerate() {
        let mut fixture = running();
        let (vfs, before) = (fixture.machine.vms.vfs_in_use(), networks(&fixture));
        for key in [
            "policy/intents/other",
            "policy/intents/../../x",
            "policy/vms/not-a-uuid",
            &format!("policy/vms/{UUID}"),
            "policy/drained/-",
            "policy/removed/lan/",
            "policy/removed/other",
            "policy/zzz",
            "reports/node9",
            "reports/..",
            "events/2026-01-01T00:00:00Z/node9/000000000000",
            "events/",
            "nodes/node1/bound/other",
            "members/\u{202e}",
            "alive/node9",
            "down/node9",
        ] {
            put(&fixture, key, value.clone());
        }
        fixture.reconcile();
        assert_eq!(fixture.machine.vms.vfs_in_use(), vfs, "value {number}");
        assert_eq!(networks(&fixture), before);
        assert!(fixture.is_completed());
        assert!(
            fixture.vm_enable("web2", Performance::Low).ok,
            "value {number}"
        );
        assert!(fixture.vm_disable("web1").ok, "value {number}");
        assert!(fixture.was_recorded(EventKind::Changed, "web2"));
        let unreadable = fixture.policy().unreadable;
        let names = |key: &str| unreadable.iter().any(|one| one.key == key);
        assert!(names("policy/vms/not-a-uuid") && names("policy/intents/other"));
        assert!(
            unreadable
                .iter()
                .all(|one| one.newer_format == (number == 4))
        );
    }
}

/// What is damaged is what the agent goes by: it keeps what it read before; one that starts anew decides
/// nothing about it.
#[test]
fn garbage_in_the_keys_that_count_takes_nothing_away() {
    for value in garbage() {
        let mut fixture = running();
        let uuid = fixture.vm("web1").uuid;
        let wish = accelnet_model::hook_config::config_file(fixture.machine.hook_configs(), &uuid);
        let (vfs, before) = (fixture.machine.vms.vfs_in_use(), networks(&fixture));
        let keys = [
            "policy/management".to_owned(),
            format!("policy/intents/{INTENT}"),
            format!("policy/vms/{uuid}"),
            format!("nodes/node1/bound/{INTENT}"),
            "reports/node1".to_owned(),
        ];
        for key in &keys {
            assert!(fixture.store.get(key).expect("a store").is_some(), "{key}");
            put(&fixture, key, value.clone());
        }
        let stays = |fixture: &Fixture| {
            assert_eq!(fixture.machine.vms.vfs_in_use(), vfs);
            assert_eq!(networks(fixture), before);
            assert!(wish.is_file());
        };
        fixture.reconcile();
        stays(&fixture);
        assert!(fixture.vm_enable("web2", Performance::Low).ok, "it goes on");
        assert!(fixture.vm_disable("web2").ok);
        fixture.start();
        fixture.reconcile();
        stays(&fixture);
        let change = enable("web2", Performance::Low, false);
        let refused = fixture
            .agent()
            .change_vms(WHO, &change)
            .expect_err("refused");
        assert_eq!(refused.code, Code::StoreValueUnreadable, "{refused:?}");
        assert!(refused.message.contains("policy/"), "{refused:?}");
    }
}

/// As an attacker who may write to etcd would: ids and names that lead elsewhere.
#[test]
fn hostile_ids_touch_no_path() {
    let mut fixture = running();
    let setting = fixture
        .store
        .get(&format!("policy/vms/{}", fixture.vm("web1").uuid));
    let setting = String::from_utf8(setting.expect("a store").expect("a setting").value).unwrap();
    let uuid = fixture.vm("web1").uuid.to_string();
    let intent = fixture
        .store
        .get(&format!("policy/intents/{INTENT}"))
        .expect("a store");
    let intent = String::from_utf8(intent.expect("an intent").value).unwrap();
    let bait = bait(fixture.machine.hook_configs());
    let mut before = Vec::new();
    for file in &bait {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "mine").unwrap();
        before.push(file.clone());
    }
    for (key, uuid_in) in [
        (UUID, "../../../x"),
        (UUID, "../x"),
        (UUID, uuid.as_str()),
        ("../x", "../x"),
        ("../../../x", "../../../x"),
    ] {
        let value = setting.replace(&uuid, uuid_in);
        put(&fixture, &format!("policy/vms/{key}"), value);
        let value = intent.replace(&format!("{INTENT:?}"), &format!("\"{uuid_in}\""));
        put(&fixture, &format!("policy/intents/{key}"), value);
        put(
            &fixture,
            &format!("policy/removed/{key}"),
            format!(r#"{{"format":1,"value":"{key}"}}"#),
        );
        put(
            &fixture,
            &format!("nodes/node1/bound/{key}"),
            r#"{"format":1,"value":[]}"#,
        );
        fixture.reconcile();
    }
    fixture.start();
    fixture.reconcile();
    assert!(fixture.vm_disable("web1").ok);
    for file in before {
        assert_eq!(
            std::fs::read_to_string(&file).expect("there"),
            "mine",
            "{file:?}"
        );
    }
    let outside = fixture.machine.hook_configs().parent().unwrap();
    let names = std::fs::read_dir(outside).unwrap().flatten();
    let names: Vec<String> = names
        .map(|one| one.file_name().to_string_lossy().into())
        .collect();
    let known = ["vms", "pools", "features", "locks", "filter.json", "x.json"];
    assert!(
        names.iter().all(|name| known.contains(&&**name)),
        "{names:?}"
    );
}

/// Files that hostile names would lead to.
fn bait(wishes: &Path) -> Vec<PathBuf> {
    vec![wishes.join("../x.json"), wishes.join("../../../x.json")]
}

#[test]
fn events_that_cannot_be_read_grow_old_with_the_others() {
    let fixture = running();
    for number in 0..1500 {
        put(&fixture, &format!("events/a/{number}"), "no event");
    }
    let journal = Journal::new(Arc::clone(&fixture.store), "node1");
    let event = |number: u32| {
        let message = format!("event {number}");
        accelnet_agent::journal::NewEvent::of(EventKind::Noticed, "lan", message)
    };
    for number in 0..200 {
        journal.record("2026-05-01T12:00:00Z", event(number));
    }
    let events = journal.since(None, 0, 1000).expect("events");
    assert_eq!(events.last().expect("one").message, "event 199");
    let left = fixture
        .store
        .range("events/")
        .expect("a store")
        .entries
        .len();
    assert!(left < 1200, "{left} events are left");
}
