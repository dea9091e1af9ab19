//! The content of refusals, and clusters too large to try everything.

use super::super::*;
use super::small::Random;

const LOW: Performance = Performance::Low;
const HIGH: Performance = Performance::High;

fn adapter(vfs: u32, queue_pairs: u32, most: u32, promised: Counts) -> Adapter {
    Adapter {
        name: "pf0".to_owned(),
        vfs,
        queue_pairs: Some(queue_pairs),
        queue_pairs_per_vf: Some(most),
        promised,
    }
}

fn cluster(adapters: &[Adapter], reserve_percentage: u8) -> Cluster {
    let nodes = adapters.iter().enumerate().map(|(place, adapter)| Node {
        name: format!("n{}", place + 1),
        down: false,
        adapters: vec![adapter.clone()],
        stranded: [0; 3],
    });
    Cluster {
        nodes: nodes.collect(),
        sizes: [1, 2, 4],
        reserve_percentage,
    }
}

fn refused(cluster: &Cluster, node: usize, setting: Performance) -> Refusal {
    let ledger = Ledger::new(cluster.clone());
    ledger.admit(node, setting).expect_err("too much")
}

#[test]
fn vfs_that_bind() {
    let node = adapter(4, 64, 8, [2, 0, 0]);
    let cluster = cluster(&[node.clone(), node], 50);
    let refusal = refused(&cluster, 0, LOW);
    assert_eq!(refusal.binding, Binding::Vfs);
    assert_eq!((refusal.worst.len(), refusal.lose), (1, [1, 0, 0]));
    assert!(refusal.proved);
    let remedies = remedies(&cluster, Some((0, LOW)));
    let words: Vec<String> = remedies.iter().map(Remedy::to_string).collect();
    assert_eq!(
        words,
        [
            "lower the node reserve to 49 %",
            "add 1 VF to each adapter of 2 nodes (n1, n2)"
        ]
    );
    // With n1 down its three VMs need VFs on n2, which has 2 free; or n2's two on n1 with 1.
    let vms = [
        ("a", 0, 0),
        ("b", 0, 0),
        ("c", 1, 0),
        ("d", 1, 0),
        ("asked", 0, 0),
    ];
    let losers = refusal.losers(vms.iter().copied());
    let problem = explain(
        &cluster,
        Some(("asked", 0, LOW)),
        &refusal,
        &losers,
        &remedies,
    );
    assert_eq!(problem.code, Code::ClusterNotEnoughResources);
    assert!(problem.found.ends_with("; VFs bind."), "{problem:?}");
    assert!(
        problem.found.contains("1 VM would be left without a VF"),
        "{problem:?}"
    );
    assert!(
        problem
            .resolution
            .starts_with("To admit it, lower the node reserve to 49 %, or add"),
        "{problem:?}"
    );
}

#[test]
fn queue_pairs_that_bind() {
    let cluster = cluster(
        &[adapter(8, 10, 4, [0, 0, 1]), adapter(8, 8, 4, [1, 0, 0])],
        50,
    );
    // With n1 down two Highs need 8 queue pairs on n2, which has 7 free.
    let refusal = refused(&cluster, 0, HIGH);
    assert_eq!(
        (refusal.binding, refusal.worst.clone()),
        (Binding::QueuePairs, vec![0])
    );
    assert_eq!(refusal.lose, [0, 0, 1]);
    let remedies = remedies(&cluster, Some((0, HIGH)));
    let words: Vec<String> = remedies.iter().map(Remedy::to_string).collect();
    assert!(words.contains(&"take Medium".to_owned()), "{words:?}");
    assert!(
        words.contains(&"add 1 queue pair to each adapter of 1 node (n2)".to_owned()),
        "{words:?}"
    );
}

#[test]
fn vms_that_need_more_queue_pairs_than_there_are_bind_queue_pairs() {
    // Figures that were raised: as many VFs as VMs, and a VM more than the queue pairs suffice for.
    for per_vf in [4, 16] {
        let mut cluster = cluster(
            &[
                adapter(8, 16, per_vf, [0, 0, 2]),
                adapter(8, 16, per_vf, [0; 3]),
            ],
            0,
        );
        cluster.sizes = [1, 2, 10];
        let refusal = Ledger::new(cluster.clone()).refusal().expect("broken");
        assert_eq!(refusal.binding, Binding::QueuePairs, "{per_vf}");
        cluster.nodes[0].adapters[0].vfs = 1;
        let refusal = Ledger::new(cluster).refusal().expect("broken");
        let vfs_bind = refusal.binding == Binding::Vfs;
        // No adapter at all can give 10 queue pairs where a VF has 4 at most.
        assert_eq!(vfs_bind, per_vf == 16, "{per_vf}");
    }
}

#[test]
fn no_room_on_its_own_node() {
    let cluster = cluster(&[adapter(1, 8, 4, [1, 0, 0]), adapter(8, 8, 4, [0; 3])], 0);
    let refusal = refused(&cluster, 0, LOW);
    assert_eq!((refusal.binding, refusal.worst.len()), (Binding::Vfs, 0));
    let remedies = remedies(&cluster, Some((0, LOW)));
    assert!(
        remedies.contains(&Remedy::Node("n2".to_owned())),
        "{remedies:?}"
    );
    let problem = explain(&cluster, Some(("a", 0, LOW)), &refusal, &["a"], &remedies);
    assert_eq!(
        problem.found,
        "Node n1 has no adapter with enough free capacity: free are 0 VFs and 7 queue pairs on pf0; VFs bind."
    );
}

#[test]
fn a_node_that_is_down_uses_the_reserve() {
    let node = adapter(4, 16, 4, [2, 0, 0]);
    let mut cluster = cluster(&[node.clone(), node.clone(), node], 33);
    cluster.reserve_percentage = 34;
    assert_eq!(cluster.reserved(), 1);
    let ledger = Ledger::new(cluster.clone());
    assert_eq!(
        (ledger.survives(), ledger.holds()),
        (Some(1), Verdict::Holds)
    );
    cluster.nodes[1].down = true;
    let ledger = Ledger::new(cluster.clone());
    // Its two VMs fit, and those of another would not.
    assert_eq!(
        (ledger.survives(), ledger.holds()),
        (Some(0), Verdict::Holds)
    );
    assert!(ledger.admit(0, LOW).is_ok());
    assert!(ledger.admit(1, LOW).is_err());
    cluster.reserve_percentage = 67;
    let ledger = Ledger::new(cluster);
    assert!(
        matches!(ledger.holds(), Verdict::Fails(worst) if worst.len() == 2 && worst.contains(&1))
    );
}

#[test]
fn a_vm_without_a_vf_on_a_remaining_node_is_a_shortage() {
    let mut cluster = cluster(
        &[adapter(4, 16, 4, [1, 0, 0]), adapter(4, 16, 4, [0; 3])],
        0,
    );
    cluster.nodes[0].stranded = [0, 1, 0];
    let ledger = Ledger::new(cluster.clone());
    assert_eq!(ledger.survives(), None);
    let refusal = ledger.refusal().expect("broken");
    assert_eq!((refusal.lose, refusal.worst.len()), ([0, 1, 0], 0));
    // An adapter that lost VFs.
    cluster.nodes[0].stranded = [0; 3];
    cluster.nodes[0].adapters[0].vfs = 0;
    let refusal = Ledger::new(cluster).refusal().expect("broken");
    assert_eq!((refusal.lose, refusal.binding), ([1, 0, 0], Binding::Vfs));
}

/// Nodes that all differ, about half full.
fn large(random: &mut Random, nodes: u32, sizes: [u64; 3]) -> Cluster {
    let nodes = (0..nodes).map(|number| {
        let vfs = random.small(4, 10);
        let mut adapter = Adapter {
            name: "pf0".to_owned(),
            vfs,
            queue_pairs: Some(vfs * random.small(1, 3) + random.small(0, 5)),
            queue_pairs_per_vf: None,
            promised: [0; 3],
        };
        for _ in 0..random.small(0, vfs / 2) {
            let setting = random.one_of(&[0, 1, 2]);
            if adapter.has_capacity(&sizes, setting) {
                adapter.promised[setting] += 1;
            }
        }
        Node {
            name: format!("n{number}"),
            down: false,
            adapters: vec![adapter],
            stranded: [0; 3],
        }
    });
    Cluster {
        nodes: nodes.collect(),
        sizes,
        reserve_percentage: random.one_of(&[10, 25, 33, 40, 50]),
    }
}

/// Whether the VMs of `gone` fit on the others, by trying everything.
fn packs(cluster: &Cluster, gone: &[usize]) -> bool {
    let mut demand = [0; 3];
    let mut bins = Vec::new();
    for (place, node) in cluster.nodes.iter().enumerate() {
        if gone.contains(&place) {
            for (sum, vms) in demand.iter_mut().zip(node.vms()) {
                *sum += u64::from(vms);
            }
        } else {
            bins.extend(
                node.adapters
                    .iter()
                    .filter_map(|one| one.free(&cluster.sizes)),
            );
        }
    }
    pack::packs(&bins, &cluster.sizes, demand, &mut u64::MAX.clone()).expect("enough work")
}

#[test]
fn in_large_clusters_what_is_promised_fits_for_any_set_and_a_named_set_does_not() {
    let (mut held, mut failed, mut unproved) = (0, 0, 0);
    for seed in 0..200 {
        let mut random = Random(seed);
        let sizes = random.one_of(&[[1, 2, 4], [1, 2, 4], [2, 3, 6], [1, 4, 8], [1, 1, 6]]);
        let cluster = large(&mut random, 24, sizes);
        let reserved = cluster.reserved();
        match Ledger::new(cluster.clone()).holds() {
            Verdict::Holds => {
                held += 1;
                for _ in 0..10 {
                    let mut all: Vec<usize> = (0..24).collect();
                    all.sort_by_cached_key(|_| random.next());
                    assert!(packs(&cluster, &all[..reserved]), "seed {seed}");
                }
            }
            Verdict::Fails(worst) => {
                failed += 1;
                assert_eq!(worst.len(), reserved, "seed {seed}");
                assert!(!packs(&cluster, &worst), "seed {seed}: {worst:?}");
            }
            Verdict::Unproved(worst) => {
                unproved += 1;
                assert!(
                    ![[1, 2, 4], [1, 1, 6]].contains(&sizes),
                    "seed {seed}: these are exact"
                );
                assert_eq!(worst.len(), reserved, "seed {seed}");
            }
        }
    }
    assert!(
        held > 20 && failed > 20 && unproved > 0,
        "{held}, {failed}, {unproved}"
    );
}

#[test]
fn what_could_not_be_proved_is_refused_and_reports_it() {
    let unproved = (0..500).find_map(|seed| {
        let mut random = Random(seed);
        let cluster = large(&mut random, 24, [2, 3, 6]);
        let ledger = Ledger::new(cluster.clone());
        let mut nodes = 0..24;
        let refusal = nodes.find_map(|node| {
            ledger
                .admit(node, LOW)
                .err()
                .filter(|refusal| !refusal.proved)
                .map(|refusal| (node, refusal))
        });
        refusal.map(|(node, refusal)| (cluster, node, refusal))
    });
    let (cluster, node, refusal) = unproved.expect("one of them");
    let problem = explain(&cluster, Some(("asked", node, LOW)), &refusal, &[], &[]);
    assert!(
        problem
            .found
            .starts_with("It could not be proved within the bound"),
        "{problem:?}"
    );
    assert!(
        problem.resolution.starts_with("No other reserve"),
        "{problem:?}"
    );
}
