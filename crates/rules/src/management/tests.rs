use super::*;
use proptest::prelude::*;

#[test]
fn a_reserve_is_an_integer_of_0_to_99() {
    for (text, reserve_read) in [
        ("0", 0),
        ("50", 50),
        ("99", 99),
        ("", 50),
        ("  ", 50),
        (" 25 ", 25),
        ("050", 50),
        ("007", 7),
    ] {
        assert_eq!(reserve(text), Ok(reserve_read), "{text:?}");
    }
}

#[test]
fn anything_else_ends_with_its_code_and_names_what_was_given() {
    for (text, found) in [
        ("100", "100 is greater than 99."),
        ("-1", "-1 is less than 0."),
        ("256", "256 is greater than 99."),
        ("abc", "\"abc\" is not an integer."),
        ("3.5", "\"3.5\" is not an integer."),
        ("1e1", "\"1e1\" is not an integer."),
        ("+5", "\"+5\" is not an integer."),
        ("-0", "\"-0\" is not an integer."),
        ("5 0", "\"5 0\" is not an integer."),
        ("0x10", "\"0x10\" is not an integer."),
        ("५", "\"५\" is not an integer."),
    ] {
        let problem = reserve(text).expect_err(text);
        assert_eq!(problem.code, Code::NodeReserveInvalid);
        assert_eq!(problem.found, found);
        assert!(problem.message.contains(text), "{}", problem.message);
    }
}

proptest! {
    #[test]
    fn numbers_and_their_text_are_judged_alike(number in -300_i64..300) {
        let by_text = reserve(&number.to_string());
        prop_assert_eq!(&by_text, &reserve_number(number));
        prop_assert_eq!(by_text.is_ok(), (0..=99).contains(&number));
    }

    #[test]
    fn no_text_makes_it_fall_over(text in ".{0,12}") {
        if let Ok(read) = reserve(&text) {
            prop_assert!(read <= 99);
        }
    }
}

#[test]
fn a_performance_is_read_in_any_case() {
    for text in ["high", "High", "HIGH", " high "] {
        assert_eq!(performance(text), Ok(Performance::High));
    }
    for text in ["turbo", "", "low,high"] {
        let problem = performance(text).expect_err(text);
        assert_eq!(problem.code, Code::PerformanceInvalid);
    }
    assert_eq!(
        performance("turbo").expect_err("no setting").message,
        "turbo is not a performance setting."
    );
}

#[test]
fn figures_that_are_not_named_stay() {
    let changed = performance_settings("high=8:100, low=2:20", PerformanceSettings::default())
        .expect("settings");
    let pairs = Performance::ALL.map(|setting| changed.of(setting).queue_pairs);
    let weights = Performance::ALL.map(|setting| changed.of(setting).rate_limit_percent);
    assert_eq!((pairs, weights), ([2, 2, 8], [20, 50, 100]));
}

#[test]
fn figures_that_make_no_sense_are_named() {
    for (text, found) in [
        ("low=0:10", "Low has 0 queue pairs."),
        ("high=65:100", "High has 65 queue pairs."),
        ("low=1:0", "Low has a rate limit of 0."),
        ("high=4:101", "High has a rate limit of 101."),
        (
            "low=8:10",
            "Medium has 2 as queue pairs, lower than Low with 8.",
        ),
        (
            "medium=2:5",
            "Medium has 5 as rate limit, lower than Low with 10.",
        ),
        ("low=1:10,low=1:10", "Low is given twice."),
        ("", "\"\" cannot be read."),
        ("low", "\"low\" cannot be read."),
        ("low=1", "\"low=1\" cannot be read."),
        (
            "turbo=1:10",
            "There are 3 settings, and none has a similar name.",
        ),
        (
            "hihg=1:10",
            "There are 3 settings; the nearest name is high.",
        ),
        ("low=-1:10", "\"low=-1:10\" cannot be read."),
    ] {
        let problem = performance_settings(text, PerformanceSettings::default()).expect_err(text);
        assert_eq!(
            (problem.code, &*problem.found),
            (Code::PerformanceSettingsInvalid, found)
        );
    }
}
