use super::*;
use crate::types::{Enable, IntentAdd};

#[test]
fn a_place_is_a_path_into_the_request() {
    let body = br#"{"name": "x", "roles": ["compute", "vms"], "adapters": ["a"]}"#;
    let problem = request::<IntentAdd>(body).expect_err("no such role");
    assert_eq!(problem.code, Code::BadRequest);
    let words = "Field roles[1]: unknown variant `vms`";
    assert!(problem.found.starts_with(words), "{}", problem.found);
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

#[test]
fn a_body_is_an_object_and_so_is_what_is_in_it() {
    for (body, words) in [
        (r#"[null, null]"#, "The body is not an object"),
        (
            r#"{"performance": [{"queue_pairs": 1, "rate_limit_percent": 1}, null, null]}"#,
            "performance is not an object",
        ),
        (
            r#"{"performance": {"low": [1, 10]}}"#,
            "performance.low is not an object",
        ),
        (
            r#"{"performance": {"high": null}}"#,
            "performance.high is not an object",
        ),
    ] {
        let problem = request::<crate::types::Set>(body.as_bytes()).expect_err("no object");
        assert_eq!(problem.code, Code::BadRequest);
        assert!(problem.found.contains(words), "{body}: {}", problem.found);
    }
}

#[test]
fn an_integer_may_be_written_with_a_fraction_of_0() {
    let set = request::<crate::types::IntentSet>(br#"{"vfs": 4.0}"#).expect("4");
    assert_eq!(set.vfs, Some(4));
    for wrong in ["4.5", "1e400", "-1.0", "65536.0"] {
        let body = format!(r#"{{"vfs": {wrong}}}"#);
        assert!(
            request::<crate::types::IntentSet>(body.as_bytes()).is_err(),
            "{wrong}"
        );
    }
}
