use super::*;

fn address() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// A process that holds the lock, as another finds it; none when it is free.
fn holder(folder: &Path) -> Option<String> {
    match Lock::take(folder, address(), "a test") {
        Ok(_) => None,
        Err(LockError::Held(holder)) => Some(holder),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_second_gets_the_name_of_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let locks = folder.path().join("not/there/yet");
    let lock = Lock::take(&locks, address(), "process 7").expect("it is free");
    assert_eq!(holder(&locks).as_deref(), Some("process 7"));
    drop(lock);
    assert_eq!(holder(&locks), None);
}

#[test]
fn the_note_is_the_last_holders_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "a process with a long name";
    drop(Lock::take(folder.path(), address(), long).expect("it is free"));
    let _lock = Lock::take(folder.path(), address(), "short").expect("it is free");
    assert_eq!(holder(folder.path()).as_deref(), Some("short"));
}

#[test]
fn a_holder_without_a_note_holds_it_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let _lock = Lock::take(folder.path(), address(), "").expect("it is free");
    assert_eq!(holder(folder.path()).as_deref(), Some("an unknown process"));
}

#[test]
fn adapters_have_locks_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = "0000:01:00.1".parse().expect("an address");
    let _lock = Lock::take(folder.path(), other, "process 7").expect("it is free");
    assert_eq!(holder(folder.path()), None);
}

#[test]
fn it_is_held_until_all_who_share_it_are_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = Lock::take(folder.path(), address(), "process 7").expect("it is free");
    let shared = lock.share().expect("shared");
    drop(lock);
    assert!(holder(folder.path()).is_some());
    drop(shared);
    assert_eq!(holder(folder.path()), None);
}

#[test]
fn a_place_where_no_lock_can_be_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let error = Lock::take(&file, address(), "process 7").expect_err("no folder");
    let text = error.to_string();
    assert!(text.contains("file/0000:01:00.0.lock: "), "{text}");
}
