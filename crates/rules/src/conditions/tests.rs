use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const THREE_IN_TEN: Hysteresis = Hysteresis {
    raise_after: 3,
    within: Duration::from_secs(10),
    clear_after: Duration::from_secs(60),
};

/// A name; seconds at which a condition is observed, with whether it is found; when it is raised, and cleared.
type Case = (
    &'static str,
    &'static [(u64, bool)],
    &'static [u64],
    &'static [u64],
);

/// Updates one condition at each of these seconds, with whether it is found; what changed at which.
fn run(hysteresis: Hysteresis, observed: &[(u64, bool)]) -> Vec<(u64, Change<&'static str>)> {
    let mut conditions = Conditions::default();
    let mut changes = Vec::new();
    for (second, is_found) in observed {
        let found = is_found.then_some(("flapping", (), hysteresis));
        let now = Moment {
            time: "2026-05-01T12:00:00Z",
            uptime: Duration::from_secs(*second),
        };
        let changed = conditions.update(found, now).into_iter();
        changes.extend(changed.map(|change| (*second, change)));
    }
    changes
}

#[test]
fn without_hysteresis_each_transition_is_one() {
    let observed = [(1, true), (2, true), (3, false), (4, false), (5, true)];
    let changes = [
        (1, Change::Raised("flapping")),
        (3, Change::Cleared("flapping")),
        (5, Change::Raised("flapping")),
    ];
    assert_eq!(run(Hysteresis::NONE, &observed), changes);
    // Two observations at one moment are two.
    let changes = [
        (1, Change::Raised("flapping")),
        (1, Change::Cleared("flapping")),
    ];
    assert_eq!(run(Hysteresis::NONE, &[(1, true), (1, false)]), changes);
}

#[test]
fn it_is_raised_after_three_findings_in_ten_seconds_and_cleared_after_a_quiet_minute() {
    let cases: [Case; 5] = [
        ("two", &[(1, true), (5, true), (30, false)], &[], &[]),
        (
            "dense",
            &[(1, true), (5, false), (6, true), (11, true)],
            &[11],
            &[],
        ),
        (
            "sparse",
            &[(1, true), (10, true), (19, true), (28, true)],
            &[],
            &[],
        ),
        (
            "quiet",
            &[(1, true), (2, true), (3, true), (62, false), (63, false)],
            &[3],
            &[63],
        ),
        (
            "found again in time",
            &[(1, true), (2, true), (3, true), (62, true), (100, false)],
            &[3],
            &[],
        ),
    ];
    for (name, observed, raised, cleared) in cases {
        let changes = run(THREE_IN_TEN, observed);
        let seconds = |change| {
            let same = changes.iter().filter(|(_, one)| *one == change);
            same.map(|(second, _)| *second).collect::<Vec<_>>()
        };
        assert_eq!(seconds(Change::Raised("flapping")), raised, "{name}");
        assert_eq!(seconds(Change::Cleared("flapping")), cleared, "{name}");
    }
}

#[test]
fn a_raised_condition_keeps_its_time_and_its_newest_value() {
    let at = |second, time| Moment {
        time,
        uptime: Duration::from_secs(second),
    };
    let mut conditions = Conditions::default();
    conditions.update([("a", 1, Hysteresis::NONE)], at(1, "first"));
    conditions.update([("a", 2, Hysteresis::NONE)], at(2, "second"));
    assert_eq!(conditions.since("a"), Some("first"));
    assert_eq!(conditions.value("a"), Some(&2));
    let raised: Vec<_> = conditions.raised().collect();
    assert_eq!(raised, [(&"a", &2, "first")]);
}

#[test]
fn a_restored_condition_keeps_its_time_if_it_is_found_again() {
    let restored = ["a", "b"].map(|key| (key, 0, "before".to_owned()));
    let mut conditions = Conditions::restored(restored);
    let now = Moment {
        time: "now",
        uptime: Duration::from_secs(1),
    };
    let changes = conditions.update([("a", 1, Hysteresis::NONE)], now);
    assert_eq!(changes, [Change::Cleared("b")]);
    assert_eq!(conditions.since("a"), Some("before"));
}

#[test]
fn one_that_is_raised_by_hand_is_cleared_by_hand() {
    let mut conditions = Conditions::default();
    assert!(conditions.raise("a", 1, "first"));
    assert!(!conditions.raise("a", 2, "second"));
    assert_eq!(conditions.value("a"), Some(&2));
    assert!(conditions.clear("a"));
    assert!(!conditions.clear("a"));
    assert_eq!(conditions.value("a"), None);
}

proptest! {
    #[test]
    fn raised_and_cleared_alternate(
        steps in vec((0..40_u64, any::<bool>()), 0..60),
        raise_after in 0..4_usize,
        within in 0..30_u64,
        clear_after in 0..90_u64,
    ) {
        let hysteresis = Hysteresis {
            raise_after,
            within: Duration::from_secs(within),
            clear_after: Duration::from_secs(clear_after),
        };
        let mut second = 0;
        let observed: Vec<(u64, bool)> = steps
            .into_iter()
            .map(|(pause, is_found)| {
                second += 1 + pause;
                (second, is_found)
            })
            .collect();
        let changes = run(hysteresis, &observed);
        for (place, (second, change)) in changes.iter().enumerate() {
            let is_raised = *change == Change::Raised("flapping");
            prop_assert_eq!(is_raised, place % 2 == 0);
            let found = observed.iter().filter(|(at, is_found)| *is_found && at <= second);
            let last = found.clone().next_back().map(|(at, _)| *at);
            match is_raised {
                true => {
                    let dense = found.filter(|(at, _)| at + within >= *second).count();
                    prop_assert_eq!(last, Some(*second));
                    prop_assert!(dense >= raise_after);
                }
                false => prop_assert!(last.is_some_and(|last| last + clear_after <= *second)),
            }
        }
    }
}
