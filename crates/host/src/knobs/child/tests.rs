use std::os::unix::process::ExitStatusExt;

use super::*;

fn run(args: &[&str], orders: &str) -> i32 {
    run_with(args.iter().map(OsString::from), orders.as_bytes())
}

fn written(path: &str, value: &str) -> i32 {
    run(&["write"], &format!("{value} {path}\n"))
}

fn errno(status: ExitStatus) -> Option<i32> {
    match verdict(status) {
        Ok(()) => None,
        Err(Refusal::Errno { number, .. }) => Some(number),
        Err(Refusal::TimedOut(_)) => panic!("nothing timed out"),
    }
}

#[test]
fn a_write_ends_with_the_kernels_error_number() {
    // The kernel parses this attribute as it does sriov_numvfs.
    let attribute = "/proc/self/oom_score_adj";
    assert_eq!(written(attribute, "many"), 22, "EINVAL");
    assert_eq!(written("/proc/self/no_such_attribute", "1"), 2, "ENOENT");
    assert_eq!(written("/proc/self", "1"), 21, "EISDIR");
}

#[test]
fn a_write_replaces_nothing_and_makes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("knob");
    let name = path.to_str().expect("text");
    assert_eq!(written(name, "7"), 2, "ENOENT");
    std::fs::write(&path, "0\n").expect("a file");
    assert_eq!(written(name, "7"), 0);
    // One write call, as into an attribute: no truncation, no line end.
    assert_eq!(std::fs::read_to_string(&path).expect("text"), "7\n");
}

#[test]
fn a_child_that_is_called_wrongly_says_so() {
    for args in [&[][..], &["walk"]] {
        assert_eq!(run(args, ""), CALLED_WRONGLY, "{args:?}");
    }
    assert_eq!(run(&["write"], "7\n"), CALLED_WRONGLY);
}

#[test]
fn a_child_that_is_told_nothing_writes_nothing() {
    assert_eq!(run(&["write"], ""), 0);
}

#[test]
fn what_became_of_a_child_is_read_from_its_status() {
    let ended = |code: i32| ExitStatus::from_raw(code << 8);
    assert_eq!(errno(ended(0)), None);
    assert_eq!(errno(ended(16)), Some(16));
    assert_eq!(errno(ended(CALLED_WRONGLY)), Some(0));
    let killed = verdict(ExitStatus::from_raw(9)).expect_err("killed");
    let Refusal::Errno { number: 0, text } = killed else {
        panic!("{killed:?}");
    };
    assert!(text.contains("SIGKILL"), "{text}");
}

#[test]
fn the_kernels_own_words_go_with_its_number() {
    let refused = verdict(ExitStatus::from_raw(16 << 8)).expect_err("busy");
    let text = "Device or resource busy".to_owned();
    assert_eq!(refused, Refusal::Errno { number: 16, text });
}
