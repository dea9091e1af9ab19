//! Power cuts: whatever of the writes since the last sync is lost, torn or out of order, every
//! step that returned is there, and the one under way is there or not.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::embedded::tests::disk::{Disk, Fate};
use crate::embedded::tests::steps::{Content, Run, Step, realistic};

/// What may be there after a cut before event `at`.
fn allowed(run: &Run, at: usize) -> &[Content] {
    let returned = run.events.iter().take_while(|step| step.end <= at).count();
    let under_way = run.events.get(returned).is_some_and(|step| step.start < at);
    &run.contents[returned..=returned + usize::from(under_way)]
}

/// Opens what a cut left, and goes on with it.
fn survive(content: Vec<u8>, allowed: &[Content], about: impl Fn() -> String) -> Run {
    let mut run = Run::open(Disk::with(content));
    let found = run.last();
    assert!(
        allowed.contains(found),
        "{}: found {}, allowed {}",
        about(),
        short(found),
        allowed.iter().map(short).collect::<Vec<_>>().join(" or ")
    );
    let revision = found.range.revision;
    run.step(&Step::Put(vec![(9, 10, false)]));
    assert_eq!(run.last().range.revision, revision + 1, "{}", about());
    run.step(&Step::Reopen);
    assert_eq!(run.contents[1], run.contents[2], "{}", about());
    run
}

fn short(content: &Content) -> String {
    let sizes = content
        .range
        .entries
        .iter()
        .map(|e| (&e.key, e.mod_revision, e.value.len()));
    let (revision, oldest) = (content.range.revision, content.oldest);
    format!(
        "{revision} from {oldest}: {:?}, {:?}",
        sizes.collect::<Vec<_>>(),
        content.leases
    )
}

/// Fates worth trying for so many writes that are not synced: all of them where they are few.
fn fates(count: usize) -> Vec<Vec<Fate>> {
    let all = |fate| vec![fate; count];
    let with = |base, at: usize, fate| {
        let mut fates = all(base);
        fates[at] = fate;
        fates
    };
    let mut tried = Vec::new();
    if count <= 5 {
        for bits in 0..1_u32 << count {
            let fate = |at| {
                if bits >> at & 1 == 1 {
                    Fate::Kept
                } else {
                    Fate::Lost
                }
            };
            tried.push((0..count).map(fate).collect());
        }
    } else {
        tried.extend([all(Fate::Lost), all(Fate::Kept)]);
        for at in 0..count {
            tried.push(with(Fate::Kept, at, Fate::Lost));
            tried.push(with(Fate::Lost, at, Fate::Kept));
        }
    }
    if let Some(last) = count.checked_sub(1) {
        for torn in [1, 125, 500, 999] {
            tried.push(with(Fate::Kept, last, Fate::Torn(torn)));
            tried.push(with(Fate::Lost, last, Fate::Torn(torn)));
        }
    }
    tried
}

/// Tries every cut of a run, each once. Returns how many there were.
fn every_cut(run: &Run, mut then: impl FnMut(Run)) -> usize {
    let mut seen = HashSet::new();
    for at in 0..=run.disk.count() {
        let unsynced = run.disk.unsynced(at);
        for fates in fates(unsynced.len()) {
            let each = unsynced.iter().copied().zip(fates.iter().copied());
            let kept: Vec<_> = each.filter(|(_, fate)| *fate != Fate::Lost).collect();
            let allowed = allowed(run, at);
            if seen.insert((at - unsynced.len(), kept, allowed.as_ptr(), allowed.len())) {
                let content = run.disk.cut(at, &fates);
                then(survive(content, allowed, || {
                    format!("cut at {at}, {fates:?}")
                }));
            }
        }
    }
    seen.len()
}

#[test]
fn at_every_write() {
    let mut run = Run::open(Disk::with_store());
    realistic().iter().for_each(|step| run.step(step));
    let cuts = every_cut(&run, drop);
    eprintln!("{} events, {cuts} cuts", run.disk.count());
    assert!(cuts > 1000, "only {cuts} cuts were tried");
}
