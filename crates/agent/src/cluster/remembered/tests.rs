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
