use super::*;

#[test]
fn the_first_are_reported_and_the_others_counted() {
    let begin = Instant::now();
    let mut window = Window::default();
    for _ in 0..EACH {
        assert_eq!(window.take(begin), Turn::Report);
    }
    assert_eq!(window.take(begin), Turn::Count(Some(begin + WINDOW)));
    for _ in 0..99 {
        assert_eq!(window.take(begin), Turn::Count(None));
    }
    assert_eq!((window.counted(), window.counted()), (100, 0));
}

#[test]
fn a_client_that_goes_on_is_reported_less_and_less_often() {
    let begin = Instant::now();
    let mut window = Window::default();
    let (mut recorded, mut counted) = (0, 0);
    let mut due = None;
    // One each second for a day.
    for second in 0..24 * 60 * 60 {
        let now = begin + Duration::from_secs(second);
        if due.is_some_and(|due| now >= due) {
            due = None;
            recorded += 1;
            counted += window.counted();
        }
        match window.take(now) {
            Turn::Report => recorded += 1,
            Turn::Count(Some(ends)) => due = Some(ends),
            Turn::Count(None) => {}
        }
    }
    // Windows of 1, 2, 4, ... 32 minutes, and then of an hour, each with 5 and a count.
    assert!((100..200).contains(&recorded), "{recorded}");
    counted += window.counted();
    assert!(counted > 80_000, "{counted}");
    let far = begin + Duration::from_secs(48 * 60 * 60);
    for _ in 0..EACH {
        assert_eq!(window.take(far), Turn::Report, "it is quiet again");
    }
    assert_eq!(window.take(far), Turn::Count(Some(far + WINDOW)));
}

#[test]
fn text_of_others_moves_no_cursor() {
    assert_eq!(printable("CN=a\u{1b}[2J\nb", 200), "CN=a?[2J?b");
    assert_eq!(printable(&"x".repeat(5000), 200).len(), 200);
}
