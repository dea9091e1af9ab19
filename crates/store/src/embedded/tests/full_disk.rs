//! A disk without room: reported as such, nothing half-done, and the store goes on when there is room.

use crate::StoreError;
use crate::embedded::tests::disk::Disk;
use crate::embedded::tests::steps::{Run, Step, content, realistic};

/// Opening a store on a full disk is another matter: here it is open already.
fn steps() -> Vec<Step> {
    let mut steps = realistic();
    steps.retain(|step| !matches!(step, Step::Reopen));
    steps
}

#[test]
fn at_every_write() {
    let mut well = Run::open(Disk::with_store());
    steps().iter().for_each(|step| well.step(step));
    let mut failed = 0;
    for writes_left in 0..well.disk.count() {
        let mut run = Run::open(Disk::with_store());
        run.disk.set_writes_left(Some(writes_left));
        let (at, error) = steps()
            .iter()
            .enumerate()
            .find_map(|(at, step)| Some((at, run.try_step(step).err()?)))
            .map_or((0, None), |(at, error)| (at, Some(error)));
        let Some(error) = error else {
            break;
        };
        failed += 1;
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        run.disk.set_writes_left(None);
        let found = content(run.store());
        assert!(
            well.contents[at..=at + 1].contains(&found),
            "step {at}, room {writes_left}: {found:?}"
        );
        run.contents.push(found);
        steps()[at..].iter().for_each(|step| run.step(step));
        let values = |run: &Run| {
            let entries = &run.last().range.entries;
            let value = |e: &crate::Entry| (e.key.clone(), e.value.len());
            entries.iter().map(value).collect::<Vec<_>>()
        };
        assert_eq!(values(&run), values(&well), "step {at}, room {writes_left}");
    }
    assert!(failed > 100, "the disk was full {failed} times");
}

#[test]
fn reading_goes_on() {
    let mut run = Run::open(Disk::with_store());
    run.step(&Step::Put(vec![(0, 10, false)]));
    run.disk.set_writes_left(Some(0));
    let error = run.try_step(&Step::Put(vec![(1, 10, false)])).unwrap_err();
    assert!(error.to_string().contains("no space is left"), "{error}");
    run.disk.set_writes_left(None);
    assert_eq!(content(run.store()), *run.last());
}
