//! The knobs of the running system: a write that hangs is left behind, keeps the lock, and lets
//! go of it when it ends.

use std::path::Path;
use std::time::Duration;

use accelnet_host::knobs::LockError;
use accelnet_host::{Clock, Knobs, Lock, SystemClock, SystemKnobs};
use accelnet_model::PciAddress;
use accelnet_model::vf_plan::Refusal;
use accelnet_pci::LockedRead;

/// A file that hangs the process that opens it until the other end is opened.
fn fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).expect("a fifo");
}

fn lock(folder: &Path) -> Result<Lock, LockError> {
    let address: PciAddress = "0000:01:00.0".parse().expect("an address");
    Lock::take(folder, address, "a test")
}

#[test]
fn a_write_that_hangs_is_left_behind_and_keeps_the_lock() {
    let folder = tempfile::tempdir().expect("a folder");
    let knob = folder.path().join("sriov_numvfs");
    fifo(&knob);
    let held = lock(folder.path()).expect("it is free");
    let mut told = 0;
    let within = Duration::from_millis(500);
    let path = knob.to_str().expect("text");
    let ended = SystemKnobs::default().write(&held, path, "7", within, &mut || told += 1);
    assert_eq!(ended, Err(Refusal::TimedOut(within)));
    assert!(told >= 2, "told {told} times that it waits");

    drop(held);
    let refused = lock(folder.path()).expect_err("the child has it");
    assert!(matches!(refused, LockError::Held(_)), "{refused}");

    // The write ends well after all, and the lock is free.
    assert_eq!(
        std::fs::read_to_string(&knob).expect("what was written"),
        "7"
    );
    let free = (0..100).any(|_| {
        SystemClock.sleep(Duration::from_millis(20));
        lock(folder.path()).is_ok()
    });
    assert!(free, "the child that ended still has the lock");
}

#[test]
fn a_refusal_comes_with_the_kernels_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = lock(folder.path()).expect("it is free");
    let within = Duration::from_secs(30);
    // The kernel parses this attribute as it does sriov_numvfs.
    let own = "/proc/self/oom_score_adj";
    let refused = SystemKnobs::default().write(&held, own, "many", within, &mut || ());
    let text = "Invalid argument".to_owned();
    assert_eq!(refused, Err(Refusal::Errno { number: 22, text }));
    let missing = SystemKnobs::default().write(&held, "/no/such/knob", "7", within, &mut || ());
    assert!(
        matches!(missing, Err(Refusal::Errno { number: 2, .. })),
        "{missing:?}"
    );
}

#[test]
fn an_attribute_that_hangs_hides_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, hung, missing, last] =
        ["first", "hung", "missing", "last"].map(|name| folder.path().join(name));
    std::fs::write(&first, "7\n").expect("an attribute");
    std::fs::write(&last, "64\n").expect("an attribute");
    fifo(&hung);
    let answers = SystemKnobs::default().read(&[first, hung.clone(), missing, last]);
    let [first, late, missing, last] = answers.as_slice() else {
        panic!("{answers:?}");
    };
    assert_eq!(first.as_deref().ok(), Some("7"));
    assert_eq!(last.as_deref().ok(), Some("64"));
    let kind = |answer: &std::io::Result<String>| answer.as_ref().err().map(std::io::Error::kind);
    assert_eq!(kind(missing), Some(std::io::ErrorKind::NotFound));
    assert_eq!(kind(late), Some(std::io::ErrorKind::TimedOut));
    // Lets the child that is left behind end.
    std::fs::write(&hung, "").expect("the other end");
}

/// The processes that this thread has started and that are not gone.
fn children() -> Vec<String> {
    let list = std::fs::read_to_string("/proc/thread-self/children").expect("a list");
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_killed_write_is_an_error_and_no_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let knob = folder.path().join("sriov_numvfs");
    fifo(&knob);
    let held = lock(folder.path()).expect("it is free");
    let mut kill = || {
        for child in children() {
            let pid = child.parse().ok().and_then(rustix::process::Pid::from_raw);
            let pid = pid.expect("a process");
            let comm = std::fs::read_to_string(format!("/proc/{child}/comm")).expect("its name");
            assert_eq!(comm.trim_end(), "accelnet-knob");
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
        }
    };
    let within = Duration::from_secs(30);
    let path = knob.to_str().expect("text");
    let ended = SystemKnobs::default().write(&held, path, "7", within, &mut kill);
    let Err(Refusal::Errno { number: 0, text }) = ended else {
        panic!("{ended:?}");
    };
    assert!(text.contains("SIGKILL"), "{text}");
    drop(held);
    drop(lock(folder.path()).expect("it is free again"));
}

#[test]
fn a_read_that_is_answered_leaves_no_process() {
    let answers = SystemKnobs::default().read(&["/proc/self/comm".into(), "/no/such".into()]);
    assert!(answers[0].is_ok() && answers[1].is_err());
    assert_eq!(children(), Vec::<String>::new());
}

#[test]
fn those_that_were_left_are_gone_once_they_have_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let hung = folder.path().join("hung");
    fifo(&hung);
    let knobs = SystemKnobs::default();
    let late = knobs.read(std::slice::from_ref(&hung));
    assert!(late[0].is_err());
    std::fs::write(&hung, "").expect("the other end");
    let gone = (0..100).any(|_| {
        SystemClock.sleep(Duration::from_millis(20));
        drop(knobs.read(&["/proc/self/comm".into()]));
        children().is_empty()
    });
    assert!(gone, "{:?}", children());
}
