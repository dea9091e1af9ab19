use super::*;
use crate::types::{Enable, IntentAdd};

#[test]
fn a_place_is_a_path_into_the_request() {
    let body = br#"{"name": "x", "roles": ["compute", "vms"], "adapters": ["a"]}"#;
    let problem = request::<IntentAdd>(body).expect_err("no such role");
    assert_eq!(problem.code, Code::BadRequest);
    assert!(
        problem.message.contains("roles[1]: unknown variant `vms`"),
        "{problem}"
    );
    assert!(problem.found.starts_with("Roles[1]"), "{}", problem.found);
}

#[test]
fn what_is_left_out_takes_its_default() {
    let enable: Enable =
        request(br#"{"intent": "x", "node_reserve_percentage": null}"#).expect("a request");
    assert_eq!(
        (enable.node_reserve_percentage, enable.dry_run),
        (None, false)
    );
}
