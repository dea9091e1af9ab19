//! Readings that arrive in another order, and stores that were set back.

use super::*;

fn policy(revision: u64) -> Range {
    Range {
        entries: Vec::new(),
        revision,
    }
}

/// Revision of the policy that is known when `readings` have arrived, each with what was known when
/// it began.
fn known_after(readings: &[(u64, Option<u64>)]) -> Option<u64> {
    let remembered = Remembered::new("node1", None);
    for (revision, before) in readings {
        remembered.keep(POLICY, &policy(*revision), *before);
    }
    remembered.revision(POLICY)
}

#[test]
fn the_newest_reading_is_known() {
    assert_eq!(known_after(&[(3, None), (5, Some(3))]), Some(5));
}

#[test]
fn a_reading_that_arrives_late_is_not() {
    assert_eq!(known_after(&[(5, None), (3, None)]), Some(5));
    assert_eq!(
        known_after(&[(3, None), (7, Some(3)), (5, Some(3))]),
        Some(7)
    );
}

/// As etcd from a backup: its revisions begin again where they were then.
#[test]
fn a_store_that_was_set_back_is_believed() {
    assert_eq!(
        known_after(&[(7, None), (3, Some(7)), (4, Some(3))]),
        Some(4)
    );
    let remembered = Remembered::new("node1", None);
    remembered.keep(POLICY, &policy(7), None);
    remembered.keep(POLICY, &policy(3), Some(7));
    let known = remembered
        .range_since(POLICY, 3)
        .expect("what is there now");
    assert_eq!(known.revision, 3);
}

fn management(revision: u64, value: &str) -> Entry {
    Entry {
        key: "policy/management".to_owned(),
        value: value.as_bytes().to_vec(),
        create_revision: 1,
        mod_revision: revision,
        version: 1,
        lease: None,
    }
}

/// The file has what could be read last, for a node that starts while it is cut off and for a repair.
#[test]
fn garbage_takes_no_place_in_the_file() {
    const SOUND: &str = r#"{"format":1,"value":{"enabled":true,"node_reserve_percentage":10}}"#;
    let remembered = Remembered::new("node1", None);
    let saved = || {
        let saved = content("nodes/node1/", &remembered.lock()).ranges;
        let entries = saved.into_iter().flat_map(|range| range.entries);
        entries.map(|entry| entry.value).collect::<Vec<_>>()
    };
    let read = |revision, value| Range {
        entries: vec![management(revision, value)],
        revision,
    };
    remembered.keep(POLICY, &read(3, SOUND), None);
    remembered.follow(4, &[Change::Put(management(4, "garbage"))]);
    assert_eq!(saved(), [SOUND]);
    remembered.keep(POLICY, &read(5, "other garbage"), Some(4));
    assert_eq!(saved(), [SOUND]);
    let newer = SOUND.replace("10", "20");
    remembered.follow(6, &[Change::Put(management(6, &newer))]);
    assert_eq!(saved(), [newer]);
    remembered.follow(7, &[Change::Put(management(7, "garbage"))]);
    let key = "policy/management".to_owned();
    remembered.follow(8, &[Change::Delete { key, revision: 8 }]);
    assert_eq!(saved(), [""; 0]);
}
