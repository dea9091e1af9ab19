use serde_json::{Value, json};

use super::*;

fn through_json<T: Serialize + DeserializeOwned>(value: &Observed<T>) -> (Value, Observed<T>) {
    let json = serde_json::to_value(value).expect("JSON");
    let back = serde_json::from_value(json.clone()).expect("the same again");
    (json, back)
}

#[test]
fn known_and_unknown_survive_json_and_are_distinguished() {
    let known = Observed::Known(7_u32);
    assert_eq!(through_json(&known), (json!(7), known));
    let unknown: Observed<u32> = Observed::unknown("no permission");
    assert_eq!(
        through_json(&unknown),
        (json!({"unknown": "no permission"}), unknown)
    );
}

#[test]
fn what_is_not_there_is_known() {
    let absent: Observed<Option<u32>> = Observed::Known(None);
    assert_eq!(through_json(&absent), (json!(null), absent.clone()));
    assert_eq!(absent.present(), None);
    assert_eq!(absent.reason(), None);
    let unknown: Observed<Option<u32>> = Observed::unknown("no permission");
    assert_eq!(through_json(&unknown).1.reason(), Some("no permission"));
}

#[test]
fn a_failure_becomes_its_reason() {
    let failed: Observed<u32> = "many".parse::<u32>().into();
    assert_eq!(failed.reason(), Some("invalid digit found in string"));
    assert_eq!(failed.map(|number| number + 1).known(), None);
    assert_eq!(
        Observed::Known(1).map(|number| number + 1).known(),
        Some(&2)
    );
}
