//! Files that no power cut leaves: reported as damaged, or read; never a panic.

use proptest::prelude::*;

use crate::embedded::tests::disk::Disk;
use crate::embedded::tests::on_disk::FakeClock;
use crate::embedded::tests::steps::{Run, realistic};
use crate::{Embedded, History, Store, StoreError, Txn};

/// A store's file, closed properly or not.
fn file(closed: bool) -> Vec<u8> {
    let mut run = Run::open(Disk::with_store());
    realistic().iter().for_each(|step| run.step(step));
    if closed {
        run.store = None;
    }
    run.disk.content()
}

/// Does a little of everything.
fn use_it(content: Vec<u8>) -> Result<(), StoreError> {
    let clock = FakeClock::default();
    let store = Embedded::on(Disk::with(content), History::default(), clock.uptime())?;
    store.range("")?;
    let txn = Txn::new().put("/key/0", vec![1; 9000]).delete("/key/3");
    let _ = store.commit(&txn)?;
    store.grant(std::time::Duration::from_secs(1))?;
    store.range("").map(drop)
}

fn damaged(error: &StoreError) -> bool {
    // A page that lies beyond the end looks as a file cut short does.
    matches!(
        error,
        StoreError::Corrupt { .. } | StoreError::NewerStore { .. }
    )
}

#[test]
fn cut_short() {
    let whole = file(true);
    for length in [1, 9, 100, 320, 4096, 4097, whole.len() / 2, whole.len() - 1] {
        let error = use_it(whole[..length].to_vec()).unwrap_err();
        assert!(damaged(&error), "{length}: {error}");
    }
}

/// What the database would have taken for the number of a page of a terabyte, and asked for the
/// memory: no panic that can be caught.
#[test]
fn every_block() {
    let whole = file(true);
    let mut with_path = 0;
    for at in (100..whole.len()).step_by(4104) {
        let mut content = whole.clone();
        content[at..at + 8].fill(0xff);
        if let Err(error) = use_it(content) {
            assert!(damaged(&error), "{at}: {error}");
            with_path += 1;
        }
    }
    assert!(with_path > 5, "{with_path} of the damages were met");
}

/// Each is well, and none is where it belongs.
#[test]
fn blocks_in_each_others_place() {
    let mut content = file(true);
    let (head, blocks) = content.split_at_mut(2 * 4112);
    assert_eq!(head.len(), 8224);
    blocks[..8 * 4104].rotate_left(4104);
    let error = use_it(content).unwrap_err().to_string();
    assert!(error.contains("does not have the checksum"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn overwritten(
        closed in any::<bool>(),
        beginning in any::<bool>(),
        place in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut content = file(closed);
        let within = if beginning { 16_384 } else { content.len() };
        let from = place.index(within - bytes.len());
        content[from..from + bytes.len()].copy_from_slice(&bytes);
        if let Err(error) = use_it(content) {
            prop_assert!(damaged(&error), "{}", error);
        }
    }
}
