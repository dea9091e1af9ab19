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
    let mut position = HashSet::new();
    for at in 0..=run.disk.count() {
        let unsynced = run.disk.unsynced(at);
        for fates in fates(unsynced.len()) {
            let each = unsynced.iter().copied().zip(fates.iter().copied());
            let kept: Vec<_> = each.filter(|(_, fate)| *fate != Fate::Lost).collect();
            let allowed = allowed(run, at);
            if position.insert((at - unsynced.len(), kept, allowed.as_ptr(), allowed.len())) {
                let content = run.disk.cut(at, &fates);
                then(survive(content, allowed, || {
                    format!("cut at {at}, {fates:?}")
                }));
            }
        }
    }
    position.len()
}

#[test]
fn at_every_write() {
    let mut run = Run::open(Disk::with_store());
    realistic().iter().for_each(|step| run.step(step));
    let cuts = every_cut(&run, drop);
    assert!(cuts > 1000, "only {cuts} cuts were tried");
}

/// The power goes again while the store repairs itself, at every write of that.
#[test]
fn at_every_write_of_a_recovery() {
    let mut run = Run::open(Disk::with_store());
    for step in realistic().iter().take(5) {
        run.step(step);
    }
    let mut cuts = 0;
    for at in (0..=run.disk.count()).step_by(2) {
        let fates = vec![Fate::Kept; run.disk.unsynced(at).len()];
        let content = run.disk.cut(at, &fates);
        let mut mended = Run::open(Disk::with(content));
        let found = mended.last().clone();
        assert!(allowed(&run, at).contains(&found), "cut at {at}");
        // Nothing but opening it, and its end.
        mended.step(&Step::Reopen);
        cuts += every_cut(&mended, drop);
    }
    assert!(cuts > 300, "only {cuts} cuts were tried");
}

fn a_step() -> impl Strategy<Value = Step> {
    let put = (0..6_u8, 0..40_000_usize, any::<bool>());
    prop_oneof![
        8 => prop::collection::vec(put, 1..4).prop_map(Step::Put),
        2 => prop::collection::vec(0..6_u8, 1..4).prop_map(Step::Delete),
        1 => (0..6_u8).prop_map(|key| Step::Put(vec![(key, 700_000, false)])),
        2 => Just(Step::Grant),
        1 => Just(Step::Revoke),
        1 => Just(Step::Expire),
        1 => (0..4_u64).prop_map(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

fn a_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        2 => Just(Fate::Kept),
        2 => Just(Fate::Lost),
        1 => (0..1000_usize).prop_map(Fate::Torn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Any steps, a cut anywhere with any fate of each write; then more steps on what is left, and
    /// the next cut.
    #[test]
    fn any_steps_any_cuts(
        rounds in prop::collection::vec(
            (
                prop::collection::vec(a_step(), 1..10),
                any::<prop::sample::Index>(),
                prop::collection::vec(a_fate(), 1..40),
            ),
            1..4,
        ),
    ) {
        let mut run = Run::open(Disk::with_store());
        for (steps, cut, fates) in rounds {
            steps.iter().for_each(|step| run.step(step));
            let at = cut.index(run.disk.count() + 1);
            let fates = fates.into_iter().cycle().take(run.disk.unsynced(at).len());
            let fates: Vec<_> = fates.collect();
            let content = run.disk.cut(at, &fates);
            run = survive(content, allowed(&run, at), || format!("cut at {at}, {fates:?}"));
        }
    }
}
