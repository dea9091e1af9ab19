use std::io::Write;

use super::*;

const PF: &str = "0000:01:00.0";

/// A log with `before` in it, to which `after` is added once it is watched.
fn logged(before: &str, after: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dev/kmsg");
    std::fs::create_dir(folder.path().join("dev")).expect("a folder");
    std::fs::write(&path, before).expect("a log");
    let log = KernelLog::from_now(&Root::new(folder.path()));
    let file = std::fs::OpenOptions::new().append(true).open(&path);
    let mut file = file.expect("a log");
    file.write_all(after.as_bytes()).expect("a line");
    log.about(PF)
}

fn line(number: usize, words: &str) -> String {
    format!("3,{number},1000,-;igb {PF}: {words}\n")
}

#[test]
fn only_what_is_new_and_about_it_is_reported() {
    let other = "3,8,1000,-;igb 0000:03:00.0: not about it\n SUBSYSTEM=pci\n";
    let after = format!("{other}{}{}", line(9, "no queues"), line(10, "giving up"));
    assert_eq!(
        logged(&line(7, "old news"), &after).as_deref(),
        Some("igb 0000:01:00.0: no queues; igb 0000:01:00.0: giving up")
    );
}

#[test]
fn silence_is_none() {
    assert_eq!(logged(&line(7, "old news"), ""), None);
    assert_eq!(logged("", "3,8,1000,-;something else\n"), None);
}

#[test]
fn the_last_lines_of_many_are_kept() {
    let many: String = (1..=20)
        .map(|number| line(number, &format!("line {number}")))
        .collect();
    let words = logged("", &many).expect("words");
    assert_eq!(words.matches("; ").count(), MOST - 1);
    assert!(words.starts_with("igb 0000:01:00.0: line 13;"), "{words}");
    assert!(words.ends_with("line 20"), "{words}");
}

#[test]
fn a_log_that_may_not_be_read_states_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = KernelLog::from_now(&Root::new(folder.path()));
    assert_eq!(log.about(PF), None);
}
