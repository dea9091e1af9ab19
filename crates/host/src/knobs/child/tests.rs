use super::*;

use std::ffi::CString;
use std::path::Path;

/// Longer than any of these takes.
const LONG: Duration = Duration::from_secs(60);

fn text(path: impl AsRef<Path>) -> CString {
    let bytes = path.as_ref().as_os_str().as_encoded_bytes();
    CString::new(bytes).expect("no zero in it")
}

/// What becomes of `task`.
fn answered(task: Task<'_>) -> io::Result<Vec<u8>> {
    let mut child = Child::start(task, None).expect("started");
    match child.wait(LONG).expect("nothing hangs here") {
        Ended::Answered(answer) => answer,
        Ended::Killed(status) => panic!("{status}"),
    }
}

fn written(path: impl AsRef<Path>, value: &str) -> Option<i32> {
    let ended = answered(Task::Write(&text(path), value.as_bytes()));
    ended
        .err()
        .map(|error| error.raw_os_error().expect("its number"))
}

/// A file that hangs the process that opens it until the other end is opened.
fn fifo(folder: &Path) -> std::path::PathBuf {
    use rustix::fs::{FileType, mknodat};
    let path = folder.join("fifo");
    mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).expect("a fifo");
    path
}

#[test]
fn a_write_ends_with_the_kernels_error_number() {
    // The kernel parses this attribute as it does sriov_numvfs.
    assert_eq!(
        written("/proc/self/oom_score_adj", "many"),
        Some(22),
        "EINVAL"
    );
    assert_eq!(
        written("/proc/self/no_such_attribute", "1"),
        Some(2),
        "ENOENT"
    );
    assert_eq!(written("/proc/self", "1"), Some(21), "EISDIR");
}

#[test]
fn a_write_replaces_nothing_and_makes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("knob");
    assert_eq!(written(&path, "7"), Some(2), "ENOENT");
    std::fs::write(&path, "0\n").expect("a file");
    assert_eq!(written(&path, "7"), None);
    // One write call, as into an attribute: no truncation, no line end.
    assert_eq!(std::fs::read_to_string(&path).expect("text"), "7\n");
}

#[test]
fn a_read_has_up_to_a_page_and_the_kernels_error_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("attribute");
    for length in [0, 1, LONGEST - NUMBER] {
        let bytes = vec![b'7'; length];
        std::fs::write(&path, &bytes).expect("a file");
        let read = answered(Task::Read(&text(&path)));
        assert_eq!(read.expect("it can be read"), bytes);
    }
    let missing = answered(Task::Read(&text("/no/such/attribute")));
    assert_eq!(
        missing.expect_err("it is not there").raw_os_error(),
        Some(2)
    );
    let folder = answered(Task::Read(&text(folder.path())));
    assert_eq!(folder.expect_err("a folder").raw_os_error(), Some(21));
}

#[test]
fn a_child_has_nothing_open_but_what_it_is_to_keep() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = fifo(folder.path());
    let lock = std::fs::File::create(folder.path().join("lock")).expect("a file");
    let other = std::fs::File::create(folder.path().join("other")).expect("a file");
    let path = text(&fifo);
    let mut child = Child::start(Task::Read(&path), Some(lock.as_fd())).expect("started");
    assert!(child.wait(Duration::from_millis(300)).is_none(), "it hangs");
    let process = format!("/proc/{}", child.pid.as_raw_nonzero());
    let open = std::fs::read_dir(format!("{process}/fd")).expect("it is there");
    let open = open.map(|entry| std::fs::read_link(entry.expect("one").path()).expect("a link"));
    let mut files: Vec<_> = open.filter(|to| to.is_absolute()).collect();
    files.sort();
    assert_eq!(files, [folder.path().join("lock")]);
    let name = std::fs::read_to_string(format!("{process}/comm")).expect("its name");
    assert_eq!(name.trim_end(), "accelnet-knob");
    drop(other);

    assert!(!child.is_gone());
    std::fs::write(&fifo, "7").expect("the other end");
    match child.wait(LONG) {
        Some(Ended::Answered(Ok(bytes))) => assert_eq!(bytes, b"7"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_killed_child_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = text(fifo(folder.path()));
    let mut child = Child::start(Task::Read(&path), None).expect("started");
    assert!(child.wait(Duration::from_millis(50)).is_none(), "it hangs");
    rustix::process::kill_process(child.pid, rustix::process::Signal::KILL).expect("killed");
    match child.wait(LONG) {
        Some(Ended::Killed(status)) => assert_eq!(status.signal(), Some(9)),
        other => panic!("{other:?}"),
    }
    assert!(child.is_gone());
}
