//! Every answer beside one that tries everything.

use super::super::*;
use super::small::{self, DIVIDING, ODD, Random, cluster, reserve_for};

/// Judges one random cluster with every number of nodes down, then admissions with each.
/// Returns how many answers were compared, and how many of them were refusals.
fn compare(seed: u64, sizes: [u64; 3]) -> (u32, u32) {
    let mut random = Random(seed);
    let mut cluster = cluster(&mut random, sizes);
    let (nodes, down) = (cluster.nodes.len(), cluster.down());
    let (mut compared, mut refused) = (0, 0);
    let mut survives = None;
    let ledger = Ledger::new(cluster.clone());
    for more in 0..nodes - down {
        let real = small::holds(&cluster, more);
        let verdict = ledger.holds_with(more);
        assert!(
            !matches!(verdict, Verdict::Unproved(_)),
            "seed {seed}: {cluster:?}"
        );
        assert_eq!(
            verdict.holds(),
            real,
            "seed {seed}, {more} down: {cluster:#?}"
        );
        check_worst(&cluster, &verdict, more, seed);
        if real {
            survives = Some(more);
        }
        compared += 1;
        refused += u32::from(!real);
    }
    if down < nodes {
        assert_eq!(ledger.survives(), survives, "seed {seed}: {cluster:#?}");
    }
    for total in 0..nodes {
        cluster.reserve_percentage = reserve_for(nodes, total);
        let (asked, no) = admissions(&cluster, &mut random, seed);
        compared += asked;
        refused += no;
    }
    (compared, refused)
}

/// A verdict's worst set has the right size, and is one for which it does not fit.
fn check_worst(cluster: &Cluster, verdict: &Verdict, more: usize, seed: u64) {
    if let Verdict::Fails(worst) = verdict {
        let down = cluster.down();
        assert_eq!(
            worst.len(),
            down + more,
            "seed {seed}: {worst:?} of {cluster:#?}"
        );
        let gone = worst.iter().fold(0, |gone, place| gone | 1 << place);
        assert!(
            !small::fits(cluster, gone),
            "seed {seed}: {worst:?} of {cluster:#?}"
        );
    }
}

/// A few VMs ask, one after another, and stay if they are admitted.
fn admissions(cluster: &Cluster, random: &mut Random, seed: u64) -> (u32, u32) {
    let mut ledger = Ledger::new(cluster.clone());
    let (mut asked, mut refused) = (0, 0);
    for _ in 0..3 {
        let place = random.below(cluster.nodes.len() as u64);
        let node = usize::try_from(place).expect("a small number");
        let setting = random.one_of(&Performance::ALL);
        let more = cluster.reserved_besides();
        let now = ledger.cluster().clone();
        let with = |adapter: usize| {
            let mut with = now.clone();
            with.nodes[node].adapters[adapter].promised[place_of(setting)] += 1;
            with
        };
        let fits = |adapter: &usize| {
            let with = with(*adapter);
            let has_capacity = with.nodes[node].adapters[*adapter]
                .free(&with.sizes)
                .is_some();
            !with.nodes[node].down && has_capacity && small::holds(&with, more)
        };
        let real = (0..now.nodes[node].adapters.len()).find(fits);
        match ledger.admit(node, setting) {
            Ok(adapter) => {
                assert_eq!(
                    Some(adapter),
                    real,
                    "seed {seed}: {setting} on {node} of {now:#?}"
                );
                ledger.add(node, adapter, setting, 1);
                assert_eq!(ledger.holds(), Verdict::Holds);
            }
            Err(refusal) => {
                assert_eq!(
                    real, None,
                    "seed {seed}: {setting} on {node} of {now:#?} {refusal:?}"
                );
                assert!(refusal.proved);
                refused += 1;
            }
        }
        asked += 1;
    }
    (asked, refused)
}

#[test]
fn what_fits_is_admitted_and_nothing_else_where_sizes_divide_each_other() {
    let (mut compared, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let sizes = DIVIDING[usize::try_from(seed % 12).expect("a small number")];
        let (all, no) = compare(seed, sizes);
        compared += all;
        refused += no;
    }
    // Both answers must be there in number, or the comparison shows little.
    assert!(
        refused > compared / 5 && refused < compared / 5 * 4,
        "{refused} of {compared}"
    );
}

#[test]
fn so_it_is_where_they_do_not_in_clusters_as_small_as_these() {
    for seed in 100_000..103_000 {
        let sizes = ODD[usize::try_from(seed % 5).expect("a small number")];
        compare(seed, sizes);
    }
}
