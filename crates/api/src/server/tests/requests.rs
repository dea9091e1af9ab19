//! Requests that cannot be read, reported with their place.

use super::*;

#[test]
fn wrong_json_is_reported_with_its_place() {
    let agent = root();
    for (body, words) in [
        (
            "",
            "The body is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        (
            "{",
            "The body is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "nonsense",
            "The body is not JSON: expected ident at line 1 column 2",
        ),
        ("{}\u{0}", "Missing field `intent`"),
        ("[]", "expected struct Enable"),
        ("null", "expected struct Enable"),
        ("{}", "Missing field `intent` at line 1 column 2"),
        (
            r#"{"intent": 3}"#,
            "intent: invalid type: integer `3`, expected a string",
        ),
        (
            r#"{"intent": null}"#,
            "intent: invalid type: null, expected a string",
        ),
        (
            r#"{"intent": "x", "nodes": 3}"#,
            "unknown field `nodes`, expected one of `intent`, `node_reserve_percentage`",
        ),
        (
            r#"{"intent": "x", "intent": "y"}"#,
            "Duplicate field `intent`",
        ),
        (
            r#"{"intent": "x", "dry_run": 1}"#,
            "dry_run: invalid type: integer `1`, expected a boolean",
        ),
        (
            r#"{"intent": "x", "performance": {"low": {"queue_pairs": 1, "rate_limit_percent": 1, "moderation": 1}}}"#,
            "performance.low.moderation: unknown field `moderation`",
        ),
        (
            r#"{"intent": "x"} {}"#,
            "The body is not JSON: trailing characters at line 1 column 17",
        ),
    ] {
        let answer = agent.enable(body);
        let (code, message) = error(&answer);
        assert_eq!(
            (answer.status, code.as_str()),
            (400, "bad_request"),
            "{body}"
        );
        assert!(message.contains(words), "{body}: {message}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(agent.enable(&deep).status, 400);
    assert_eq!(agent.enable(&format!(r#"{{"intent":{deep}"#)).status, 400);
    let asked = Asked::new("PUT", "/v1/management");
    let asked = asked
        .header("Content-Type", "application/json")
        .body(b"\xff\xfe");
    assert_eq!(agent.ask(&asked).status, 400);
    agent.goes_on();
}

#[test]
fn what_was_refused_is_reported_and_not_at_length() {
    let agent = root();
    let long = format!("{{\"\\u001b[2J{}\": 1}}", "x".repeat(500_000));
    assert_eq!(agent.enable(&long).status, 400);
    let asked = Asked::new("POST", "/v1/vm-enable").text(r#"{"names": ["web1"]}"#);
    assert_eq!(agent.ask(&asked).status, 400);
    let dry = r#"{"intent": "x", "node_reserve_percentage": 100, "dry_run": true}"#;
    assert_eq!(agent.enable(dry).status, 400);
    let events = agent.client().events(0, 10, Duration::ZERO);
    let events = events.expect("events").events;
    assert_eq!(events.len(), 2, "a dry run tells nothing: {events:?}");
    let [first, second] = [&events[0], &events[1]];
    let begin =
        "Refused: enable Accelerated Networking: The request is invalid. Field \\u{1b}[2Jxxx";
    assert!(first.message.starts_with(begin), "{}", first.message);
    assert_eq!(first.message.chars().count(), 600);
    assert!(
        second
            .message
            .starts_with("Refused: enable acceleration on VMs: ")
    );
    assert_eq!(second.user.as_deref(), Some("root"));
    assert_eq!(second.origin, Some(Origin::socket()));
}

#[test]
fn values_with_a_code_of_their_own_end_with_it() {
    let agent = root();
    for (value, named) in [
        ("100", "100"),
        ("-1", "-1"),
        ("\"abc\"", "abc"),
        ("3.5", "3.5"),
        ("true", "true"),
        ("[]", "[]"),
        ("99999999999999999999", "1e+20"),
        ("\"50\"", "\"50\""),
    ] {
        for (method, body) in [
            (
                "PUT",
                format!(r#"{{"intent": "MyIntent", "node_reserve_percentage": {value}}}"#),
            ),
            (
                "PATCH",
                format!(r#"{{"node_reserve_percentage": {value}}}"#),
            ),
        ] {
            let answer = agent.ask(&Asked::new(method, "/v1/management").text(&body));
            let (code, message) = error(&answer);
            assert_eq!(
                (answer.status, code.as_str()),
                (400, "node_reserve_invalid"),
                "{value}"
            );
            assert!(message.contains(named), "{value}: {message}");
        }
    }
    for (path, body, code) in [
        (
            "vm-enable",
            r#"{"names": ["web1"], "performance": "turbo"}"#,
            "performance_invalid",
        ),
        (
            "vm-enable",
            r#"{"names": ["web1"], "performance": "High"}"#,
            "performance_invalid",
        ),
        (
            "vm-set",
            r#"{"names": ["web1"], "performance": ""}"#,
            "performance_invalid",
        ),
        (
            "vm-set",
            r#"{"names": ["web1"], "performance": 3}"#,
            "bad_request",
        ),
        (
            "vm-set",
            r#"{"names": [], "performance": "low"}"#,
            "bad_request",
        ),
        (
            "vm-set",
            r#"{"names": "web1", "performance": "low"}"#,
            "bad_request",
        ),
        (
            "vm-enable",
            r#"{"names": ["web1", "a/b"], "performance": "low"}"#,
            "bad_request",
        ),
        (
            "vm-set",
            r#"{"names": ["../../x"], "performance": "low"}"#,
            "bad_request",
        ),
        ("vm-disable", r#"{"names": ["web1\n"]}"#, "bad_request"),
        ("vm-disable", r#"{"names": ["web1\u0085"]}"#, "bad_request"),
        ("vm-disable", r#"{"names": ["*/*"]}"#, "bad_request"),
    ] {
        let answer = agent.ask(&Asked::new("POST", &format!("/v1/{path}")).text(body));
        assert_eq!(
            (answer.status, error(&answer).0.as_str()),
            (400, code),
            "{body}"
        );
    }
    for figures in [
        r#"{"low": {"queue_pairs": 0, "rate_limit_percent": 10}}"#,
        r#"{"low": {"queue_pairs": -1, "rate_limit_percent": 10}}"#,
        r#"{"low": {"queue_pairs": "two", "rate_limit_percent": 10}}"#,
        r#"{"high": {"queue_pairs": 1, "rate_limit_percent": 100}}"#,
    ] {
        let body = format!(r#"{{"performance": {figures}}}"#);
        let answer = agent.ask(&Asked::new("PATCH", "/v1/management").text(&body));
        assert_eq!(
            error(&answer).0,
            "performance_settings_invalid",
            "{figures}"
        );
    }
    agent.goes_on();
}

#[test]
fn a_name_that_is_no_text_is_refused_in_json() {
    let agent = root();
    for name in ["%cc", "a%ff", "%c3%28"] {
        for method in ["GET", "DELETE"] {
            let answer = agent.ask(&Asked::new(method, &format!("/v1/intents/{name}")));
            let (code, message) = error(&answer);
            assert_eq!((answer.status, &*code), (400, "bad_request"), "{name}");
            assert!(
                message.ends_with("The name in the path is not UTF-8."),
                "{message}"
            );
        }
    }
}

#[test]
fn queries_are_read_strictly() {
    let agent = root();
    for (path, words) in [
        (
            "/v1/status?x=1",
            "Query parameter x does not exist; no parameter is allowed",
        ),
        (
            "/v1/events?after=-1",
            "Query parameter after is \"-1\" and not an integer from 0",
        ),
        (
            "/v1/events?limit=0",
            "Query parameter limit is 0 and not within 1..=10000",
        ),
        (
            "/v1/events?wait=61",
            "Query parameter wait is 61 and not within 0..=60",
        ),
        (
            "/v1/events?after=1&after=2",
            "Query parameter after is given twice",
        ),
        ("/v1/events?until=1", "only after, limit, wait"),
    ] {
        let answer = agent.ask(&Asked::new("GET", path));
        assert_eq!(answer.status, 400, "{path}");
        let (_, message) = error(&answer);
        assert!(message.contains(words), "{path}: {message}");
    }
    let answer = agent.ask(&Asked::new("DELETE", "/v1/management?dry_run=yes"));
    assert_eq!(answer.status, 400);
    agent.goes_on();
}
