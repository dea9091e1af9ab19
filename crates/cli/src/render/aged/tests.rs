use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-22T10:00:00Z";

#[test]
fn an_age_has_one_unit() {
    for (time, shown) in [
        ("2026-11-22T10:00:00Z", "0 s ago"),
        ("2026-11-22T09:58:01Z", "119 s ago"),
        ("2026-11-22T09:58:00Z", "2 min ago"),
        ("2026-11-22T08:00:01Z", "119 min ago"),
        ("2026-11-22T08:00:00Z", "2 h ago"),
        ("2026-11-20T10:00:00Z", "2 days ago"),
        ("2025-11-22T10:00:00Z", "365 days ago"),
    ] {
        assert_eq!(age(time, NOW).as_deref(), Some(shown), "{time}");
    }
    assert_eq!(age("soon", NOW), None);
    assert_eq!(age("2026-11-22T10:00:05Z", NOW), None, "a clock is ahead");
}

/// The same by the clock of n1, which answers.
fn of_n1(value: &Value) -> Value {
    aged(value, NOW, &|node| node == "n1")
}

#[test]
fn the_time_of_a_drain_becomes_an_age() {
    let at = "2026-11-22T09:00:00Z";
    for (drained, shown) in [
        (
            json!({"by": "root", "at": at, "node": "n1"}),
            json!({"by": "root", "at": "60 min ago", "node": "n1"}),
        ),
        (
            json!({"by": "root", "at": at, "node": "n2"}),
            json!({"by": "root", "at": "09:00:00 UTC", "node": "n2"}),
        ),
        (
            json!({"by": "root", "at": at}),
            json!({"by": "root", "at": "09:00:00 UTC"}),
        ),
        (json!(true), json!(true)),
    ] {
        let value = json!({"drained": drained, "others": {"at": NOW}});
        let shown = json!({"drained": shown, "others": {"at": NOW}});
        assert_eq!(of_n1(&value), shown);
    }
}

#[test]
fn times_of_states_become_ages_and_others_stay() {
    let value = json!({"nodes": [{"since": NOW, "name": NOW}], "at": NOW, "verified_at": null});
    assert_eq!(
        of_n1(&value),
        json!({"nodes": [{"since": "0 s ago", "name": NOW}], "at": NOW, "verified_at": null})
    );
    let never = json!({"name": "n1", "reported_at": "never"});
    assert_eq!(of_n1(&never), never);
}

#[test]
fn clocks_of_two_nodes_are_never_compared() {
    let hour_behind = "2026-11-22T08:59:00Z";
    let hour_ahead = "2026-11-22T10:59:00Z";
    let report = |name: &str, reported: &str, since: &str| {
        json!({
            "node": {"name": name, "reported_at": reported, "since": since},
            "faults": [{"node": name, "since": since}, {"node": "n1", "since": NOW}],
        })
    };
    let yesterday = "2026-11-21T23:59:59Z";
    for (time, age, shown) in [
        (hour_behind, "61 min ago", "08:59:00 UTC"),
        (hour_ahead, hour_ahead, "10:59:00 UTC"),
        (yesterday, "10 h ago", "2026-11-21 23:59 UTC"),
    ] {
        let own = of_n1(&report("n1", time, time));
        assert_eq!(own["node"]["since"], age);
        assert_eq!(own["node"]["reported_at"], age);
        assert_eq!(own["faults"][0]["since"], age);
        let other = of_n1(&report("n2", time, time));
        assert_eq!(other["node"]["since"], shown);
        assert_eq!(other["node"]["reported_at"], shown);
        assert_eq!(other["faults"][0]["since"], shown);
        assert_eq!(other["faults"][1]["since"], "0 s ago");
    }
}

#[test]
fn times_of_a_last_report_stay() {
    let last = json!({"at": NOW, "seconds_ago": 5, "reason": "n2 is down"});
    let value = json!([{"since": NOW, "last_report": last}, {"since": NOW, "last_report": null}]);
    assert_eq!(
        of_n1(&value),
        json!([{"since": NOW, "last_report": last}, {"since": "0 s ago", "last_report": null}])
    );
}
