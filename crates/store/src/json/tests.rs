use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Document, Json, renamed};
use crate::{Commit, Embedded, History, Store, Txn};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reserve {
    percent: u8,
}

impl Document for Reserve {
    const KIND: &'static str = "a reserve";
    const FORMAT: u32 = 3;

    /// Format 2 was a bare number, format 1 is forgotten.
    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        (format == 2).then(|| serde_json::json!({ "percent": value }))
    }
}

fn store() -> Embedded {
    Embedded::in_memory(History::default(), || Duration::ZERO).unwrap()
}

fn with(value: &str) -> Embedded {
    let store = store();
    let done = store.commit(&Txn::new().put("reserve", value)).unwrap();
    assert_eq!(done, Commit::Done { revision: 2 });
    store
}

fn error(value: &str) -> String {
    with(value)
        .get_json::<Reserve>("reserve")
        .unwrap_err()
        .to_string()
}

#[test]
fn what_is_put_is_read() {
    let store = store();
    let dynamic: &dyn Store = &store;
    assert_eq!(dynamic.get_json::<Reserve>("reserve").unwrap(), None);
    let done = dynamic
        .put_json("reserve", &Reserve { percent: 20 }, 0)
        .unwrap();
    assert_eq!(done, Commit::Done { revision: 2 });
    let found = dynamic.get_json::<Reserve>("reserve").unwrap().unwrap();
    assert_eq!((found.value.percent, found.mod_revision), (20, 2));
    let all = dynamic.range_json::<Reserve>("re").unwrap();
    assert_eq!((all.values, all.revision), (vec![found], 2));
}

#[test]
fn the_stored_form_states_its_format() {
    let store = store();
    let done = store
        .put_json("reserve", &Reserve { percent: 20 }, 0)
        .unwrap();
    assert_eq!(done, Commit::Done { revision: 2 });
    let entry = store.get("reserve").unwrap().unwrap();
    assert_eq!(entry.value, br#"{"format":3,"value":{"percent":20}}"#);
}

#[test]
fn a_put_at_another_revision_is_a_conflict() {
    let store = with(r#"{"format":3,"value":{"percent":20}}"#);
    let conflict = store
        .put_json("reserve", &Reserve { percent: 30 }, 0)
        .unwrap();
    assert!(matches!(
        conflict,
        Commit::Conflict {
            found_revision: 2,
            ..
        }
    ));
}

#[test]
fn a_newer_format_is_reported_whatever_it_looks_like() {
    assert_eq!(
        error(r#"{"format":4,"other":[]}"#),
        "read reserve: it has format 4 of a reserve, and this accelnet reads format 3; \
         install the accelnet that wrote it, or a newer one"
    );
}

#[test]
fn an_older_format_is_upgraded_where_that_is_known() {
    let store = with(r#"{"format":2,"value":40}"#);
    let found = store.get_json::<Reserve>("reserve").unwrap().unwrap();
    assert_eq!(found.value.percent, 40);
    assert_eq!(
        error(r#"{"format":1,"value":40}"#),
        "read reserve: it has format 1 of a reserve, and this accelnet reads format 3; \
         write it again with this accelnet"
    );
}

#[test]
fn fields_are_renamed_at_any_depth() {
    let old =
        serde_json::json!({ "so": true, "rows": [{ "so": [{ "so": 1, "x": "so" }] }], "y": null });
    let new =
        serde_json::json!({ "ok": true, "rows": [{ "ok": [{ "ok": 1, "x": "so" }] }], "y": null });
    assert_eq!(renamed(old, &[("so", "ok"), ("absent", "z")]), new);
}

#[test]
fn another_value_is_reported_with_the_place() {
    for (value, place) in [
        ("", "EOF while parsing"),
        ("20", "invalid type: integer `20`"),
        (
            r#"{"format":3,"value":{"percent":300}}"#,
            "invalid value: integer `300`",
        ),
        (
            r#"{"format":3,"value":{"percent":3,"x":1}}"#,
            "unknown field `x`",
        ),
    ] {
        let error = error(value);
        assert!(
            error.contains(place) && error.contains("a reserve"),
            "{error}"
        );
    }
}

#[test]
fn one_bad_value_hides_no_other_and_is_named() {
    let store = with(r#"{"format":3,"value":{"percent":20}}"#);
    let done = store.commit(&Txn::new().put("reserve2", "{}")).unwrap();
    assert_eq!(done, Commit::Done { revision: 3 });
    let all = store.range_json::<Reserve>("reserve").unwrap();
    assert_eq!(all.values.len(), 1);
    let bad = &all.unreadable[0];
    assert_eq!((bad.key.as_str(), bad.mod_revision), ("reserve2", 3));
    assert!(bad.reason.contains("missing field"), "{bad:?}");
    assert!(!bad.newer_format);
}
