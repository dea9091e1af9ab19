//! The real knobs with the real program as their child: a write that hangs is left behind,
//! keeps the lock, and lets go of it when it ends.

use std::path::Path;
use std::time::Duration;

use accelnet_host::knobs::LockError;
use accelnet_host::{Clock, Knobs, Lock, SystemClock, SystemKnobs};
use accelnet_model::PciAddress;
use accelnet_model::vf_plan::Refusal;
use accelnet_pci::LockedRead;

fn knobs() -> SystemKnobs {
    SystemKnobs::new(env!("CARGO_BIN_EXE_accelnet"))
}

/// A file that hangs whoever opens it until the other end is opened.
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
    let ended = knobs().write(&held, path, "7", within, &mut || told += 1);
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
    let refused = knobs().write(&held, own, "many", within, &mut || ());
    let text = "Invalid argument".to_owned();
    assert_eq!(refused, Err(Refusal::Errno { number: 22, text }));
    let missing = knobs().write(&held, "/no/such/knob", "7", within, &mut || ());
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
    let answers = knobs().read(&[first, hung.clone(), missing, last]);
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

#[test]
fn a_program_that_is_not_there_is_an_error_and_no_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let held = lock(folder.path()).expect("it is free");
    let knobs = SystemKnobs::new(folder.path().join("nothing"));
    let within = Duration::from_secs(30);
    let refused = knobs.write(&held, "/proc/self/oom_score_adj", "0", within, &mut || ());
    assert!(
        matches!(refused, Err(Refusal::Errno { number: 2, .. })),
        "{refused:?}"
    );
    assert!(knobs.read(&["/proc/self/comm".into()])[0].is_err());
}
