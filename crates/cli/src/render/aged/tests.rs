use serde_json::json;

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

#[test]
fn the_time_of_a_drain_becomes_an_age() {
    let value =
        json!({"drained": {"by": "root", "at": "2026-11-22T09:00:00Z"}, "others": {"at": NOW}});
    assert_eq!(
        aged(&value, NOW),
        json!({"drained": {"by": "root", "at": "60 min ago"}, "others": {"at": NOW}})
    );
    assert_eq!(
        aged(&json!({"drained": true}), NOW),
        json!({"drained": true})
    );
}

#[test]
fn times_of_states_become_ages_and_others_stay() {
    let value = json!({"nodes": [{"since": NOW, "name": NOW}], "at": NOW, "verified_at": null, "reported_at": "never"});
    assert_eq!(
        aged(&value, NOW),
        json!({"nodes": [{"since": "0 s ago", "name": NOW}], "at": NOW, "verified_at": null, "reported_at": "never"})
    );
}

#[test]
fn times_of_a_last_report_stay() {
    let last = json!({"at": NOW, "seconds_ago": 5, "reason": "n2 is down"});
    let value = json!([{"since": NOW, "last_report": last}, {"since": NOW, "last_report": null}]);
    assert_eq!(
        aged(&value, NOW),
        json!([{"since": NOW, "last_report": last}, {"since": "0 s ago", "last_report": null}])
    );
}
