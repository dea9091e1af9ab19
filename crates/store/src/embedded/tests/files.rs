//! The file: who may read it, who holds it, and what is in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::embedded::medium::{File, Medium};
use crate::embedded::tables::{META, META_FORMAT};
use crate::{Commit, Embedded, History, Store, StoreError, Txn};

fn open(path: &Path) -> Result<Embedded, StoreError> {
    Embedded::open(path, History::default(), || Duration::ZERO)
}

fn refused(path: &Path) -> StoreError {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn file_and_folder_are_for_their_owner_only() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("accelnet/store");
    drop(open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_new_store_begins_at_revision_1() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("store")).unwrap();
    let range = store.range("").unwrap();
    assert_eq!((range.entries.len(), range.revision), (0, 1));
}

#[test]
fn a_file_that_is_open_is_held() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let first = open(&path).unwrap();
    let error = refused(&path);
    assert!(
        matches!(&error, StoreError::Held { path: held } if *held == path),
        "{error}"
    );
    drop(first);
    drop(open(&path).unwrap());
}

#[test]
fn dropping_the_store_lets_go_of_the_file_while_a_watch_waits() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let store = open(&path).unwrap();
    let mut watch = store.watch("", 0).unwrap();
    let waiting = std::thread::spawn(move || watch.next(Duration::from_secs(60)));
    drop(store);
    drop(open(&path).unwrap());
    let error = waiting.join().unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    drop(open(&path).unwrap());
    let Ok(db) = File::new(&path).open() else {
        panic!("the store that was just made cannot be opened");
    };
    let txn = db.begin_write().unwrap();
    txn.open_table(META)
        .unwrap()
        .insert(META_FORMAT, 2)
        .unwrap();
    txn.commit().unwrap();
    drop(db);
    let error = refused(&path).to_string();
    assert!(
        error.contains("format 2, and this accelnet reads formats up to 1"),
        "{error}"
    );
}

#[test]
fn another_database_is_not_taken_for_a_store() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let db = Database::create(&path).unwrap();
    let txn = db.begin_write().unwrap();
    txn.open_table(TableDefinition::<u64, u64>::new("other"))
        .unwrap();
    txn.commit().unwrap();
    drop(db);
    let error = refused(&path);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn files_that_are_no_store_are_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    for content in [&b""[..], b"x", b"redb", &[0; 4096], &[0xff; 100_000]] {
        fs::write(&path, content).unwrap();
        let error = refused(&path);
        assert!(
            matches!(error, StoreError::Corrupt { .. }),
            "{} bytes: {error}",
            content.len()
        );
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn what_an_interrupted_start_left_is_no_hindrance() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    fs::write(folder.path().join("store.new"), "half").unwrap();
    let store = open(&path).unwrap();
    let done = store.commit(&Txn::new().put("a", "")).unwrap();
    assert_eq!(done, Commit::Done { revision: 2 });
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_in_place_of_the_file_is_reported() {
    let folder = TempDir::new().unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
}

#[test]
fn several_that_start_at_once_make_one_store() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("accelnet/store");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&path))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let held = |result: &&Result<_, StoreError>| matches!(result, Err(StoreError::Held { .. }));
    assert_eq!(opened.iter().filter(held).count(), 7);
}

#[test]
fn what_others_can_write_is_refused() {
    for (file_mode, folder_mode) in [
        (0o620, 0o700),
        (0o602, 0o700),
        (0o600, 0o777),
        (0o600, 0o770),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("accelnet/store");
        drop(open(&path).unwrap());
        let parent = path.parent().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(file_mode)).unwrap();
        fs::set_permissions(parent, fs::Permissions::from_mode(folder_mode)).unwrap();
        let error = refused(&path);
        assert!(matches!(error, StoreError::NotPrivate { .. }), "{error}");
        assert!(error.to_string().contains("other users may write"));
        assert!(!crate::is_private(&path).unwrap() || folder_mode != 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(parent, fs::Permissions::from_mode(0o1777)).unwrap();
        drop(open(&path).unwrap());
    }
}

#[test]
fn what_belongs_to_another_user_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    drop(open(&path).unwrap());
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
        // Only root gives files away.
        return;
    }
    let error = refused(&path);
    assert!(
        error.to_string().contains("belongs to user 12345"),
        "{error}"
    );
}

#[test]
fn a_lost_copy_of_the_first_block_is_noticed() {
    use std::os::unix::fs::FileExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let store = open(&path).unwrap();
    for number in 0..5_u8 {
        let _ = store.commit(&Txn::new().put("key", [number])).unwrap();
    }
    assert_eq!(store.noticed(), None);
    drop(store);
    for copy in 0..2 {
        let damaged = folder.path().join(format!("damaged{copy}"));
        fs::copy(&path, &damaged).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&damaged).unwrap();
        file.write_all_at(&[0; 4096], copy * (8 + 4096 + 8))
            .unwrap();
        let store = open(&damaged).unwrap();
        let noticed = store.noticed().expect("a sentence");
        assert!(noticed.contains("newest change may be lost"), "{noticed}");
        assert!(store.get("key").unwrap().is_some());
    }
}
