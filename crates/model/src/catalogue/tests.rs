//! The catalogue is whole: every code once, every field filled, every number unique.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[test]
fn every_code_has_exactly_one_entry() {
    let listed: Vec<Code> = all().map(|entry| entry.code).collect();
    let unique: BTreeSet<Code> = listed.iter().copied().collect();
    assert_eq!(listed.len(), unique.len(), "an entry stands twice");
    assert_eq!(unique, Code::ALL.iter().copied().collect());
}

#[test]
fn exit_statuses_are_unique_and_leave_the_conventional_ones_alone() {
    let mut owners = BTreeMap::new();
    for entry in all() {
        assert!((10..=124).contains(&entry.exit_status), "{}", entry.code);
        let other = owners.insert(entry.exit_status, entry.code);
        assert_eq!(other, None, "{} has the same status", entry.code);
    }
}

#[test]
fn every_field_states_something_in_sentences() {
    for entry in all() {
        for text in [entry.sentence, entry.found, entry.needed, entry.resolution] {
            assert!(text.ends_with('.'), "{}: {text:?}", entry.code);
        }
        assert!((200..600).contains(&entry.http_status));
    }
}

#[test]
fn each_place_for_a_name_has_a_word() {
    for entry in all() {
        let texts = [entry.sentence, entry.resolution].concat();
        let places = (0..10).filter(|place| texts.contains(&format!("{{{place}}}")));
        assert_eq!(places.count(), entry.names.len(), "{}", entry.code);
        assert!(!entry.found.contains('{'), "{}", entry.code);
        assert!(!entry.named(&texts).contains('{'), "{}", entry.code);
    }
}

#[test]
fn a_case_stands_under_a_code_of_the_document() {
    for entry in all() {
        if let Some(above) = entry.case_of {
            assert!(above.entry().exit_status < 30, "{}", entry.code);
        }
    }
}

#[test]
fn a_need_has_no_names_and_can_be_compared() {
    for entry in all() {
        assert!(!entry.needed.contains('{'), "{}", entry.code);
        assert!(!entry.needs_more(entry.needed), "{}", entry.code);
    }
}
